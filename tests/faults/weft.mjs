// The real binary, as many processes of it as a scenario needs, on one database.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../end2end/port.mjs';

const READY_WITHIN_MS = 60_000;
const OWNER = { email: 'ada@example.org', password: 'correct horse battery staple' };
/** An access token lives ten minutes. */
const TOKEN_MS = 5 * 60_000;

/** What the processes of one scenario share: a folder, a database, a master key, a sign-in. */
export class Cluster {
  nodes = [];
  #token;
  #until = 0;

  constructor({ database, binary, folder, env = {} }) {
    this.folder = mkdtempSync(join(folder ?? tmpdir(), 'weft-faults-'));
    this.database = database;
    this.binary = binary;
    this.env = env;
  }

  /** A process that is not running yet. On SQLite there can be one. */
  async node({ env = {}, binary = this.binary, url, dataDir } = {}) {
    const node = new Node(this, this.nodes.length, await freePort(), binary, { env, url, dataDir });
    this.nodes.push(node);
    return node;
  }

  async token(node) {
    if (Date.now() > this.#until) {
      const answer = await node.call('POST', '/api/v1/login', { body: OWNER, token: null, timeout: 30_000 });
      assert.equal(answer.status, 200, `signing in answered ${answer.status}: ${answer.text}`);
      this.#token = answer.json.access_token;
      this.#until = Date.now() + TOKEN_MS;
    }
    return this.#token;
  }

  /** The token is of no more use. */
  forget() {
    this.#until = 0;
  }

  async discard() {
    for (const node of this.nodes) if (node.running) await node.kill();
    if (process.env.KEEP) process.stderr.write(`kept: ${this.folder}\n`);
    else rmSync(this.folder, { recursive: true, force: true });
  }

  get environment() {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      LANG: 'C.UTF-8',
      WEFT_MASTER_KEY_FILE: join(this.folder, 'master.key'),
      WEFT_ADMIN_EMAIL: OWNER.email,
      WEFT_ADMIN_PASSWORD: OWNER.password,
      WEFT_ALLOW_PRIVATE: '127.0.0.1/32',
      WEFT_LOG_FORMAT: 'text',
      // They stand behind one address, which tokens name.
      WEFT_PUBLIC_URL: 'http://127.0.0.1:3000',
      ...this.env,
    };
  }
}

export class Node {
  #process;
  #cluster;
  #more;

  constructor(cluster, index, port, binary, more) {
    this.#cluster = cluster;
    this.#more = more;
    this.binary = binary;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.logPath = join(cluster.folder, `node${index}.log`);
    this.dataDir = more.dataDir ?? join(cluster.folder, cluster.database.isShared ? `data${index}` : 'data');
  }

  get pid() {
    return this.#process.pid;
  }

  get running() {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Starts the process; returns without waiting. */
  launch() {
    assert.ok(!this.running, 'the process is running already');
    mkdirSync(this.dataDir, { recursive: true });
    const log = openSync(this.logPath, 'a');
    const url = this.#more.url ?? this.#cluster.database.url;
    const env = {
      ...this.#cluster.environment,
      WEFT_ADDR: `127.0.0.1:${this.port}`,
      WEFT_DATA_DIR: this.dataDir,
      ...(url && { WEFT_DATABASE_URL: url }),
      ...this.#more.env,
    };
    this.#process = spawn(this.binary, ['serve'], { cwd: this.#cluster.folder, env, stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Starts the process and waits until it is ready; returns the milliseconds that took. */
  async start() {
    const began = performance.now();
    this.launch();
    await this.ready();
    return performance.now() - began;
  }

  async ready(within = READY_WITHIN_MS) {
    const began = performance.now();
    for (;;) {
      assert.ok(this.running, `the process ended at its start:\n${this.tail()}`);
      const answer = await this.call('GET', '/readyz', { token: null, timeout: 2_000 }).catch(() => undefined);
      if (answer?.status === 200) return;
      assert.ok(performance.now() - began < within, `not ready after ${within} ms:\n${this.tail()}`);
      await pause(10);
    }
  }

  signal(name) {
    this.#process.kill(name);
  }

  /** Ends the process as a power cut would. */
  async kill() {
    assert.ok(this.running, `the process ended by itself:\n${this.tail()}`);
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGCONT');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Asks the process to end; returns the milliseconds that took, and its exit code. */
  async stop(within = 40_000) {
    const began = performance.now();
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const outcome = await Promise.race([ended, pause(within, undefined, { ref: false })]);
    assert.ok(outcome, `the process still ran ${within} ms after SIGTERM:\n${this.tail()}`);
    return { ms: performance.now() - began, code: outcome[0] };
  }

  /** Resident memory in MiB. */
  rss() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
  }

  /** One call, whatever comes of it; fails only when no answer comes. A sign-in that ran out is made anew. */
  async call(method, path, options = {}) {
    const answer = await this.#call(method, path, options);
    if (answer.status !== 401 || options.token !== undefined) return answer;
    this.#cluster.forget();
    return this.#call(method, path, options);
  }

  async #call(method, path, { body, token, headers = {}, timeout = 15_000 }) {
    const began = performance.now();
    const bearer = token === undefined ? await this.#cluster.token(this) : token;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined, retryAfter, ms: performance.now() - began };
  }

  /** One call that must work. */
  async api(method, path, options = {}) {
    const answer = await this.call(method, path, options);
    assert.ok(answer.status < 300, `${method} ${path} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    return answer.json;
  }

  /** Makes and publishes a workflow; returns its id. */
  async publish(definition) {
    const { id } = await this.api('POST', '/api/v1/workflows', { body: { weft: 1, ...definition } });
    await this.api('POST', `/api/v1/workflows/${id}/publish`);
    return id;
  }

  tail() {
    return readFileSync(this.logPath, 'utf8').split('\n').slice(-30).join('\n');
  }
}
