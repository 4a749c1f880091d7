#!/usr/bin/env node
// Drives the real binary through the faults of docs/faults.md, on SQLite and on Postgres, and prints what was reached.
//
//   scripts/with-postgres node tests/faults/run.mjs          a few minutes; `make faults` builds the binary first
//   FAULT=F8 …       one scenario, or several: F3,F4
//   ENGINE=sqlite …  one engine
//   FULL=1 …         with the numbers of the promises: hours
//   KEEP=1 …         keeps the folders with the logs
//
// WEFT_BINARY is the binary, target/release/weft unless given; WEFT_OLD_BINARY an older one for the rolling upgrade. Exits
// with 1 when a figure misses its promise. target/faults.json has the figures.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Postgres, Sqlite } from './database.mjs';
import { Sink } from './sink.mjs';
import { Cluster } from './weft.mjs';
import * as crash from './scenarios/crash.mjs';
import * as machine from './scenarios/machine.mjs';
import * as models from './scenarios/models.mjs';
import * as network from './scenarios/network.mjs';
import * as nodes from './scenarios/nodes.mjs';
import * as size from './scenarios/size.mjs';

const root = dirname(dirname(import.meta.dirname));
const SCENARIOS = [...crash.scenarios, ...network.scenarios, ...machine.scenarios, ...nodes.scenarios, ...size.scenarios, ...models.scenarios];
/** A scenario that takes longer hangs. */
const WITHIN_MS = process.env.FULL ? 4 * 3_600_000 : 5 * 60_000;

/** Thrown by a scenario that this machine can't run. */
class Skipped extends Error {}

async function play(scenario, engine, binary) {
  const database = engine === 'sqlite' ? new Sqlite() : await Postgres.create();
  const sink = await new Sink().open();
  const cluster = new Cluster({ database, binary });
  const figures = {};
  const misses = [];
  const site = {
    cluster,
    database,
    sink,
    full: Boolean(process.env.FULL),
    oldBinary: process.env.WEFT_OLD_BINARY ? resolve(process.env.WEFT_OLD_BINARY) : undefined,
    skip: (why) => {
      throw new Skipped(why);
    },
    figure: (name, value) => {
      figures[name] = typeof value === 'number' ? Math.round(value * 100) / 100 : value;
    },
    /** A promise: what was reached, and whether that is enough. */
    promise: (name, value, kept) => {
      site.figure(name, value);
      if (!kept) misses.push(name);
    },
  };
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${WITHIN_MS / 1000} s`)), WITHIN_MS);
  });
  try {
    await Promise.race([scenario.play(site), late]);
    return { outcome: misses.length === 0 ? 'passed' : 'missed', misses, figures };
  } catch (error) {
    if (error instanceof Skipped) return { outcome: 'skipped', why: error.message, figures };
    if (process.env.KEEP) process.stderr.write(`${cluster.nodes.map((node) => node.running && node.tail()).join('\n')}\n`);
    return { outcome: 'failed', why: error.stack, figures };
  } finally {
    clearTimeout(timer);
    await cluster.discard();
    await sink.close();
    await site.leave?.();
    await database.drop();
  }
}

const wanted = (process.env.FAULT || undefined)?.split(',').map((name) => name.trim().toUpperCase());
const unknown = wanted?.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name)) ?? [];
if (unknown.length > 0) {
  process.stderr.write(`no such fault: ${unknown.join(', ')}; there are ${SCENARIOS.map((scenario) => scenario.name).join(', ')}\n`);
  process.exit(2);
}
const binary = resolve(process.env.WEFT_BINARY ?? join(root, 'target', 'release', 'weft'));
if (!existsSync(binary)) {
  process.stderr.write(`no binary at ${binary}; build it, or name another by WEFT_BINARY\n`);
  process.exit(2);
}
const results = [];
for (const scenario of SCENARIOS.filter(({ name }) => !wanted || wanted.includes(name))) {
  for (const engine of scenario.engines.filter((name) => !process.env.ENGINE || name === process.env.ENGINE)) {
    const began = performance.now();
    const result = await play(scenario, engine, binary);
    const seconds = Math.round((performance.now() - began) / 1000);
    results.push({ fault: scenario.name, title: scenario.title, engine, seconds, ...result });
    const figures = Object.entries(result.figures).map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
    const said = [result.why, result.misses?.length ? `MISSED: ${result.misses.join(', ')}` : '', figures.join('; ')].filter(Boolean).join('\n    ');
    process.stdout.write(`${scenario.name.padEnd(4)} ${engine.padEnd(9)} ${result.outcome.padEnd(8)} ${String(seconds).padStart(5)} s  ${scenario.title}\n    ${said}\n`);
  }
}
mkdirSync(join(root, 'target'), { recursive: true });
const machineClass = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
const report = { at: new Date().toISOString(), machine: machineClass, full: Boolean(process.env.FULL), results };
writeFileSync(join(root, 'target', 'faults.json'), `${JSON.stringify(report, null, 2)}\n`);
const bad = results.filter(({ outcome }) => outcome === 'failed' || outcome === 'missed');
process.stdout.write(`\n${results.length - bad.length} of ${results.length} as promised; target/faults.json has the figures\n`);
process.exit(bad.length === 0 ? 0 : 1);
