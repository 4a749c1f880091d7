// The process dies: at every effect, at random, while it migrates, and when it is asked to end.

import { setTimeout as pause } from 'node:timers/promises';
import { Load, chain, percentile, shapes } from '../load.mjs';

const STEPS = 8;
const BOTH = ['sqlite', 'postgres'];

/** Nothing lost, nothing done under two keys, every run ended well. */
export function judge(site, loads, ends, steps = STEPS) {
  const account = site.sink.account(loads.flatMap((load) => load.expected(steps)));
  const total = loads.reduce((sum, load) => sum + load.runs.size, 0);
  const succeeded = ends.reduce((sum, end) => sum + (end.counts.succeeded ?? 0), 0);
  site.promise('runs', total, total > 0);
  site.promise('succeeded', succeeded, succeeded === total);
  if (succeeded < total) site.figure('why', Object.assign({}, ...ends.map((end) => end.why)));
  site.promise('runs twice or lost', ends.reduce((sum, end) => sum + end.strays + end.missing, 0), ends.every((end) => end.strays + end.missing === 0));
  site.promise('effects lost', account.lost, account.lost === 0);
  site.promise('effects under two keys', account.doubled, account.doubled === 0);
  site.figure('effects', account.expected);
  site.figure('repeats under the same key', account.repeats);
}

/** F1: killed as each effect arrives, and as its answer is on its way, for each shape of workflow. */
async function atEveryTransition(site) {
  const node = await site.cluster.node();
  await node.start();
  const loads = [];
  const resumed = [];
  let kills = 0;
  const points = site.full ? STEPS : 3;
  for (const shape of shapes(site.sink)) {
    const load = new Load(await node.publish(shape), shape.name);
    loads.push(load);
    for (let at = 0; at < points; at += 1) {
      for (const when of ['before the answer', 'after the answer']) {
        await load.start([node], 1);
        const name = [...load.runs.keys()].at(-1);
        const seen = new Promise((resolve) => {
          site.sink.before = (effect) => {
            if (effect !== `${name}/${Math.floor((at * STEPS) / points)}`) return undefined;
            resolve();
            return when === 'before the answer' ? new Promise(() => {}) : undefined;
          };
        });
        await Promise.race([seen, pause(20_000).then(() => Promise.reject(new Error(`no effect ${at} of ${name}`)))]);
        site.sink.before = undefined;
        await node.kill();
        kills += 1;
        await node.start();
        const began = performance.now();
        await load.end(node, 30_000);
        resumed.push(performance.now() - began);
      }
    }
  }
  const ends = [];
  for (const load of loads) ends.push(await load.end(node));
  judge(site, loads, ends);
  site.figure('kills', kills);
  site.promise('slowest end after boot, ms', Math.max(...resumed), Math.max(...resumed) <= 2_000);
}

/** F2: killed at random, a hundred runs on their way at any time. */
async function atRandom(site) {
  const kills = site.full ? 1_000 : 15;
  const crowd = site.full ? 100 : 60;
  const node = await site.cluster.node();
  await node.start();
  // Slow enough that a quick machine does not end them all before the kill.
  site.sink.delay = 25;
  const load = new Load(await node.publish(chain(site.sink, STEPS)));
  const boots = [];
  const resumes = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const open = await load.inProgress(node);
    await load.start([node], Math.max(0, crowd - open));
    await pause(50 + Math.random() * 450);
    await node.kill();
    const calls = site.sink.calls;
    boots.push(await node.start());
    const began = performance.now();
    // Where all of them had ended before the kill, there is nothing to go on with.
    const waits = async () => site.sink.calls === calls && (await load.inProgress(node)) > 0;
    while ((await waits()) && performance.now() - began < 10_000) await pause(5);
    resumes.push(performance.now() - began);
  }
  await load.settle([node]);
  const end = await load.end(node, 300_000);
  judge(site, [load], [end]);
  site.figure('kills', kills);
  site.figure('boot p50, ms', percentile(boots, 0.5));
  site.promise('resume after boot, worst, ms', Math.max(...resumes), Math.max(...resumes) <= 2_000);
}

/** F17: killed while it makes or changes the tables. */
async function whileMigrating(site) {
  const kills = site.full ? 60 : 12;
  const node = await site.cluster.node();
  for (let kill = 0; kill < kills; kill += 1) {
    node.launch();
    await pause(5 + (kill * (site.full ? 5 : 25)) % 300);
    await node.kill();
  }
  const ms = await node.start();
  const load = new Load(await node.publish(chain(site.sink, 2)));
  await load.start([node], 5);
  const end = await load.end(node);
  judge(site, [load], [end], 2);
  const rows = await site.database.sql('select count(*) from _sqlx_migrations where success', node);
  site.figure('kills', kills);
  site.figure('migrations', Number(rows[0][0]));
  site.figure('start after the last, ms', ms);
}

/** F18: asked to end under load. */
async function askedToEnd(site) {
  const rounds = site.full ? 20 : 3;
  const node = await site.cluster.node();
  await node.start();
  site.sink.delay = 30;
  const load = new Load(await node.publish(chain(site.sink, STEPS)));
  const stops = [];
  const resumes = [];
  let codes = 0;
  let kept = 0;
  for (let round = 0; round < rounds; round += 1) {
    const starting = load.start([node], 60);
    await pause(400);
    const { ms, code } = await node.stop();
    await starting;
    stops.push(ms);
    codes += code === 0 ? 0 : 1;
    const owned = await site.database.sql('select count(*) from run where owner_id is not null', node);
    kept += Number(owned[0][0]);
    const calls = site.sink.calls;
    await node.start();
    const began = performance.now();
    while (site.sink.calls === calls && performance.now() - began < 10_000) await pause(5);
    resumes.push(performance.now() - began);
  }
  await load.settle([node]);
  judge(site, [load], [await load.end(node)]);
  site.promise('slowest end, ms', Math.max(...stops), Math.max(...stops) <= 30_000);
  site.promise('ends with an error', codes, codes === 0);
  site.promise('leases kept', kept, kept === 0);
  site.promise('next start goes on after, worst, ms', Math.max(...resumes), Math.max(...resumes) <= 1_000);
}

export const scenarios = [
  { name: 'F1', title: 'killed as each effect arrives and as it is answered', engines: BOTH, play: atEveryTransition },
  { name: 'F2', title: 'killed at random under load', engines: BOTH, play: atRandom },
  { name: 'F17', title: 'killed while it migrates', engines: BOTH, play: whileMigrating },
  { name: 'F18', title: 'SIGTERM under load', engines: BOTH, play: askedToEnd },
];
