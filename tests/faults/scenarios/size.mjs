// Too much at once, too deep, too often, and steps that behave badly.

import { setTimeout as pause } from 'node:timers/promises';
import { Load, Probe, chain, percentile } from '../load.mjs';

const BOTH = ['sqlite', 'postgres'];

/** F9: each call of a webhook comes one to five times, in no order. */
async function duplicates(site) {
  const node = await site.cluster.node();
  await node.start();
  const workflow = await node.publish(chain(site.sink, 1));
  const config = { kind: 'webhook', rate_per_minute: 6_000 };
  const made = await node.api('POST', '/api/v1/triggers', { body: { workflow_id: workflow, config } });
  const path = new URL(made.url).pathname;
  const ids = Array.from({ length: site.full ? 2_000 : 150 }, (_, n) => `call-${n}`);
  const calls = ids.flatMap((id) => Array.from({ length: 1 + Math.floor(Math.random() * 5) }, () => id));
  calls.sort(() => Math.random() - 0.5);
  const runs = new Map();
  const statuses = {};
  const deliver = async (id) => {
    for (;;) {
      const options = { token: null, body: { name: id }, headers: { 'webhook-id': id } };
      const answer = await node.call('POST', path, options).catch(() => ({ status: 0 }));
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      if (answer.status === 200 || answer.status === 202) {
        const known = runs.get(id) ?? runs.set(id, new Set()).get(id);
        return known.add(answer.json.run_id);
      }
      // As a sender does that was told to come later.
      await pause(100 + Math.random() * 200);
    }
  };
  const queue = [...calls];
  await Promise.all(Array.from({ length: 20 }, async () => {
    while (queue.length > 0) await deliver(queue.pop());
  }));
  const load = new Load(workflow);
  for (const [id, found] of runs) load.runs.set(id, [...found][0]);
  const end = await load.end(node);
  const account = site.sink.account(load.expected(1));
  site.figure('calls', calls.length);
  site.figure('answers', statuses);
  site.promise('ids with more than one run', [...runs.values()].filter((found) => found.size > 1).length, [...runs.values()].every((found) => found.size === 1));
  site.promise('runs', end.counts.succeeded ?? 0, end.counts.succeeded === ids.length && end.strays === 0);
  site.promise('effects lost or twice', account.lost + account.doubled + account.repeats, account.lost + account.doubled + account.repeats === 0);
  await inOrder(site, node);
}

/** F9: calls that name the same customer are worked off one after the other, in the order in which they were taken. */
async function inOrder(site, node) {
  const workflow = await node.publish({
    name: 'in order',
    inputs: { type: 'object', properties: { name: { type: 'string' }, customer: { type: 'string' } } },
    flow: { concurrency: { key: '{{ inputs.customer }}', limit: 1 } },
    steps: [{ id: 's0', kind: 'http', config: { method: 'POST', url: `${site.sink.url}/{{ inputs.name }}%2F0`, json: {} } }],
    edges: [],
  });
  const made = await node.api('POST', '/api/v1/triggers', { body: { workflow_id: workflow, config: { kind: 'webhook', rate_per_minute: 6_000 } } });
  const path = new URL(made.url).pathname;
  const count = site.full ? 1_000 : 100;
  const calls = Array.from({ length: count }, (_, n) => ({ name: `order-${n}`, customer: `c${n % 5}` })).flatMap((call) => [call, call]);
  calls.sort(() => Math.random() - 0.5);
  const load = new Load(workflow, 'order-');
  // Of each run: when its call was sent first, and when it was first answered. It was taken in between.
  const taken = new Map();
  await Promise.all(Array.from({ length: 10 }, async () => {
    for (let call = calls.pop(); call; call = calls.pop()) {
      const sent = performance.now();
      const answer = await node.call('POST', path, { token: null, body: call, headers: { 'webhook-id': call.name } });
      if (answer.status !== 200 && answer.status !== 202) {
        calls.push(call);
        continue;
      }
      const id = answer.json.run_id;
      load.runs.set(call.name, id);
      const known = taken.get(id) ?? { sent, answered: Infinity };
      taken.set(id, { sent: Math.min(known.sent, sent), answered: Math.min(known.answered, performance.now()) });
    }
  }));
  await load.end(node);
  const runs = await Promise.all([...load.runs.values()].map((id) => node.api('GET', `/api/v1/runs/${id}`, { timeout: 60_000 })));
  let overlaps = 0;
  let overtaken = 0;
  for (let customer = 0; customer < 5; customer += 1) {
    const own = runs.filter((run) => run.inputs.customer === `c${customer}`);
    own.sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
    for (const [n, run] of own.entries()) {
      if (n > 0 && run.started_at < own[n - 1].ended_at) overlaps += 1;
      // Of two calls that were on their way at once, either may be the first.
      if (own.slice(n + 1).some((later) => taken.get(later.id).answered < taken.get(run.id).sent)) overtaken += 1;
    }
  }
  site.promise('runs in order', runs.length, runs.length === count);
  site.promise('runs of one customer at the same time', overlaps, overlaps === 0);
  site.promise('runs that overtook another of their customer', overtaken, overtaken === 0);
}

/** F10: steps that hang, take all memory, and print without end; others beside them get on. */
async function poison(site) {
  const node = await site.cluster.node();
  await node.start();
  const good = new Load(await node.publish(chain(site.sink, 4)), 'good');
  const measure = async (prefix) => {
    const load = new Load(good.workflow, prefix);
    const began = performance.now();
    for (let round = 0; round < (site.full ? 20 : 4); round += 1) {
      await load.start([node], 25);
      for (const [name, id] of load.runs) good.runs.set(name, id);
      await good.end(node);
    }
    return load.runs.size / ((performance.now() - began) / 1_000);
  };
  await measure('warm');
  const before = node.rss();
  const alone = await measure('alone');
  const poisons = {
    hangs: { id: 'p', kind: 'shell', timeout_ms: 1_500, retry: { max_attempts: 2, initial_ms: 100 }, config: { argv: ['sleep', '600'] } },
    'takes all memory': { id: 'p', kind: 'shell', retry: { max_attempts: 2, initial_ms: 100 }, config: { argv: ['sh', '-c', 'a=x; while :; do a=$a$a; done'], limits: { memory_mb: 64, time_ms: 5_000 } } },
    'prints 100 MB': { id: 'p', kind: 'shell', config: { argv: ['sh', '-c', 'head -c 100000000 /dev/zero | tr "\\0" x; exit 1'] } },
    'answers 100 MB': { id: 'p', kind: 'http', timeout_ms: 10_000, retry: { max_attempts: 2, initial_ms: 100 }, config: { method: 'GET', url: `${site.sink.url}/big` } },
  };
  const big = 'x'.repeat(1_000_000);
  site.sink.server.prependListener('request', (request, response) => {
    if (request.url !== '/big') return;
    response.writeHead(200);
    const more = (left) => left > 0 && !response.destroyed && response.write(big, () => more(left - 1));
    more(100);
  });
  const bad = [];
  for (const [name, step] of Object.entries(poisons)) {
    const workflow = await node.publish({ name, steps: [step], edges: [] });
    for (let n = 0; n < 2; n += 1) {
      bad.push((await node.api('POST', `/api/v1/workflows/${workflow}/execute`, { body: {} })).run_id);
    }
  }
  let peak = 0;
  const watching = setInterval(() => {
    peak = Math.max(peak, node.rss());
  }, 50);
  const beside = await measure('beside');
  const ended = {};
  const until = performance.now() + 60_000;
  for (const id of bad) {
    let run;
    do {
      run = await node.api('GET', `/api/v1/runs/${id}`);
      if (run.status === 'failed' || run.status === 'succeeded') break;
      await pause(200);
    } while (performance.now() < until);
    ended[run.status] = (ended[run.status] ?? 0) + 1;
  }
  clearInterval(watching);
  site.promise('poisoned runs', ended, ended.failed === bad.length);
  site.figure('others alone, runs/s', alone);
  site.figure('others beside them, runs/s', beside);
  site.figure('slower by, %', (1 - beside / alone) * 100);
  site.promise('memory grew by, MiB', peak - before, peak - before <= 64);
  site.promise('same process', node.running, node.running);
}

/** F20: very many timers are due in the same second. */
async function thunder(site) {
  const count = Number(process.env.TIMERS ?? (site.full ? 100_000 : 1_000));
  const node = await site.cluster.node();
  await node.start();
  const load = new Load(
    await node.publish({
      name: 'timers',
      inputs: { type: 'object', properties: { name: { type: 'string' }, at: { type: 'string' } } },
      steps: [{ id: 'w', kind: 'wait', config: { until: '{{ inputs.at }}' } }],
      edges: [],
    }),
  );
  // Made at a few hundred a second; all are due at once, well after the last was made.
  const due = Date.now() + Math.max(count / 0.25, 40_000);
  const at = new Date(due).toISOString();
  const post = async (n) => {
    const answer = await node.call('POST', `/api/v1/workflows/${load.workflow}/execute`, { body: { inputs: { name: `${n}`, at } } });
    load.runs.set(`${n}`, answer.json.run_id);
  };
  let next = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < count) await post(next++);
  }));
  const left = due - Date.now();
  if (left < 2_000) throw new Error(`the timers were made ${2_000 - left} ms too late; this machine needs longer`);
  const call = () => node.call('GET', '/api/v1/runs?limit=20', { timeout: 30_000 });
  const calm = new Probe(call, 20);
  await pause(1_500);
  const before = (await calm.stop()).map(({ ms }) => ms);
  const rss = node.rss();
  await pause(Math.max(0, due - Date.now()));
  const storm = new Probe(call, 20);
  let peak = rss;
  let open = count;
  const sql = 'select count(*) from run where ended_at is null';
  while (open > 0 && Date.now() - due < 120_000) {
    open = Number((await site.database.sql(sql, node))[0][0]);
    peak = Math.max(peak, node.rss());
    // Each look is a process of its own: more of them would take the processor from what is measured.
    await pause(1_000);
  }
  const ms = site.database.engine === 'sqlite' ? 'max(ended_at) / 1000' : 'extract(epoch from max(ended_at)) * 1000';
  const [[last]] = await site.database.sql(`select ${ms} from run`, node);
  const took = Number(last) - due;
  const during = (await storm.stop()).map(({ ms }) => ms);
  const [calmP99, stormP99] = [percentile(before, 0.99), percentile(during, 0.99)];
  site.figure('timers', count);
  site.promise('not fired', open, open === 0);
  site.promise('all fired and ended after, ms', took, took <= 10_000);
  site.figure('list p99 in calm, ms', calmP99);
  site.figure('list p99 in the storm, ms', stormP99);
  site.promise('memory grew by, MiB', peak - rss, peak - rss <= 256);
}

/** F21: long, wide and deeply nested. */
async function deepAndWide(site) {
  const node = await site.cluster.node();
  await node.start();
  const long = site.full ? 2_000 : 400;
  const steps = Array.from({ length: long }, (_, n) => ({
    id: `s${n}`,
    kind: 'memory_write',
    config: { namespace: 'deep', key: `k${n % 10}`, content: `${n}` },
  }));
  const edges = steps.slice(1).map(({ id }, n) => ({ from: `s${n}`, to: id }));
  const wide = site.full ? 10_000 : 2_000;
  const items = Array.from({ length: wide }, (_, n) => n);
  let nested = { id: 'leaf', kind: 'transform', config: { value: 7 } };
  for (let level = 0; level < 50; level += 1) nested = { id: `g${level}`, kind: 'group', config: {}, body: { steps: [nested] } };
  const definitions = {
    long: { name: 'long', steps, edges },
    wide: { name: 'wide', steps: [{ id: 'm', kind: 'map', config: { items, concurrency: 50 }, body: { steps: [{ id: 'one', kind: 'transform', config: { value: '{{ item * 2 }}' } }] } }], edges: [] },
    nested: { name: 'nested', steps: [nested], edges: [] },
    heavy: { name: 'heavy', inputs: { type: 'object', properties: { text: { type: 'string' } } }, steps: [{ id: 'h', kind: 'transform', config: { value: '{{ inputs.text }}' } }, { id: 'l', kind: 'transform', config: { value: '{{ steps.h.output | length }}' } }], edges: [{ from: 'h', to: 'l' }] },
  };
  const rss = node.rss();
  for (const [name, definition] of Object.entries(definitions)) {
    const workflow = await node.publish(definition);
    const inputs = name === 'heavy' ? { text: 'x'.repeat(900_000) } : {};
    const began = performance.now();
    const answer = await node.call('POST', `/api/v1/workflows/${workflow}/execute?wait_ms=60000`, { body: { inputs }, timeout: 90_000 });
    site.promise(`${name}, ms`, performance.now() - began, answer.status === 200 && answer.json.status === 'succeeded');
    if (name !== 'long' || answer.status !== 200) continue;
    const times = answer.json.steps.map((step) => Date.parse(step.ended_at));
    const span = (from, to) => (times[to] - times[from]) / (to - from);
    const [first, last] = [span(Math.floor(long * 0.05), Math.floor(long * 0.25)), span(Math.floor(long * 0.75), long - 1)];
    site.figure('a step near the start, ms', first);
    site.figure('a step near the end, ms', last);
    site.promise('ratio', last / first, last / first <= 1.5);
  }
  site.figure('memory grew by, MiB', node.rss() - rss);
  site.promise('same process', node.running, node.running);
}

export const scenarios = [
  { name: 'F9', title: 'webhooks delivered again and out of order', engines: BOTH, play: duplicates },
  { name: 'F10', title: 'poisonous steps', engines: BOTH, play: poison },
  { name: 'F20', title: 'very many timers at once', engines: BOTH, play: thunder },
  { name: 'F21', title: 'long, wide, nested, heavy', engines: BOTH, play: deepAndWide },
];
