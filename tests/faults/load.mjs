// Runs with effects, kept going while the processes beneath them come and go, and the account of what became of them.

import { setTimeout as pause } from 'node:timers/promises';

const FINAL = new Set(['succeeded', 'failed', 'cancelled']);

/** A chain of calls of the sink, with thoughts between them. */
export function chain(sink, steps, name = 'chain') {
  const ids = Array.from({ length: steps }, (_, n) => `s${n}`);
  const call = (id, n) => ({
    id,
    kind: 'http',
    config: { method: 'POST', url: `${sink.url}/{{ inputs.name }}%2F${n}`, json: { n } },
  });
  return {
    name,
    inputs: { type: 'object', properties: { name: { type: 'string' } } },
    steps: ids.map(call),
    edges: ids.slice(1).map((to, n) => ({ from: ids[n], to })),
  };
}

/** Shapes of workflows, each with eight effects named 0 to 7. */
export function shapes(sink) {
  const inputs = { type: 'object', properties: { name: { type: 'string' } } };
  const call = (id, n = id.slice(1)) => ({
    id,
    kind: 'http',
    config: { method: 'POST', url: `${sink.url}/{{ inputs.name }}%2F${n}`, json: {} },
  });
  const eight = Array.from({ length: 8 }, (_, n) => `s${n}`);
  const done = { id: 'done', kind: 'transform', config: { value: 1 } };
  return [
    chain(sink, 8),
    { name: 'wide', inputs, steps: [...eight.map((id) => call(id)), done], edges: eight.map((from) => ({ from, to: 'done' })) },
    {
      name: 'map',
      inputs,
      steps: [
        { id: 'each', kind: 'map', config: { items: [0, 1, 2, 3, 4, 5, 6, 7], concurrency: 3 }, body: { steps: [call('one', '{{ item }}')] } },
        done,
      ],
      edges: [{ from: 'each', to: 'done' }],
    },
    {
      name: 'waits',
      inputs,
      steps: eight.flatMap((id, n) => [call(id), { id: `w${n}`, kind: 'wait', config: { ms: 20 } }]),
      edges: eight.flatMap((id, n) => [{ from: id, to: `w${n}` }, ...(n < 7 ? [{ from: `w${n}`, to: `s${n + 1}` }] : [])]),
    },
  ];
}

/** Runs of one workflow. A start whose answer was lost is asked for again under the same key. */
export class Load {
  /** By name, the run's id. */
  runs = new Map();
  /** Names that were asked for and not answered. */
  #open = new Set();
  #next = 0;

  constructor(workflow, prefix = 'r') {
    this.workflow = workflow;
    this.prefix = prefix;
  }

  /** Starts `count` runs through these processes; returns how many answers were lost or refused. */
  async start(nodes, count) {
    let lost = 0;
    const names = [...this.#open];
    while (names.length < count) names.push(`${this.prefix}${this.#next++}`);
    for (const name of names) this.#open.add(name);
    const one = async (name, n) => {
      const node = nodes[n % nodes.length];
      const options = { body: { inputs: { name } }, headers: { 'idempotency-key': name } };
      const answer = await node.call('POST', `/api/v1/workflows/${this.workflow}/execute`, options).catch(() => undefined);
      if (answer?.status === 202) {
        this.runs.set(name, answer.json.run_id);
        this.#open.delete(name);
      } else if (answer && ![429, 500, 502, 503].includes(answer.status)) {
        throw new Error(`starting a run answered ${answer.status}: ${answer.text}`);
      } else {
        lost += 1;
      }
    };
    for (let at = 0; at < names.length; at += 20) {
      await Promise.all(names.slice(at, at + 20).map((name, n) => one(name, at + n)));
    }
    return lost;
  }

  /** Asks again for what was not answered, until all of it is. */
  async settle(nodes) {
    for (let round = 0; this.#open.size > 0 && round < 50; round += 1) {
      await this.start(nodes, 0);
      if (this.#open.size > 0) await pause(200);
    }
    if (this.#open.size > 0) throw new Error(`${this.#open.size} runs could not be started`);
  }

  /** The status of each run, from the list. */
  async statuses(node) {
    const found = new Map();
    let cursor;
    do {
      const query = new URLSearchParams({ limit: '200', workflow: this.workflow, ...(cursor && { cursor }) });
      const page = await node.api('GET', `/api/v1/runs?${query}`, { timeout: 30_000 });
      for (const run of page.items) found.set(run.id, run.status);
      cursor = page.next;
    } while (cursor);
    return found;
  }

  async inProgress(node) {
    const statuses = await this.statuses(node);
    return [...statuses.values()].filter((status) => !FINAL.has(status)).length;
  }

  /** Waits until every run has ended; returns how many in each status, and how long it took. */
  async end(node, within = 120_000) {
    const began = performance.now();
    for (;;) {
      let why = 'the list did not answer';
      const statuses = await this.statuses(node).catch((error) => {
        why = error.message;
      });
      const open = statuses ? [...statuses].filter(([, status]) => !FINAL.has(status)) : undefined;
      if (open?.length === 0) {
        const counts = {};
        for (const status of statuses.values()) counts[status] = (counts[status] ?? 0) + 1;
        // Each name that was asked for has one run, and there are no others.
        const known = new Set(this.runs.values());
        const strays = [...statuses.keys()].filter((id) => !known.has(id)).length;
        return { counts, strays, missing: this.runs.size - (statuses.size - strays), ms: performance.now() - began };
      }
      if (performance.now() - began > within) {
        const examples = open ? open.slice(0, 3) : why;
        throw new Error(`${open?.length} runs have not ended after ${within} ms, such as ${JSON.stringify(examples)}`);
      }
      await pause(100);
    }
  }

  /** The effects that there must have been: `steps` of each run. */
  expected(steps) {
    return [...this.runs.keys()].flatMap((name) => Array.from({ length: steps }, (_, n) => `${name}/${n}`));
  }
}

/** The time at a fraction of the sorted times. */
export function percentile(times, fraction) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
}

/** Calls something again and again until told to stop; keeps status and time of each answer. */
export class Probe {
  answers = [];
  #going = true;

  constructor(call, every = 50) {
    this.done = (async () => {
      while (this.#going) {
        const began = performance.now();
        const status = await call().then((answer) => answer.status, () => 0);
        this.answers.push({ at: began, status, ms: performance.now() - began });
        await pause(every);
      }
    })();
  }

  async stop() {
    this.#going = false;
    await this.done;
    return this.answers;
  }
}
