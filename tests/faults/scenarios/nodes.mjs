// Several processes on one Postgres: one stands still, versions roll, commands go to runs of others.

import { setTimeout as pause } from 'node:timers/promises';
import { Load, chain, percentile } from '../load.mjs';
import { judge } from './crash.mjs';

const STEPS = 4;
const POSTGRES = ['postgres'];
/** F8: a process stands still beyond its leases, and wakes when others have gone on. */
async function zombie(site) {
  const rounds = site.full ? 10 : 1;
  const crowd = site.full ? 100 : 60;
  const zombie = await site.cluster.node();
  await zombie.start();
  const other = await site.cluster.node();
  await other.start();
  const load = new Load(await zombie.publish(chain(site.sink, STEPS)));
  const took = [];
  for (let round = 0; round < rounds; round += 1) {
    site.sink.delay = 600;
    await load.start([zombie], crowd);
    await pause(300);
    zombie.signal('SIGSTOP');
    const began = performance.now();
    const fenced = `select count(*) from run where ended_at is null and lease_token = 1`;
    while (Number((await site.database.sql(fenced))[0][0]) > 0 && performance.now() - began < 40_000) await pause(100);
    took.push(performance.now() - began);
    // It wakes while the others are at it.
    await pause(500);
    zombie.signal('SIGCONT');
    await load.end(other);
  }
  await pause(1_000);
  judge(site, [load], [await load.end(other)], STEPS);
  site.figure('tries', rounds * crowd);
  site.promise('all taken over after, worst, ms', Math.max(...took), Math.max(...took) <= 20_000);
  await zombie.ready(10_000);
  const again = new Load(load.workflow, 'again');
  site.sink.delay = 0;
  await again.start([zombie], 10);
  for (const [name, id] of load.runs) again.runs.set(name, id);
  site.promise('the zombie works again', (await again.end(zombie)).counts.succeeded, true);
}

/** A1: a process dies, and another one goes on with its runs long before the leases end. */
async function death(site) {
  const rounds = site.full ? 50 : 3;
  const other = await site.cluster.node();
  await other.start();
  const load = new Load(await other.publish(chain(site.sink, STEPS)));
  const took = [];
  for (let round = 0; round < rounds; round += 1) {
    const victim = await site.cluster.node();
    await victim.start();
    site.sink.delay = 200;
    await load.start([victim], 30);
    await pause(250);
    await victim.kill();
    const began = performance.now();
    await load.end(other);
    took.push(performance.now() - began);
  }
  judge(site, [load], [await load.end(other)], STEPS);
  site.figure('deaths', rounds);
  site.promise('its runs ended elsewhere after, worst, ms', Math.max(...took), Math.max(...took) <= 8_000);
}

/** A2: commands to runs of another process. */
async function commands(site) {
  const owner = await site.cluster.node();
  await owner.start();
  const other = await site.cluster.node();
  await other.start();
  const load = new Load(await owner.publish(chain(site.sink, 1)));
  // Its step is in flight for as long as this takes: it stays in its process' hand.
  site.sink.delay = 60_000;
  const count = site.full ? 200 : 30;
  await load.start([owner], count);
  await pause(300);
  const times = [];
  const statuses = {};
  const tell = async (id, command) => {
    const answer = await other.call('POST', `/api/v1/runs/${id}/${command}`);
    times.push(answer.ms);
    const key = `${command} ${answer.status}`;
    statuses[key] = (statuses[key] ?? 0) + 1;
  };
  await Promise.all([...load.runs.values()].map(async (id) => {
    for (const command of ['pause', 'pause', 'resume', 'cancel', 'cancel']) await tell(id, command);
  }));
  site.promise('answers', statuses, statuses['pause 200'] === count && statuses['pause 409'] === count && statuses['resume 200'] === count && statuses['cancel 200'] === count && statuses['cancel 409'] === count);
  site.figure('p50, ms', percentile(times, 0.5));
  site.promise('p99, ms', percentile(times, 0.99), percentile(times, 0.99) <= 2_000);
}

/** F16: two versions, one after the other and beside each other, and back again. */
async function rolling(site) {
  const old = site.oldBinary;
  const rounds = site.full ? 30 : 3;
  const first = await site.cluster.node({ binary: old ?? site.cluster.binary });
  await first.start();
  const second = await site.cluster.node();
  site.sink.delay = 20;
  const load = new Load(await first.publish(chain(site.sink, STEPS)));
  const nodes = [first, second];
  let going = true;
  const pressure = (async () => {
    while (going) {
      const there = nodes.filter((node) => node.running);
      if (there.length > 0) await load.start(there, 10);
      await pause(50);
    }
  })();
  await pause(500);
  await second.start();
  await pause(1_000);
  let goesBack = old ? 'yes' : undefined;
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const node of round % 2 ? [second, first] : [first, second]) {
        await node.stop();
        // The old version goes first; then it comes back beside the new one, and goes again.
        if (node === first) node.binary = round % 2 && goesBack === 'yes' ? old : site.cluster.binary;
        await node.start().catch(async (error) => {
          if (node.binary !== old || !/migration/.test(node.tail())) throw error;
          goesBack = 'no: it knows nothing of newer tables';
          node.binary = site.cluster.binary;
          await node.start();
        });
        await pause(500);
      }
    }
  } finally {
    going = false;
  }
  await pressure;
  await load.settle(nodes);
  judge(site, [load], [await load.end(second)], STEPS);
  site.figure('restarts', rounds * 2);
  if (goesBack) site.figure('the old version starts again', goesBack);
  site.figure('versions', old ? 'two' : 'one: name an older binary by WEFT_OLD_BINARY');
}

export const scenarios = [
  { name: 'F8', title: 'a process stands still beyond its leases', engines: POSTGRES, play: zombie },
  { name: 'N1', title: 'a process dies beside another', engines: POSTGRES, play: death },
  { name: 'N2', title: 'commands to runs of another process', engines: POSTGRES, play: commands },
  { name: 'F16', title: 'rolling upgrade and back', engines: POSTGRES, play: rolling },
];
