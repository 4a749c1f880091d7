// The models fail: every way in which a provider may, and very many streams whose readers don't read.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const BOTH = ['sqlite', 'postgres'];
const PATH = '/api/v1/gateway/openai/v1/chat/completions';
const USAGE = { prompt_tokens: 16, completion_tokens: 2, total_tokens: 18 };
/** The first token and every silence of a provider, in milliseconds. */
const PATIENCE_MS = 1_000;
const FALLBACK_WITHIN_MS = 1_000;

const base = { id: 'c1', created: 1, model: 'big' };
const chunk = (choices, more) => `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
const said = (content) => chunk([{ index: 0, delta: { content }, finish_reason: null }]);
const END = `${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], { usage: USAGE })}data: [DONE]\n\n`;

/** A model server on loopback; `answer` is given the body of each request, and the response. */
async function modelServer(answer) {
  const state = { calls: 0, answer };
  const server = createServer((asked, response) => {
    const parts = [];
    asked.on('data', (part) => parts.push(part)).on('end', () => {
      state.calls += 1;
      state.answer(JSON.parse(Buffer.concat(parts).toString() || '{}'), response);
    });
  });
  server.listen(0, '127.0.0.1', 4_096);
  await once(server, 'listening');
  state.url = `http://127.0.0.1:${server.address().port}/v1`;
  state.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return state;
}

function whole(_, response) {
  const message = { role: 'assistant', content: 'A loom.' };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ ...base, object: 'chat.completion', usage: USAGE, choices: [{ index: 0, finish_reason: 'stop', message }] }));
}

function good(body, response) {
  if (!body.stream) return whole(body, response);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  return response.end(`${said('A ')}${said('loom.')}${END}`);
}

const failing = (status, headers = {}) => (_, response) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: { message: 'the machine is on fire' } }));
};

/** What happens to a call, and when it is known to have failed: at once, or when its patience ends. */
const FAULTS = {
  429: { answer: failing(429, { 'retry-after': '30' }), after: 0 },
  500: { answer: failing(500), after: 0 },
  529: { answer: failing(529), after: 0 },
  'reset before a byte': { answer: (_, response) => response.destroy(), after: 0 },
  'no byte': { answer: (_, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(), after: 0 },
  'no event that can be read': {
    answer: (_, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"choices": [}\n\n'),
    after: 0,
  },
  'a stall before the first token': {
    answer: (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
    after: PATIENCE_MS,
  },
};

/** A node with two providers of the same model, a route over both, and a key. */
async function pointed(site, first, second, limits) {
  const node = await site.cluster.node();
  await node.start();
  const targets = [];
  for (const [name, { url }] of Object.entries({ first, second })) {
    const body = { name, kind: 'open_ai_compatible', base_url: url, models: [{ id: 'big' }], limits };
    const { id } = await node.api('POST', '/api/v1/providers', { body });
    targets.push({ provider_id: id, model: 'big' });
  }
  await node.api('POST', '/api/v1/routes', { body: { name: 'smart', targets, cache: 'never' } });
  const { secret } = await node.api('POST', '/api/v1/gateway/keys', { body: { name: 'a program' } });
  const ask = (model, more = {}) =>
    node.call('POST', PATH, { token: secret, body: { model, messages: [{ role: 'user', content: 'What is this?' }], ...more } });
  return { node, secret, ask, first: targets[0].provider_id };
}

/** The sums of the log, once they stand still: who asks gets their answer before it is written down. */
async function logged(node) {
  const look = async () => {
    const { items } = await node.api('GET', '/api/v1/gateway/usage?by=provider');
    return Object.fromEntries(items.map((sum) => [sum.of, sum]));
  };
  let [before, now] = ['', await look()];
  while (before !== JSON.stringify(now)) {
    before = JSON.stringify(now);
    await pause(500);
    now = await look();
  }
  return now;
}

const health = async (node, id) => (await node.api('GET', `/api/v1/providers/${id}`)).health.find(({ model }) => model === 'big');

/** F14: each fault of a provider, streamed and not, before the first token and after it; and the breaker. */
async function providerFaults(site) {
  const bad = await modelServer(good);
  const other = await modelServer(good);
  site.leave = () => [bad, other].forEach((server) => server.close());
  const { node, ask, first } = await pointed(site, bad, other, { first_token_ms: PATIENCE_MS, max_retries: 0 });
  let [slowest, which] = [0, ''];
  const wrong = [];
  for (const [name, { answer, after }] of Object.entries(FAULTS)) {
    for (const stream of [false, true]) {
      // What only a stream can do.
      if (!stream && after > 0) continue;
      bad.answer = answer;
      const got = await ask('smart', { stream });
      if (got.status !== 200 || !got.text.includes('loom.')) wrong.push(`${name}: ${got.status} ${got.text.slice(0, 200)}`);
      if (got.ms - after > slowest) [slowest, which] = [got.ms - after, `${name}${stream ? ', streamed' : ''}`];
      // So that the next fault is met as well.
      await node.api('POST', `/api/v1/providers/${first}/reset`);
    }
  }
  site.promise('faults that were seen', wrong.length === 0 ? 0 : wrong, wrong.length === 0);
  site.promise('fallback after, ms', slowest, slowest <= FALLBACK_WITHIN_MS);
  site.figure('slowest fallback', which);

  // After the first token nobody else is asked: the stream says that it broke off, and is kept once.
  const [asked, stood] = [other.calls, (await logged(node)).first?.partial ?? 0];
  bad.answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(said('A loom'), () => setImmediate(() => response.destroy()));
  };
  const cut = await ask('smart', { stream: true });
  site.promise('a stream that is cut says so', cut.text.includes('A loom') && cut.text.includes('"error"'), cut.text.includes('"error"'));
  site.promise('others asked after the first token', other.calls - asked, other.calls === asked);
  bad.answer = (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(said('A loom'));
  const stalled = await ask('smart', { stream: true });
  site.promise('a stream that stops coming says so', stalled.text.includes('"error"'), stalled.text.includes('"error"'));
  const partial = ((await logged(node)).first?.partial ?? 0) - stood;
  site.promise('kept as partial', partial, partial === 2);
  await node.api('POST', `/api/v1/providers/${first}/reset`);

  // The breaker opens, lets nobody through, and tries the model with one call once its rest is over.
  bad.answer = failing(500);
  for (let times = 0; times < 8; times += 1) await ask('smart');
  const open = await health(node, first);
  const before = bad.calls;
  for (let times = 0; times < 20; times += 1) await ask('smart');
  site.promise('breaker', open.state, open.state === 'open' && bad.calls === before);
  bad.answer = good;
  await pause(open.rests_ms + 200);
  await Promise.all(Array.from({ length: 10 }, () => ask('smart')));
  const closed = await health(node, first);
  site.promise('breaker after its rest', closed.state, closed.state === 'closed');

  // Each call of a provider is in the log at most once, and each that answered exactly once.
  const sums = await logged(node);
  const answered = sums.second.calls - sums.second.failed;
  site.promise('answers of the second, in the log and given', [answered, other.calls], answered === other.calls);
  site.promise('calls of the first in the log', sums.first?.calls ?? 0, (sums.first?.calls ?? 0) <= bad.calls);
  await node.stop();
}

const STREAMS = 1_000;
const PIECE_BYTES = 16 << 10;
// 768 KiB an answer: of a thousand the kernel can hold what nobody reads, and it is no more than it has room for.
const PIECES = 48;
const EACH_MIB = 0.5;
const REST_MS = 2_000;

/** Sends pieces as fast as it is let. */
async function flood(state, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let number = 0; number < PIECES; number += 1) {
    const piece = said(`${String(number).padStart(8, '0')} ${'x'.repeat(PIECE_BYTES - 9)}`);
    state.sent += 1;
    if (!response.write(piece)) await once(response, 'drain');
  }
  response.end(`${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], { usage: { ...USAGE, completion_tokens: PIECES } })}data: [DONE]\n\n`);
}

/** Begins to read an answer, stops, and reads on once it is told to; gives how many pieces came, in order, and whether all did. */
function readSlowly(node, secret, agent, { begun, goOn }) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    const asked = request(`${node.url}${PATH}`, { method: 'POST', agent, headers }, (response) => {
      const answer = { status: response.statusCode, pieces: 0, whole: false };
      let rest = '';
      let hasBegun = false;
      response.setEncoding('latin1');
      response.on('data', (text) => {
        rest += text;
        let end = rest.indexOf('\n\n');
        while (end >= 0) {
          const expected = `"content":"${String(answer.pieces).padStart(8, '0')} `;
          const event = rest.slice(0, end);
          if (event.includes(expected)) answer.pieces += 1;
          answer.whole ||= event.includes('[DONE]');
          rest = rest.slice(end + 2);
          end = rest.indexOf('\n\n');
        }
        if (hasBegun) return;
        hasBegun = true;
        response.pause();
        begun();
        goOn.then(() => response.resume());
      });
      response.on('end', () => resolve(answer)).on('error', reject);
    });
    asked.on('error', reject);
    const body = { model: 'smart', stream: true, messages: [{ role: 'user', content: 'What is this?' }] };
    asked.end(JSON.stringify(body));
  });
}

/** F14S: a thousand streams at once whose readers stop after the first piece, and later read on. */
async function slowReaders(site) {
  const state = { sent: 0 };
  const models = await modelServer((_, response) => void flood(state, response).catch(() => response.destroy()));
  site.leave = () => models.close();
  const { node, secret } = await pointed(site, models, models, { max_retries: 0 });
  const idle = node.rss();
  const agent = new Agent({ maxSockets: Infinity, keepAlive: false });
  let begun = 0;
  let go;
  const goOn = new Promise((resolve) => (go = resolve));
  const all = Array.from({ length: STREAMS }, () => readSlowly(node, secret, agent, { begun: () => (begun += 1), goOn }));
  // Until every answer has begun and no model gets on any more.
  let [before, since] = [-1, performance.now()];
  while (begun < STREAMS || before !== state.sent || performance.now() - since < REST_MS) {
    if (before !== state.sent) [before, since] = [state.sent, performance.now()];
    await pause(100);
    assert.ok(node.running, `the process ended:\n${node.tail()}`);
  }
  const held = (node.rss() - idle) / STREAMS;
  site.figure('pieces sent while nobody read', state.sent);
  go();
  const answers = await Promise.all(all);
  const whole = answers.filter(({ status, pieces, whole }) => status === 200 && pieces === PIECES && whole).length;
  site.promise('answers read whole', whole, whole === STREAMS);
  site.promise('memory for each while nobody reads, MiB', held, held <= EACH_MIB);
  site.figure('memory after, MiB', node.rss());
  const { first } = await logged(node);
  const complete = first.calls - first.failed - first.partial;
  site.promise('calls in the log, complete', complete, complete === STREAMS && first.calls === STREAMS);
  site.promise('tokens in the log', first.usage.output, first.usage.output === STREAMS * PIECES);
  await node.stop();
}

export const scenarios = [
  { name: 'F14', title: 'a provider of models fails in every way', engines: BOTH, play: providerFaults },
  { name: 'F14S', title: 'a thousand streams whose readers do not read', engines: BOTH, play: slowReaders },
];
