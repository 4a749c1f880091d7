#!/usr/bin/env node
// Prints what the release build weighs, and fails when the first load is over its budget.
//
//   node scripts/size.mjs BINARY

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FIRST_LOAD_BUDGET_KIB = 350;

const site = join(import.meta.dirname, '..', 'target', 'site');
const manifest = JSON.parse(readFileSync(join(site, 'manifest.json'), 'utf8'));
const bytes = (name) => (existsSync(join(site, name)) ? statSync(join(site, name)).size : NaN);
// The wasm is stored as its copies alone.
const raw = (name) => (existsSync(join(site, name)) ? bytes(name) : gunzipSync(readFileSync(join(site, `${name}.gz`))).length);
const kib = (size) => (Number.isNaN(size) ? '-' : (size / 1024).toFixed(1)).padStart(10);

const rows = [['wasm', manifest.wasm], ['js', manifest.js], ['css', manifest.css], ...Object.entries(manifest.files)];
let first = 0;
console.log('KiB'.padEnd(14), 'raw'.padStart(10), 'gzip'.padStart(10), 'brotli'.padStart(10));
for (const [label, name] of rows) {
  const compressed = bytes(`${name}.br`);
  first += Number.isNaN(compressed) ? bytes(name) : compressed;
  console.log(label.padEnd(14), kib(raw(name)), kib(bytes(`${name}.gz`)), kib(compressed));
}
const packed = (name) => (Number.isNaN(bytes(`${name}.br`)) ? bytes(name) : bytes(`${name}.br`));
const total = (...groups) => [...new Set(groups.flatMap((group) => manifest.chunks[group]))].reduce((sum, name) => sum + packed(name), first);
const pages = Object.keys(manifest.chunks).filter((group) => group !== 'frame');
const loads = pages.map((group) => [group, group === 'door' ? total(group) : total('frame', group)]);
for (const [group, size] of loads.sort((a, b) => a[1] - b[1])) console.log(`first load of ${group}`.padEnd(40), kib(size));
const firstLoad = total('frame', 'home');
console.log(`binary: ${(statSync(process.argv[2]).size / 2 ** 20).toFixed(1)} MiB`);
if (firstLoad / 1024 > FIRST_LOAD_BUDGET_KIB) {
  console.error(`size: the first load is over its budget of ${FIRST_LOAD_BUDGET_KIB} KiB in brotli`);
  process.exit(1);
}
