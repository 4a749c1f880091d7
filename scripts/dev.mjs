#!/usr/bin/env node
// Builds without optimisation, starts the server, and does both again whenever a source file changes.
//
//   node scripts/dev.mjs [ARGUMENT of weft serve...]
//
// A build that fails leaves the last good server running. Looks for changes by polling: it works in containers and on
// every file system, and a few hundred files cost a millisecond or two.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const POLL_MS = 400;
const WATCHED = ['src', 'style', 'public', 'migrations', 'templates', 'Cargo.toml', 'Cargo.lock', 'build.rs'];

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const binary = join(process.env.CARGO_TARGET_DIR ?? 'target', 'debug', 'weft');
let server;

/** One text that differs when any watched file does. */
function snapshot() {
  const marks = [];
  const look = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) for (const name of readdirSync(path)) look(join(path, name));
    else marks.push(`${path} ${stat.mtimeMs} ${stat.size}`);
  };
  WATCHED.forEach(look);
  return marks.join('\n');
}

function build() {
  const steps = [
    [process.execPath, ['scripts/build-site.mjs', '--dev']],
    ['cargo', ['build', '--quiet', '--features', 'ssr', '--bin', 'weft']],
  ];
  return steps.every(([command, args]) => spawnSync(command, args, { stdio: 'inherit' }).status === 0);
}

async function stop() {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await stop();
    process.exit(0);
  });
}

let built = '';
for (;;) {
  const now = snapshot();
  if (now !== built) {
    const began = Date.now();
    built = now;
    if (build()) {
      await stop();
      console.log(`==> built in ${((Date.now() - began) / 1000).toFixed(1)} s, starting`);
      server = spawn(binary, ['serve', ...process.argv.slice(2)], { stdio: 'inherit' });
    } else {
      console.log('==> the build failed; waiting for a change');
    }
  }
  await pause(POLL_MS);
}
