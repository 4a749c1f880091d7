// Claude Code itself, from npm, pointed at Weft with a key of its own: it answers, reads files, and every call is in the log with its
// cost. It runs in print mode, in an empty home, and whatever it asks for besides Weft meets a closed door, and is counted.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { story } from '../harness.mjs';
import { scripted } from '../models.mjs';

const PRIVATE = { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } };
const CLI = fileURLToPath(import.meta.resolve('@anthropic-ai/claude-code/package.json'));
const ENDED_WITHIN_MS = 60_000;
// It knocks there once at its start, even where traffic that isn't essential is turned off; with the door closed it goes on.
const ITS_MAKER = 'api.anthropic.com:443';

/** A proxy that lets nothing through, and knows who wanted to. */
async function closedDoor() {
  const wanted = [];
  const server = createServer((request, response) => {
    wanted.push(request.url);
    response.writeHead(403).end();
  });
  server.on('connect', (request, socket) => {
    wanted.push(request.url);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return { wanted, url: `http://127.0.0.1:${server.address().port}` };
}

/** An empty home and a folder to work in, which are gone after `body`. */
async function inFolders(body) {
  const folder = mkdtempSync(join(tmpdir(), 'weft-claude-'));
  const folders = { home: join(folder, 'home'), work: join(folder, 'work') };
  Object.values(folders).forEach((path) => mkdirSync(path));
  try {
    await body(folders);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks Claude Code once in print mode: how it ended, and what it tells of that. */
async function claude({ home, work }, { base, secret, model, prompt, flags = [] }) {
  const door = await closedDoor();
  const child = spawn(process.execPath, [join(dirname(CLI), 'cli.js'), '-p', prompt, '--model', model, '--output-format', 'json', ...flags], {
    cwd: work,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: ENDED_WITHIN_MS,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      LANG: 'C.UTF-8',
      ANTHROPIC_BASE_URL: base,
      ANTHROPIC_API_KEY: secret,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_MAX_RETRIES: '0', // without it a refused key is tried ten times more, for minutes
      HTTP_PROXY: door.url,
      HTTPS_PROXY: door.url,
      NO_PROXY: '127.0.0.1',
    },
  });
  let [out, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const [code, signal] = await once(child, 'close');
  assert.equal(signal, null, `it did not end within ${ENDED_WITHIN_MS} ms: ${out}${errors}`);
  assert.deepEqual(door.wanted.filter((host) => host !== ITS_MAKER), [], 'it asks nobody but Weft');
  assert.match(out, /^\{/, errors);
  return { code, ...JSON.parse(out) };
}

/** A key for it, and a scripted provider whose model has a price. */
async function pointed(server, kind, answers) {
  const models = await scripted(answers);
  await server.setUp();
  const token = await server.token();
  const base_url = kind === 'anthropic' ? models.bare : models.url;
  const body = { name: 'acme', kind, base_url, credential: 'sk-secret', models: [{ id: 'loom-1' }], limits: { max_retries: 0 } };
  const { id } = await server.api('POST', '/api/v1/providers', { token, body });
  await server.api('POST', `/api/v1/providers/${id}/prices`, { token, body: { model: 'loom-1', input: 3_000_000, output: 15_000_000 } });
  const key = await server.api('POST', '/api/v1/gateway/keys', { token, body: { name: 'Claude Code' } });
  // An answer does not wait until its call is in the log: that is asked for until `count` are there.
  const calls = async (count) => {
    const inLog = async () => (await server.api('GET', `/api/v1/gateway/calls?key=${key.key.id}`, { token })).items;
    const give_up = Date.now() + 10_000;
    let log = await inLog();
    while (log.length < count && Date.now() < give_up) log = await inLog();
    return log;
  };
  return { models, calls, token, ask: { base: `${server.url}/api/v1/gateway/anthropic`, secret: key.secret, model: 'loom-1' } };
}

for (const kind of ['anthropic', 'open_ai_compatible']) {
  story(`Claude Code answers and reads a file through a provider of ${kind}`, PRIVATE, async ({ server }) => {
    await inFolders(async (folders) => {
      const file = join(folders.work, 'pattern.txt');
      writeFileSync(file, 'over, under, over\n');
      const { models, calls, ask } = await pointed(server, kind, [
        { words: 'A loom.' },
        { tool: 'Read', input: { file_path: file } },
        { words: 'It goes over first.' },
      ]);
      const said = await claude(folders, { ...ask, prompt: 'What is this?' });
      assert.deepEqual([said.code, said.is_error, said.result], [0, false, 'A loom.']);

      const flags = ['--allowedTools', 'Read'];
      const read = await claude(folders, { ...ask, prompt: `How does ${file} begin?`, flags });
      assert.deepEqual([read.code, read.is_error, read.result, read.num_turns], [0, false, 'It goes over first.', 2]);
      // What it read went back to the model, as the result of the call that asked for it.
      const back = models.seen.at(-1).messages.at(-1);
      assert.match(JSON.stringify(back), /over, under, over/);

      const log = await calls(models.seen.length);
      assert.equal(log.length, models.seen.length, 'a call in the log for each that was made');
      for (const call of log) {
        assert.deepEqual([call.key, call.source, call.provider, call.model, call.outcome], ['Claude Code', 'proxy', 'acme', 'loom-1', 'complete']);
        assert.deepEqual([call.usage.input, call.usage.output, call.cost_micros], [1000, 10, 3150]);
      }
    });
  });
}

story('Claude Code says what Weft refuses', PRIVATE, async ({ server }) => {
  await inFolders(async (folders) => {
    const { models, ask } = await pointed(server, 'anthropic', [{ words: 'A loom.' }]);
    const unknown = await claude(folders, { ...ask, model: 'loom-2', prompt: 'What is this?' });
    assert.deepEqual([unknown.code, unknown.is_error, unknown.api_error_status], [1, true, 404]);
    assert.match(unknown.result, /loom-2/);

    const stranger = await claude(folders, { ...ask, secret: `${ask.secret.slice(0, -4)}none`, prompt: 'What is this?' });
    assert.deepEqual([stranger.code, stranger.is_error, stranger.api_error_status], [1, true, 401]);
    assert.equal(models.seen.length, 0, 'nobody was asked');
  });
});
