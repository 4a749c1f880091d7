// The world outside: an HTTP server that every step with an effect calls, and that keeps account of the idempotency keys.

import { createServer } from 'node:http';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

export class Sink {
  /** By `run/step` as the workflow names itself: the keys that came, and how often. */
  effects = new Map();
  calls = 0;
  /** Called for each call; what it returns is waited for before the answer. */
  before = undefined;
  delay = 0;

  async open() {
    this.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => this.#take(request, Buffer.concat(chunks).toString(), response).catch(() => response.destroy()));
    }).listen(0, '127.0.0.1');
    this.server.keepAliveTimeout = 60_000;
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async #take(request, body, response) {
    const key = request.headers['idempotency-key'];
    const name = decodeURIComponent(request.url.slice(1));
    this.calls += 1;
    const keys = this.effects.get(name) ?? this.effects.set(name, new Map()).get(name);
    keys.set(key, (keys.get(key) ?? 0) + 1);
    const hold = this.before?.(name, key, keys.get(key));
    if (hold) await hold;
    if (this.delay) await pause(this.delay);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ applied: keys.get(key) === 1, length: body.length }));
  }

  /** What happened to the effects that are expected: each must have come, always under the one key. */
  account(expected) {
    const lost = expected.filter((name) => !this.effects.has(name));
    const doubled = expected.filter((name) => (this.effects.get(name)?.size ?? 0) > 1);
    const repeats = [...this.effects.values()].reduce((sum, keys) => sum + [...keys.values()].reduce((a, n) => a + n - 1, 0), 0);
    return { expected: expected.length, lost: lost.length, doubled: doubled.length, repeats, examples: [...lost, ...doubled].slice(0, 5) };
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
