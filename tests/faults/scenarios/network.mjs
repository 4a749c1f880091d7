// What lies between Weft and Postgres fails: restarts, cut connections, lost answers, slowness, silence.

import { setTimeout as pause } from 'node:timers/promises';
import { Load, Probe, chain, percentile } from '../load.mjs';
import { Proxy } from '../proxy.mjs';
import { judge } from './crash.mjs';

const STEPS = 6;
const POSTGRES = ['postgres'];

const list = (node) => () => node.call('GET', '/api/v1/runs?limit=1', { timeout: 30_000 });
const get = (node, path) => () => node.call('GET', path, { token: null, timeout: 30_000 });

/** How long it took from `at` until the first good answer. */
function recovery(answers, at) {
  const good = answers.find((answer) => answer.at > at && answer.status === 200);
  return good ? good.at + good.ms - at : Infinity;
}

/** F3: the database restarts, and every connection is cut, again and again. */
async function restarts(site) {
  const rounds = site.full ? 100 : 6;
  const node = await site.cluster.node();
  await node.start();
  const { pid } = node;
  site.sink.delay = 10;
  const load = new Load(await node.publish(chain(site.sink, STEPS)));
  const probe = new Probe(list(node), 50);
  const moments = [];
  for (let round = 0; round < rounds; round += 1) {
    const starting = load.start([node], 30);
    await pause(150 + Math.random() * 200);
    if (round % 3 === 2) {
      site.database.restart(round % 2 ? 'fast' : 'immediate');
    } else {
      for (let cut = 0; cut < 5; cut += 1) {
        await site.database.terminateAll();
        await pause(40);
      }
    }
    moments.push(performance.now());
    await starting;
    await pause(site.full ? 300 : 1_500);
  }
  await pause(3_000);
  const answers = await probe.stop();
  await load.settle([node]);
  judge(site, [load], [await load.end(node)], STEPS);
  const statuses = {};
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  const recoveries = moments.map((at) => recovery(answers, at));
  const errors = answers.filter(({ status }) => status !== 200);
  site.figure('rounds', rounds);
  site.figure('answers meanwhile', statuses);
  site.promise('other than 200 and 503', errors.filter(({ status }) => status !== 503).length, errors.every(({ status }) => status === 503));
  site.promise('slowest refusal, ms', Math.max(0, ...errors.map(({ ms }) => ms)), errors.every(({ ms }) => ms <= 5_500));
  site.promise('recovered after, worst, ms', Math.max(...recoveries), Math.max(...recoveries) <= 3_000);
  site.promise('same process', node.running && node.pid === pid, node.running && node.pid === pid);
}

/** F4: the database commits and its answer is lost. */
async function lostAnswers(site) {
  const proxy = await new Proxy().open(site.database.folder);
  site.leave = () => proxy.close();
  const node = await site.cluster.node({ url: site.database.through(proxy.folder) });
  await node.start();
  const load = new Load(await node.publish(chain(site.sink, STEPS)));
  await site.cluster.token(node);
  proxy.dropEvery = 15;
  const wanted = site.full ? 1_000 : 10;
  for (let round = 0; proxy.dropped < wanted && round < wanted * 5; round += 1) {
    await load.start([node], 10);
    await pause(100);
    site.figure('rounds', round + 1);
    site.figure('commits', proxy.commits);
    site.figure('commits whose answer was lost', proxy.dropped);
  }
  proxy.dropEvery = 0;
  await load.settle([node]);
  judge(site, [load], [await load.end(node)], STEPS);
  site.promise('commits whose answer was lost', proxy.dropped, proxy.dropped >= wanted);
  const twice = await site.database.sql(`select count(*) from (select run_id, step from run_event where kind = 'step_succeeded' group by 1, 2 having count(*) > 1) twice`);
  site.promise('transitions stored twice', Number(twice[0][0]), twice[0][0] === '0');
}

/** F5: every answer of the database takes 200 ms longer, under more load than that can bear. */
async function slow(site) {
  const proxy = await new Proxy().open(site.database.folder);
  site.leave = () => proxy.close();
  const node = await site.cluster.node({ url: site.database.through(proxy.folder) });
  await node.start();
  const load = new Load(await node.publish(chain(site.sink, 2)));
  await load.start([node], 20);
  await load.end(node);
  const before = node.rss();
  proxy.delay = 200;
  const slowed = performance.now();
  const [alive, ready] = [new Probe(get(node, '/healthz'), 100), new Probe(get(node, '/readyz'), 200)];
  const flood = { going: true, statuses: {}, slowest: 0, withoutRetryAfter: 0 };
  const caller = async () => {
    while (flood.going) {
      const answer = await list(node)().catch(() => ({ status: 0, ms: 30_000 }));
      flood.statuses[answer.status] = (flood.statuses[answer.status] ?? 0) + 1;
      flood.slowest = Math.max(flood.slowest, answer.ms);
      if (answer.status === 503 && !answer.retryAfter) flood.withoutRetryAfter += 1;
      if (answer.status === 0) await pause(100);
    }
  };
  const callers = Array.from({ length: 400 }, caller);
  await pause(site.full ? 60_000 : 12_000);
  flood.going = false;
  await Promise.all(callers);
  const grown = node.rss() - before;
  proxy.delay = 0;
  const healed = performance.now();
  await pause(2_000);
  const [alives, readies] = [await alive.stop(), await ready.stop()];
  const red = readies.find(({ status }) => status === 503);
  await load.start([node], 10);
  await load.settle([node]);
  judge(site, [load], [await load.end(node)], 2);
  site.promise('answers', flood.statuses, (flood.statuses[503] ?? 0) > 0 && Object.keys(flood.statuses).every((status) => ['200', '503'].includes(status)));
  site.promise('503 without Retry-After', flood.withoutRetryAfter, flood.withoutRetryAfter === 0);
  site.figure('slowest answer, ms', flood.slowest);
  site.promise('liveness, worst, ms', Math.max(...alives.map(({ ms }) => ms)), alives.every(({ status, ms }) => status === 200 && ms < 1_000));
  site.promise('readiness red after, ms', red ? red.at + red.ms - slowed : null, red !== undefined && red.at + red.ms - slowed <= 5_000);
  site.promise('ready again after, ms', recovery(readies, healed), recovery(readies, healed) <= 5_000);
  site.promise('memory grew by, MiB', grown, grown <= 64);
}

/** F25: nothing gets through between one of two processes and the database. */
async function partition(site) {
  const proxy = await new Proxy().open(site.database.folder);
  site.leave = () => proxy.close();
  const cut = await site.cluster.node({ url: site.database.through(proxy.folder) });
  await cut.start();
  const other = await site.cluster.node();
  await other.start();
  const load = new Load(await cut.publish(chain(site.sink, STEPS)));
  site.sink.delay = 300;
  await load.start([cut], site.full ? 200 : 40);
  await pause(500);
  proxy.blackhole = true;
  const silent = performance.now();
  const alive = new Probe(get(cut, '/healthz'), 200);
  const owners = `select count(distinct owner_id) from run where owner_id is not null and ended_at is null`;
  const tokens = `select count(*) from run where lease_token > 1`;
  while (Number((await site.database.sql(tokens))[0][0]) === 0 && performance.now() - silent < 60_000) await pause(200);
  const takenAfter = performance.now() - silent;
  await pause(4_000);
  proxy.heal();
  const healed = performance.now();
  const back = new Probe(list(cut), 50);
  const end = await load.end(other, 120_000);
  await pause(1_000);
  const answers = await back.stop();
  const alives = await alive.stop();
  judge(site, [load], [end], STEPS);
  site.promise('taken over after, ms', takenAfter, takenAfter <= 20_000);
  site.promise('healed after, ms', recovery(answers, healed), recovery(answers, healed) <= 5_000);
  site.promise('liveness meanwhile, worst, ms', Math.max(...alives.map(({ ms }) => ms)), alives.every(({ status }) => status === 200));
  site.figure('owners at the end', Number((await site.database.sql(owners))[0][0]));
}

/** F15, in part: what waits for a service that was away comes back spread out, not all at once. */
async function comeback(site) {
  const node = await site.cluster.node();
  await node.start();
  const count = site.full ? 1_000 : 200;
  const seconds = [];
  let down = true;
  const definition = chain(site.sink, 1);
  definition.steps[0].retry = { max_attempts: 20, initial_ms: 500, factor: 2, max_ms: 4_000, jitter: true };
  definition.steps[0].config.url = `${site.sink.url}/{{ inputs.name }}%2F0`;
  site.sink.before = () => {
    seconds.push(performance.now());
    return undefined;
  };
  const { server } = site.sink;
  const refuse = (_, response) => {
    if (!down) return;
    response.statusCode = 503;
    response.end();
  };
  server.prependListener('request', refuse);
  const load = new Load(await node.publish(definition));
  await load.start([node], count);
  await pause(site.full ? 60_000 : 6_000);
  down = false;
  const up = performance.now();
  const end = await load.end(node, 120_000);
  const after = seconds.filter((at) => at >= up).map((at) => Math.floor((at - up) / 1_000));
  const perSecond = Math.max(...after.map((second) => after.filter((other) => other === second).length));
  site.promise('succeeded', end.counts.succeeded ?? 0, end.counts.succeeded === count);
  site.figure('most calls in a second after it came back', perSecond);
  site.promise('share of all in one second', perSecond / count, perSecond / count <= 0.6);
  site.figure('p50 of the return, s', percentile(after, 0.5));
}

export const scenarios = [
  { name: 'F3', title: 'Postgres restarts and cuts connections', engines: POSTGRES, play: restarts },
  { name: 'F4', title: 'the answer to a commit is lost', engines: POSTGRES, play: lostAnswers },
  { name: 'F5', title: 'a slow database', engines: POSTGRES, play: slow },
  { name: 'F15', title: 'a service comes back after it was away', engines: ['sqlite', 'postgres'], play: comeback },
  { name: 'F25', title: 'a process is cut off from the database', engines: POSTGRES, play: partition },
];
