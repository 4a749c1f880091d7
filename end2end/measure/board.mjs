#!/usr/bin/env node
// How smooth the board of agents stays while many of them work: frames, long tasks, what is fetched and what comes over the socket.
//
//   WEFT_BINARY=target/release/weft node end2end/measure/board.mjs [--agents 100] [--seconds 20] [--turns 200] [--json]
//
// A server of its own, so many agents, each with a task, and a model server on loopback that answers every call after 0.2 to 0.8 s
// with a search of the memory, in a stream of 40 pieces. So each agent does two or three things a second. A browser looks at
// /agents meanwhile and counts what is told below. No network, and the same random numbers each time.

import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { arrive } from '../people.mjs';
import { Visitor } from '../harness.mjs';
import { Server } from '../server.mjs';

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    turns: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const number = (name, least, most) => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least || value > most) {
    console.error(`--${name}: expected ${least} to ${most}, found ${values[name]}`);
    process.exit(2);
  }
  return value;
};
const [agents, seconds, turns] = [number('agents', 1, 500), number('seconds', 1, 600), number('turns', 1, 200)];

/** Random numbers of 0 to 1, the same each time. */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A model that is busy for as long as it is asked: a search a call, streamed in pieces. */
async function busyModel() {
  const random = chance(7);
  let calls = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', async () => {
      calls += 1;
      const ask = JSON.parse(text || '{}');
      const call = {
        id: `call_${calls}`, type: 'function',
        function: { name: 'memory_search', arguments: JSON.stringify({ query: `looms, part ${calls}` }) },
      };
      const usage = { prompt_tokens: 1000, completion_tokens: 40, total_tokens: 1040 };
      const base = { id: `c${calls}`, created: 1, model: 'big' };
      await pause(200 + random() * 600);
      if (!ask.stream) {
        const message = { role: 'assistant', content: null, tool_calls: [call] };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ...base, object: 'chat.completion', usage, choices: [{ index: 0, finish_reason: 'tool_calls', message }] }));
        return;
      }
      const chunk = (choices, more) => `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let piece = 0; piece < 40 && !response.destroyed; piece += 1) {
        response.write(chunk([{ index: 0, delta: { content: 'look ' }, finish_reason: null }]));
        if (piece % 10 === 9) await pause(20);
      }
      response.write(chunk([{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] }, finish_reason: null }]));
      response.write(chunk([{ index: 0, delta: {}, finish_reason: 'tool_calls' }]));
      response.write(chunk([], { usage }));
      response.end('data: [DONE]\n\n');
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}/v1`, calls: () => calls, close: () => server.close() };
}

/** Counts in the page: frames, long tasks and how long the program was at work in them. */
const watch = () => {
  const seen = { frames: [], long: [] };
  globalThis.weftMeasured = seen;
  new PerformanceObserver((list) => seen.long.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
  let last = performance.now();
  const frame = (now) => {
    seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
};

/** Of numbers, the one that so many of 100 do not exceed. */
function percentile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor((share / 100) * sorted.length))] : 0;
}

const chromiumPath = () => {
  const names = [process.env.WEFT_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean);
  const all = names.flatMap((name) => (name.includes('/') ? [name] : process.env.PATH.split(':').map((folder) => join(folder, name))));
  return all.find((path) => existsSync(path));
};

const model = await busyModel();
const server = await Server.start({ env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } });
const browser = await chromium.launch({ executablePath: chromiumPath(), headless: true, args: ['--headless=new', '--no-sandbox', '--disable-gpu'] });
try {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  await call('POST', '/api/v1/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: model.url, models: [{ id: 'big' }] });
  // A persona of the length that people write.
  const persona = `You look after looms.\n${'Whatever you find out, say where it stands, and what you did not look at. '.repeat(60)}`;
  const made = [];
  for (let n = 0; n < agents; n += 1) {
    const spec = {
      persona, description: `Looks after the looms of hall ${n + 1}.`, tools: ['memory_search'], reads: ['looms'],
      limits: { turns, tokens: 100_000_000, work_ms: 3_600_000 },
    };
    made.push(await call('POST', '/api/v1/agents', { name: `weaver-${String(n + 1).padStart(3, '0')}`, spec }));
  }
  const ada = await Visitor.arrive(browser, server);
  const page = await arrive(ada, '/agents');
  const protocol = await ada.context.newCDPSession(page);
  await protocol.send('Network.enable');
  await protocol.send('Performance.enable');
  const heard = { frames: 0, bytes: 0 };
  const asked = { requests: 0, bytes: 0 };
  protocol.on('Network.webSocketFrameReceived', ({ response }) => {
    heard.frames += 1;
    heard.bytes += response.payloadData.length;
  });
  protocol.on('Network.requestWillBeSent', () => (asked.requests += 1));
  protocol.on('Network.dataReceived', ({ dataLength }) => (asked.bytes += dataLength));
  await Promise.all(made.map((agent) => call('POST', `/api/v1/agents/${agent.id}/tasks`, { prompt: 'Look after your looms.' })));
  await page.getByText(new RegExp(`${agents} tasks? under way`)).waitFor({ timeout: 60_000 });
  await page.evaluate(watch);
  const clock = async () => {
    const { metrics } = await protocol.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const [before, called] = [await clock(), model.calls()];
  Object.assign(heard, { frames: 0, bytes: 0 });
  Object.assign(asked, { requests: 0, bytes: 0 });
  await pause(seconds * 1000);
  const after = await clock();
  const seen = await page.evaluate(() => globalThis.weftMeasured);
  const each = (value) => Math.round((value / seconds) * 10) / 10;
  const figures = {
    agents,
    seconds,
    model_calls_per_s: each(model.calls() - called),
    frames_per_s: each(seen.frames.length),
    frame_ms_p50: Math.round(percentile(seen.frames, 50) * 10) / 10,
    frame_ms_p95: Math.round(percentile(seen.frames, 95) * 10) / 10,
    frame_ms_p99: Math.round(percentile(seen.frames, 99) * 10) / 10,
    frame_ms_most: Math.round(Math.max(0, ...seen.frames)),
    long_tasks: seen.long.length,
    long_tasks_ms: Math.round(seen.long.reduce((sum, ms) => sum + ms, 0)),
    long_task_most_ms: Math.round(Math.max(0, ...seen.long)),
    script_share: Math.round(((after.ScriptDuration - before.ScriptDuration) / seconds) * 1000) / 1000,
    layout_share: Math.round((((after.LayoutDuration - before.LayoutDuration) + (after.RecalcStyleDuration - before.RecalcStyleDuration)) / seconds) * 1000) / 1000,
    socket_frames_per_s: each(heard.frames),
    socket_bytes_per_s: each(heard.bytes),
    requests_per_s: each(asked.requests),
    request_bytes_per_s: each(asked.bytes),
    heap_mb: Math.round(after.JSHeapUsedSize / 1e5) / 10,
    elements: after.Nodes,
  };
  if (values.json) {
    console.log(JSON.stringify(figures));
  } else {
    const widest = Math.max(...Object.keys(figures).map((name) => name.length));
    for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(widest)}  ${value}`);
  }
} finally {
  await browser.close();
  model.close();
  await server.discard();
}
