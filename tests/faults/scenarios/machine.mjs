// The machine beneath fails: the disk is full, the clock jumps, bits flip.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Load, Probe, chain } from '../load.mjs';
import { judge } from './crash.mjs';

const STEPS = 4;
const FAKETIME = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'];

/** A file system of 64 MB with the scenario's database on it. Returns its folder, and options of a node that uses it. */
async function smallDisk(site) {
  const disk = mkdtempSync(join(tmpdir(), 'weft-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    rmSync(disk, { recursive: true });
    site.skip('no small file system can be mounted here; it needs root');
  }
  site.leave = async () => {
    if (site.database.isShared) await site.database.leave();
    execFileSync('umount', ['-l', disk], { stdio: 'ignore' });
    rmSync(disk, { recursive: true, force: true });
  };
  if (site.database.isShared) {
    // Tables and indexes only: without room for its log Postgres itself stops, which is F3.
    chmodSync(disk, 0o755);
    await site.database.moveTo(join(disk, 'tables'));
    return { disk, options: {} };
  }
  const dataDir = join(disk, 'data');
  mkdirSync(dataDir);
  return { disk, options: { dataDir } };
}

/** F6: no space is left where the database is, and later there is. */
async function diskFull(site) {
  const { disk, options } = await smallDisk(site);
  const node = await site.cluster.node(options);
  await node.start();
  site.sink.delay = 20;
  const load = new Load(await node.publish(chain(site.sink, STEPS)));
  await load.start([node], 20);
  const { bavail, bsize } = statfsSync(disk);
  const ballast = join(disk, 'ballast');
  // A little is left, for the moment in which it gives out to be in the middle of something.
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - 400 * 1024, 1));
  const alive = new Probe(() => node.call('GET', '/healthz', { token: null }), 100);
  const statuses = {};
  const began = performance.now();
  let round = 0;
  while (performance.now() - began < (site.full ? 60_000 : 8_000)) {
    const answer = await node
      .call('POST', `/api/v1/workflows/${load.workflow}/execute`, {
        body: { inputs: { name: `full${round}` } },
        headers: { 'idempotency-key': `full${(round += 1)}` },
        timeout: 40_000,
      })
      .catch(() => ({ status: 0 }));
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    if (answer.status === 202) load.runs.set(`full${round - 1}`, answer.json.run_id);
    if (!node.running) break;
    await pause(30);
  }
  unlinkSync(ballast);
  const freed = performance.now();
  const works = new Probe(() => node.call('PUT', '/api/v1/memory/disk/free', { body: { content: 'again' } }), 100);
  await pause(4_000);
  const again = (await works.stop()).find(({ status }) => status < 300 && status > 0);
  const end = await load.end(node, 90_000);
  const alives = await alive.stop();
  // A start whose answer was a refusal may have been stored all the same: its effects count, its name is not known here.
  site.promise('succeeded', end.counts.succeeded ?? 0, Object.keys(end.counts).every((status) => status === 'succeeded'));
  const account = site.sink.account(load.expected(STEPS));
  site.promise('effects lost', account.lost, account.lost === 0);
  site.promise('effects under two keys', account.doubled, account.doubled === 0);
  site.promise('runs missing', end.missing, end.missing === 0);
  site.promise('answers while full', statuses, (statuses[503] ?? 0) > 0 && !statuses[500] && !statuses[0]);
  site.promise('liveness', alives.every(({ status }) => status === 200), alives.every(({ status }) => status === 200));
  site.promise('works again after, ms', again ? again.at + again.ms - freed : null, again !== undefined);
  await node.stop();
  if (site.database.isShared) return;
  const check = await site.database.sql('pragma integrity_check', node);
  site.promise('integrity', check[0][0], check[0][0] === 'ok');
}

/** F7: the machine's clock jumps forward, back, and stands still. */
async function clockJumps(site) {
  const library = FAKETIME.find((path) => existsSync(path));
  if (!library) site.skip('libfaketime is not installed (Debian: faketime)');
  const control = join(site.cluster.folder, 'clock');
  const set = (text) => writeFileSync(control, `${text}\n`);
  set('+0s');
  const env = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: control, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  const node = await site.cluster.node({ env });
  await node.start();
  const other = site.database.isShared ? await site.cluster.node() : undefined;
  await other?.start();
  const calls = chain(site.sink, STEPS);
  const load = new Load(await node.publish(calls), 'calls');
  const timer = await node.publish({
    name: 'timer',
    inputs: calls.inputs,
    steps: [{ id: 'w', kind: 'wait', config: { ms: 8_000 } }, { ...calls.steps[0] }],
    edges: [{ from: 'w', to: 's0' }],
  });
  site.sink.delay = 150;
  const late = [];
  const early = [];
  const jumps = site.full ? ['+3600s', '-86400s', '+0s', '+7200s', '-3600s', '+0s'] : ['+3600s', '-3600s'];
  const ends = [];
  for (const [round, jump] of jumps.entries()) {
    const timers = new Load(timer, `t${round}-`);
    await load.start([node], 20);
    const before = performance.now();
    await timers.start([node], 10);
    const began = performance.now();
    const fired = new Map();
    site.sink.before = (name) => {
      if (name.startsWith(`t${round}-`)) fired.set(name, performance.now() - began);
    };
    await pause(1_500);
    set(jump);
    const jumped = performance.now() - began;
    const isForward = !jump.startsWith('-');
    // On SQLite a clock that was set back holds the timers up for as long: that is the machine's time, which they go by.
    const waits = site.database.isShared || isForward;
    const until = performance.now() + 14_000;
    while (waits && fired.size < 10 && performance.now() < until) await pause(50);
    // They began somewhere between `before` and `began`.
    if (site.database.isShared) late.push(...[...fired.values()].map((ms) => ms - 8_000));
    if (site.database.isShared) early.push(...[...fired.values()].map((ms) => 8_000 - ms - (began - before)));
    else if (isForward) late.push(...[...fired.values()].map((ms) => ms - jumped));
    if (waits) site.promise(`timers fired after ${jump}`, fired.size, fired.size === 10);
    if (!waits) set('+0s');
    ends.push(await load.end(node, 60_000));
    for (const [name, id] of timers.runs) load.runs.set(name, id) && load.runs.delete(name);
  }
  set('+0s');
  site.sink.before = undefined;
  await pause(500);
  judge(site, [load], [await load.end(node)], STEPS);
  const worst = Math.max(...late);
  site.promise('timers late by, worst, ms', worst, worst <= 2_000);
  if (site.database.isShared) site.promise('timers early by, worst, ms', Math.max(0, ...early), Math.max(...early) <= 50);
  if (other) {
    // Nobody took from the other what was not given back.
    const taken = await site.database.sql(`select count(*) from run where lease_token > 1 and workflow_id = '${load.workflow}'`);
    site.promise('runs that changed hands', Number(taken[0][0]), taken[0][0] === '0');
  }
}

/** F22: bits of stored histories flip while nobody looks. */
async function flippedBits(site) {
  const node = await site.cluster.node();
  await node.start();
  const workflow = await node.publish({
    name: 'waits',
    inputs: { type: 'object', properties: { name: { type: 'string' } } },
    steps: [
      { id: 'a', kind: 'transform', config: { value: { name: '{{ inputs.name }}', n: 12345 } } },
      { id: 'w', kind: 'wait', config: { ms: 6_000 } },
      { id: 'b', kind: 'transform', config: { value: '{{ steps.a.output.n + 1 }}' } },
    ],
    edges: [{ from: 'a', to: 'w' }, { from: 'w', to: 'b' }],
  });
  const load = new Load(workflow);
  const count = site.full ? 200 : 40;
  await load.start([node], count);
  await pause(500);
  await node.stop();
  const names = [...load.runs.keys()];
  const flipped = new Set();
  for (const name of names.filter((_, n) => n % 4 === 0)) {
    const id = load.runs.get(name);
    const which = site.database.isShared ? `run_id = '${id}'` : `run_id = x'${id.replaceAll('-', '')}'`;
    // The digit 4 (0x34) becomes 5 (0x35): one bit, and the JSON still reads.
    await site.database.sql(`update run_event set data = replace(data, '12345', '12355') where ${which} and kind = 'step_succeeded' returning 1`, node);
    flipped.add(name);
  }
  await node.start();
  const began = performance.now();
  let wrong = 0;
  let detected = 0;
  let succeeded = 0;
  const left = new Map(load.runs);
  while (left.size > 0 && performance.now() - began < 60_000) {
    for (const [name, id] of left) {
      const answer = await node.call('GET', `/api/v1/runs/${id}`);
      if (answer.status === 409 && flipped.has(name)) {
        const command = await node.call('POST', `/api/v1/runs/${id}/cancel`);
        if (command.status === 409 && /damaged/.test(command.text)) {
          detected += 1;
          left.delete(name);
        }
      } else if (answer.status === 200 && answer.json.status === 'succeeded') {
        const b = answer.json.steps.find((step) => step.id === 'b');
        if (flipped.has(name) || b.output !== 12346) wrong += 1;
        else succeeded += 1;
        left.delete(name);
      } else if (answer.status !== 200) {
        assert.fail(`a sound run answers ${answer.status}: ${answer.text}`);
      }
    }
    await pause(200);
  }
  site.promise('damaged and said so', detected, detected === flipped.size);
  site.promise('sound and succeeded', succeeded, succeeded === count - flipped.size);
  site.promise('wrong answers', wrong, wrong === 0);
  site.promise('neither', left.size, left.size === 0);
}

export const scenarios = [
  { name: 'F6', title: 'the disk is full', engines: ['sqlite', 'postgres'], play: diskFull },
  { name: 'F7', title: 'the clock jumps', engines: ['sqlite', 'postgres'], play: clockJumps },
  { name: 'F22', title: 'stored bits flip', engines: ['sqlite', 'postgres'], play: flippedBits },
];
