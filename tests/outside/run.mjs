// Weft between programs that we did not write: the official Python SDKs of OpenAI and Anthropic before it, LiteLLM's proxy behind it, and
// behind that, and beside it, the scripted models of the browser stories. Nothing of it needs a key or the network.
//
//     WEFT_BINARY=target/release/weft node tests/outside/run.mjs VENV
//
// VENV is a virtual environment with requirements.txt. The checks themselves are in sdks.py, which prints a line for each.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { modelServer } from '../../end2end/models.mjs';
import { freePort } from '../../end2end/port.mjs';
import { Server } from '../../end2end/server.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const LITELLM_KEY = 'sk-litellm-1234';
const LITELLM_READY_WITHIN_MS = 180_000;

/** LiteLLM's proxy before the scripted models, and with answers of its own. */
async function litellm(bin, models) {
  const folder = mkdtempSync(join(tmpdir(), 'weft-outside-'));
  const model = (model_name, params) => ({ model_name, litellm_params: { api_key: 'sk-x', ...params } });
  const config = {
    model_list: [
      model('mock', { model: 'hosted_vllm/chat', api_base: `${models.url}/v1` }),
      model('native', { model: 'openai/chat', api_base: `${models.url}/v1` }),
      model('claude', { model: 'anthropic/opus', api_base: models.url }),
      model('vec', { model: 'openai/vec', api_base: `${models.url}/v1` }),
      model('said', { model: 'openai/gpt-mock', mock_response: 'A mocked loom.' }),
      model('fails', { model: 'openai/gpt-mock', mock_response: 'litellm.InternalServerError' }),
      model('limited', { model: 'openai/gpt-mock', mock_response: 'litellm.RateLimitError' }),
    ],
    general_settings: { master_key: LITELLM_KEY },
    litellm_settings: { telemetry: false, num_retries: 0 },
    router_settings: { num_retries: 0, disable_cooldowns: true },
  };
  const path = join(folder, 'config.yaml');
  writeFileSync(path, JSON.stringify(config)); // JSON is YAML
  const port = await freePort();
  const log = [];
  const child = spawn(join(bin, 'litellm'), ['--config', path, '--host', '127.0.0.1', '--port', `${port}`], {
    env: { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8', LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (text) => log.push(text));
  const close = async () => {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const give_up = performance.now() + LITELLM_READY_WITHIN_MS;
  const url = `http://127.0.0.1:${port}`;
  const isReady = () => fetch(`${url}/health/liveliness`).then((response) => response.ok, () => false);
  while (!(await isReady())) {
    if (child.exitCode !== null || performance.now() > give_up) {
      await close();
      throw new Error(`LiteLLM's proxy did not start:\n${log.join('').slice(-4000)}`);
    }
    await pause(200);
  }
  return { url, close };
}

/** Adds every provider, and gives the secret of a key. */
async function setUp(server, models, lite) {
  await server.setUp();
  const token = await server.token();
  const add = (name, kind, base_url, list, more = {}) =>
    server.api('POST', '/api/v1/providers', {
      token,
      body: { name, kind, base_url, models: list.map((id) => ({ id })), limits: { max_retries: 0 }, ...more },
    });
  const behind = ['mock', 'native', 'claude', 'vec', 'said', 'fails', 'limited'];
  const credential = LITELLM_KEY;
  await add('lite', 'open_ai_compatible', `${lite.url}/v1`, behind, { credential });
  await add('litems', 'open_ai_compatible', `${lite.url}/v1`, behind, { credential, responses: true });
  await add('liteanth', 'anthropic', lite.url, behind, { credential });
  await add('acme', 'open_ai_compatible', `${models.url}/v1`, ['chat', 'vec', 'gpt-4o']);
  await add('far', 'open_ai_compatible', `${models.url}/v1`, ['items'], { responses: true });
  await add('local', 'ollama', models.url, ['llama3.2:1b']);
  await add('opus', 'anthropic', models.url, ['opus'], { credential: 'sk-ant-secret' });
  const key = await server.api('POST', '/api/v1/gateway/keys', { token, body: { name: 'outside' } });
  return { token, secret: key.secret };
}

const venv = resolve(process.argv[2] ?? 'target/outside');
const models = await modelServer();
const lite = await litellm(join(venv, 'bin'), models);
let code = 1;
try {
  const server = await Server.start({ env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } });
  try {
    const { token, secret } = await setUp(server, models, lite);
    const child = spawn(join(venv, 'bin', 'python'), [join(HERE, 'sdks.py')], {
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8', GATEWAY: `${server.url}/api/v1/gateway`, GATEWAY_KEY: secret },
      stdio: 'inherit',
    });
    [code] = await once(child, 'exit');
    // Whoever asks gets their answer before it is in the log: the sum is looked at until it stands still.
    const count = async () => (await server.api('GET', '/api/v1/gateway/usage?by=key', { token })).items[0]?.calls ?? 0;
    let [before, now] = [-1, await count()];
    while (now !== before) {
      await pause(300);
      [before, now] = [now, await count()];
    }
    process.stdout.write(`${now} calls in the log\n`);
    if (code !== 0) process.stdout.write(readFileSync(server.logPath, 'utf8').split('\n').slice(-20).join('\n'));
  } finally {
    await server.discard();
  }
} finally {
  await lite.close();
  models.close();
}
process.exit(code ?? 1);
