// An empty database for a scenario: SQLite in the cluster's folder, or one of the throw-away Postgres of scripts/with-postgres.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = dirname(dirname(import.meta.dirname));
const PYTHON = `
import json, sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as db:
    print(json.dumps([[str(c) if isinstance(c, bytes) else c for c in row] for row in db.execute(sys.argv[2]).fetchall()]))
`;

/** The file in a node's data folder; looked at from outside only while nobody has it open, or to read. */
export class Sqlite {
  isShared = false;
  engine = 'sqlite';

  async sql(text, node) {
    const { stdout } = await run('python3', ['-c', PYTHON, join(node.dataDir, 'weft.db'), text], { maxBuffer: 1 << 26 });
    return JSON.parse(stdout);
  }

  async drop() {}
}

export class Postgres {
  isShared = true;
  engine = 'postgres';

  static async create() {
    const admin = process.env.WEFT_TEST_POSTGRES_URL;
    assert.ok(admin, 'run beside scripts/with-postgres');
    const database = new Postgres();
    database.name = `weft_fault_${randomBytes(6).toString('hex')}`;
    database.admin = admin;
    database.url = admin.replace(/\/[^/?]*(\?.*)?$/, `/${database.name}$1`);
    /** The folder of the cluster, which has the socket and the data. */
    database.folder = decodeURIComponent(/@([^/:]+)/.exec(admin)[1]);
    await run('psql', [admin, '-qc', `create database ${database.name}`]);
    return database;
  }

  /** The same database through another socket folder. */
  through(folder) {
    return this.url.replace(/@[^/]+/, `@${folder.replaceAll('/', '%2F')}`);
  }

  /** Rows as arrays of texts. */
  async sql(text) {
    const { stdout } = await run('psql', [this.url, '-XqAt', '-F', '\t', '-c', text], { maxBuffer: 1 << 26 });
    return stdout.split('\n').filter((line) => line !== '').map((line) => line.split('\t'));
  }

  /** Moves the tables into a folder that is not there yet. Whoever calls this calls `leave` before the folder goes. */
  async moveTo(folder) {
    const { uid, gid } = statSync(join(this.folder, 'data'));
    mkdirSync(folder);
    chownSync(folder, uid, gid);
    this.space = `${this.name}_space`;
    await run('psql', [this.admin, '-qc', `create tablespace ${this.space} location '${folder}'`]);
    await run('psql', [this.admin, '-qc', `alter database ${this.name} set tablespace ${this.space}`]);
  }

  async leave() {
    await this.drop();
    if (this.space) await run('psql', [this.admin, '-qc', `drop tablespace ${this.space}`]);
  }

  /** Cuts every connection of Weft's; returns how many there were. */
  async terminateAll() {
    const cut = `select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '${this.name}' and pid <> pg_backend_pid()`;
    return Number((await run('psql', [this.admin, '-XqAtc', cut])).stdout);
  }

  /** Restarts the server, as an operator or a crash (`immediate`) would; returns when it takes connections again. */
  restart(mode = 'fast') {
    const bin = execFileSync(join(root, 'scripts', 'with-postgres'), ['--bin-dir'], { encoding: 'utf8' }).trim();
    const data = join(this.folder, 'data');
    const { uid, gid } = statSync(data);
    const options = process.getuid() === 0 ? { uid, gid } : {};
    const env = { PATH: process.env.PATH, HOME: this.folder, LC_ALL: 'C' };
    execFileSync(join(bin, 'pg_ctl'), ['restart', '-D', data, '-m', mode, '-w', '-t', '60', '-l', join(this.folder, 'server.log'), '-s'], {
      cwd: this.folder,
      env,
      stdio: 'ignore',
      ...options,
    });
  }

  async drop() {
    await run('psql', [this.admin, '-qc', `drop database if exists ${this.name} with (force)`]);
  }
}
