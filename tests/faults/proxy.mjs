// A network between Weft and Postgres that misbehaves: a proxy on a Unix socket that knows enough of the protocol to see a
// commit go by.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Proxy {
  /** Milliseconds that each piece of an answer takes longer. */
  delay = 0;
  /** Nothing gets through; connections stay open, as behind a firewall that drops everything. */
  blackhole = false;
  /** Every so many commits the answer is lost and the connection cut; 0 for never. */
  dropEvery = 0;
  commits = 0;
  dropped = 0;
  #pairs = new Set();

  async open(folder) {
    this.folder = mkdtempSync(join(tmpdir(), 'weft-proxy-'));
    const target = join(folder, '.s.PGSQL.5432');
    this.server = createServer((client) => this.#join(client, target));
    this.server.listen(join(this.folder, '.s.PGSQL.5432'));
    await once(this.server, 'listening');
    return this;
  }

  #join(client, target) {
    const server = connect(target);
    const pair = { client, server, losing: false, held: [] };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    const scan = new Scanner((isCommit) => {
      if (!isCommit) return;
      this.commits += 1;
      if (this.dropEvery > 0 && this.commits % this.dropEvery === 0) pair.losing = true;
    });
    client.on('data', (data) => {
      if (this.blackhole) return pair.held.push(() => server.write(data));
      scan.take(data);
      server.write(data);
    });
    server.on('data', (data) => {
      if (pair.losing) {
        // The database has answered: the commit is done, and nobody will know.
        this.dropped += 1;
        return end();
      }
      if (this.blackhole) return pair.held.push(() => client.write(data));
      if (this.delay > 0) return setTimeout(() => client.write(data), this.delay);
      client.write(data);
    });
  }

  /** Lets through what was held back. */
  heal() {
    this.blackhole = false;
    for (const pair of this.#pairs) for (const pass of pair.held.splice(0)) pass();
  }

  /** Cuts every connection. */
  cut() {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#pairs.clear();
  }

  close() {
    this.cut();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Reads the messages of a client, and says of each whether it makes something durable: a commit, or a statement that writes
 * and is its own transaction. */
class Scanner {
  #rest = Buffer.alloc(0);
  #begun = false;
  #open = false;
  #writes = new Set();

  constructor(see) {
    this.see = see;
  }

  take(data) {
    this.#rest = Buffer.concat([this.#rest, data]);
    while (!this.#begun) {
      // The first messages have no letter before their length: perhaps a question for TLS, then the start.
      if (this.#rest.length < 8 || this.#rest.length < this.#rest.readUInt32BE(0)) return;
      this.#begun = this.#rest.readUInt32BE(4) !== 80877103;
      this.#rest = this.#rest.subarray(this.#rest.readUInt32BE(0));
    }
    while (this.#rest.length >= 5 && this.#rest.length >= 1 + this.#rest.readUInt32BE(1)) {
      const length = 1 + this.#rest.readUInt32BE(1);
      this.see(this.#look(String.fromCharCode(this.#rest[0]), this.#rest.toString('latin1', 5, length)));
      this.#rest = this.#rest.subarray(length);
    }
  }

  #look(kind, body) {
    if (kind === 'Q') {
      const isCommit = /^commit/i.test(body);
      if (/^begin/i.test(body)) this.#open = true;
      if (isCommit || /^rollback/i.test(body)) this.#open = false;
      return isCommit;
    }
    const [first, second] = body.split('\0', 2);
    // A statement under its name, and later its use.
    if (kind === 'P' && /^\s*(with|insert|update|delete)\b/i.test(second) && /\b(insert|update|delete)\b/i.test(second)) this.#writes.add(first);
    return kind === 'B' && !this.#open && this.#writes.has(second);
  }
}
