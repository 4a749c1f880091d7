// One Weft server for one story: the binary alone in an empty folder, an empty database, a free port.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './port.mjs';

const run = promisify(execFile);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 15_000;

/** The owner that `setUp` makes. */
export const OWNER = {
  email: 'ada@example.org',
  name: 'Ada Lovelace',
  password: 'correct horse battery staple',
  workspace: 'Analytical engines',
};

/** Creates an empty database beside the given one; `undefined` when the stories run on SQLite. */
async function emptyDatabase() {
  const admin = process.env.WEFT_E2E_DATABASE_URL ?? process.env.WEFT_TEST_POSTGRES_URL;
  if (!admin) return undefined;
  const name = `weft_story_${randomBytes(6).toString('hex')}`;
  await run('psql', [admin, '-qc', `create database ${name}`]);
  return {
    url: admin.replace(/\/[^/?]*(\?.*)?$/, `/${name}$1`),
    drop: () => run('psql', [admin, '-qc', `drop database if exists ${name} with (force)`]),
  };
}

export class Server {
  #process;
  #env;
  #database;
  #binary;

  /** Starts a server and waits until it can serve. `env` adds to its environment. */
  static async start({ env = {} } = {}) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), 'weft-story-'));
    server.dataDir = join(server.folder, 'weft-data');
    server.logPath = join(server.folder, 'server.log');
    server.#binary = join(server.folder, 'weft');
    const binary = resolve(process.env.WEFT_BINARY ?? join(root, 'target', 'release', 'weft'));
    copyFileSync(binary, server.#binary, constants.COPYFILE_FICLONE);
    server.#database = await emptyDatabase();
    const port = await freePort();
    server.url = `http://127.0.0.1:${port}`;
    server.#env = {
      PATH: process.env.PATH,
      HOME: server.folder,
      LANG: 'C.UTF-8',
      WEFT_ADDR: `127.0.0.1:${port}`,
      WEFT_DATA_DIR: server.dataDir,
      ...(server.#database && { WEFT_DATABASE_URL: server.#database.url }),
      ...env,
    };
    await server.restart();
    return server;
  }

  /** Starts the process again on the same data and port, after `kill` or `stop`. Returns the milliseconds until ready. */
  async restart() {
    assert.ok(!this.running, 'the server is running already');
    const began = performance.now();
    const log = openSync(this.logPath, 'a');
    this.#process = spawn(this.#binary, ['serve'], { cwd: this.folder, env: this.#env, stdio: ['ignore', log, log] });
    closeSync(log);
    await once(this.#process, 'spawn');
    while (!(await this.#isReady())) {
      assert.ok(this.running, `the server ended at its start:\n${this.#logTail()}`);
      assert.ok(performance.now() - began < READY_WITHIN_MS, `not ready after ${READY_WITHIN_MS} ms:\n${this.#logTail()}`);
      await pause(25);
    }
    return Math.round(performance.now() - began);
  }

  get running() {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get pid() {
    return this.#process.pid;
  }

  /** Ends the server as a power cut would. */
  async kill() {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Asks the server to end, and insists that it does so in time and calls it a success. */
  async stop() {
    if (!this.running) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const outcome = await Promise.race([ended, pause(STOP_WITHIN_MS, undefined, { ref: false })]);
    assert.ok(outcome, `the server still ran ${STOP_WITHIN_MS} ms after SIGTERM`);
    assert.equal(outcome[0], 0, `exit code after SIGTERM:\n${this.#logTail()}`);
  }

  /** Ends whatever still runs and removes the folder and the database. */
  async discard() {
    if (this.running) await this.kill();
    await this.#database?.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The path of the one-time set-up page, token included. */
  setupPath() {
    return `/setup?token=${encodeURIComponent(this.setupToken())}`;
  }

  /** The one-time token, as the first start left it in the data folder. */
  setupToken() {
    const text = readFileSync(join(this.dataDir, 'setup-token'), 'utf8').trim();
    // The file may hold the whole link, for people to click on.
    return text.startsWith('http') ? new URL(text).searchParams.get('token') : text;
  }

  /** Creates the owner through the API, for stories that begin after that. */
  async setUp(owner = OWNER) {
    await this.api('POST', '/api/v1/setup', { body: { token: this.setupToken(), ...owner } });
    return owner;
  }

  /** Signs in through the API and returns an access token for `api`. */
  async token({ email, password } = OWNER) {
    return (await this.api('POST', '/api/v1/login', { body: { email, password } })).access_token;
  }

  /** Calls the API and returns the answer's JSON (or text). Any other status than 2xx, or than `status`, fails. */
  async api(method, path, { body, token, status, headers = {} } = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'manual',
    });
    const text = await response.text();
    const expected = status === undefined ? response.ok : response.status === status;
    assert.ok(expected, `${method} ${path} answered ${response.status}, expected ${status ?? '2xx'}: ${text.slice(0, 500)}`);
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  }

  async #isReady() {
    const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok ?? false;
  }

  #logTail() {
    return readFileSync(this.logPath, 'utf8').split('\n').slice(-30).join('\n');
  }
}
