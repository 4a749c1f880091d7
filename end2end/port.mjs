// A free port for a server of ours, that nobody else is given before the server has it.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below those that the system gives out by itself, to whoever listens on "any" or connects.
const PORTS = { from: 12_000, to: 32_000 };

/** Whether nobody listens there. */
function isFree(port) {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once('error', () => answer(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => answer(true)));
  });
}

export async function freePort() {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${PORTS.from} and ${PORTS.to}`);
}
