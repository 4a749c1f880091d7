#!/usr/bin/env node
// Calls every operation of a fresh server with what its OpenAPI document allows and with what it forbids (schemathesis),
// and fails on a server error or on an answer that the document doesn't describe.
//
//   node scripts/fuzz-api.mjs          on SQLite, or on Postgres beside scripts/with-postgres
//
// WEFT_BINARY is the binary, target/release/weft unless given. The calls are the same each time as long as the document is:
// a failure can be repeated. MAX_EXAMPLES=300 looks longer.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server } from '../end2end/server.mjs';

const HOOKS = join(import.meta.dirname, 'fuzz_hooks.py');
const SCHEMATHESIS = join(import.meta.dirname, '..', 'target', 'tools', 'schemathesis', 'bin', 'schemathesis');
const MAX_EXAMPLES = Number(process.env.MAX_EXAMPLES ?? 30);
const LONGEST_ANSWER_S = 40; // `wait_ms` of a run that is started may be 30 s, and a run may last longer than that.
const GIVE_UP_AFTER_MS = 8 * 60_000; // An access token lives 10 minutes, and each pass has its own.

// These end the sign-in that calls them, or take its rights away: they come last and with a token of their own.
// Once they have worked, 401 and 403 are the right answers, and the document has them.
const END_THE_CALLER = ['auth_log_out', 'auth_revoke_login_session', 'users_change_role'];

// Left out: positive_data_acceptance. A cursor that no list gave, a wrong current password, or a draft that the checker
// refuses fits every schema and is rightly answered 422; the check takes that for a fault.
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
  'use_after_free',
  'ensure_resource_availability',
];

/** Texts that have broken servers before: Postgres refuses U+0000, `like` reads % and _, and so on. */
const HOSTILE = ['\0', 'a\0@example.org', '%', '_', '\\', "' or 1=1 --", '\u202e', '{{ inputs', '../..', '9'.repeat(30)];

/** A step that does nothing, and one that keeps its run going for an hour. */
const DONE = { id: 'done', kind: 'transform', config: { value: { done: true } } };
const LONG = { id: 'long', kind: 'wait', config: { ms: 3_600_000 } };

/** Makes one of each thing, and returns the ids by what names them in a path. */
async function furnish(server, token) {
  const post = (path, body, headers) => server.api('POST', `/api/v1${path}`, { token, body, headers });
  const put = (path, body) => server.api('PUT', `/api/v1${path}`, { token, body });
  const workflows = [];
  const runs = [];
  for (const [name, step] of [['Quick', DONE], ['Long', LONG]]) {
    const { id } = await post('/workflows', { weft: 1, name, steps: [step] });
    await post(`/workflows/${id}/publish`);
    workflows.push(id);
  }
  runs.push((await post(`/workflows/${workflows[0]}/execute?wait_ms=10000`, { inputs: {} })).id);
  for (let count = 0; count < 3; count += 1) {
    runs.push((await post(`/workflows/${workflows[1]}/execute`, { inputs: {} })).run_id);
  }
  await put('/memory/team%2Fnotes/first', { content: 'A thought.', tags: ['a'], metadata: { by: 'hand' } });
  await put('/memory/team%2Fnotes/first', { content: 'A better thought.', value: { n: 1 } });
  const { link } = await post('/users', { email: 'grace@example.org', role: 'builder' });
  const invitation = new URL(link).searchParams.get('token');
  const acceptance = { token: invitation, name: 'Grace Hopper', password: 'a compiler in the attic' };
  await server.api('POST', '/api/v1/invites/accept', { body: acceptance });
  const people = (await server.api('GET', '/api/v1/users', { token })).items;
  const { invite } = await post('/users', { email: 'katherine@example.org', role: 'viewer' });
  const users = people.filter((person) => person.email === 'grace@example.org').map((person) => person.id);
  return { workflows, runs, users, invites: [invite.id], namespaces: ['team/notes', 'team'], keys: ['first'] };
}

/** Schemathesis' own settings: paths mostly name things that exist, else nearly every answer would be 404. */
function settings(ids) {
  const lines = ['generation.with-security-parameters = false', 'checks.enabled = false'];
  lines.push(`request-timeout = ${LONGEST_ANSWER_S}`);
  lines.push(...CHECKS.map((check) => `checks.${check}.enabled = true`));
  lines.push('generation.dictionaries.string = { dictionary = "hostile", probability = 0.1 }');
  for (const [name, values] of Object.entries({ ...ids, hostile: HOSTILE })) {
    lines.push(`[dictionaries.${name}]`, `values = ${JSON.stringify(values)}`);
  }
  const mostly = (operations, names) => {
    lines.push('[[operations]]', `include-path-regex = '${operations}'`);
    for (const [place, name] of Object.entries(names)) {
      lines.push(`parameters."path.${place}" = { dictionary = "${name}", probability = 0.7 }`);
    }
  };
  mostly('^/api/v1/workflows/\\{id\\}', { id: 'workflows' });
  mostly('^/api/v1/runs/\\{id\\}', { id: 'runs' });
  mostly('^/api/v1/users/\\{id\\}', { id: 'users' });
  mostly('^/api/v1/users/invites/\\{id\\}', { id: 'invites' });
  mostly('^/api/v1/memory/\\{namespace\\}', { namespace: 'namespaces', key: 'keys' });
  // In YAML `port: true` is text where text is expected, as people write it, and an unknown format number is a draft with a
  // problem. Schemathesis sends these both JSON and YAML; that JSON is strict, tests/it/http/conformance.rs shows.
  lines.push('[[operations]]', 'include-operation-id = ["workflows_create", "workflows_put", "workflows_check"]');
  lines.push('checks.negative_data_rejection.enabled = false');
  return `${lines.join('\n')}\n`;
}

/** Runs schemathesis; its report is shown when it found something. Returns the number of calls. */
async function pass(server, config, token, selection) {
  const args = ['--config-file', config, 'run', `${server.url}/api/openapi.json`, '--no-color', '--continue-on-failure'];
  args.push('--max-examples', String(MAX_EXAMPLES), '--generation-deterministic');
  args.push('--header', `Authorization: Bearer ${token}`, ...selection);
  // In the server's folder, where everything that it writes is removed with the rest.
  const child = spawn(SCHEMATHESIS, args, {
    cwd: server.folder,
    env: { ...process.env, SCHEMATHESIS_HOOKS: HOOKS },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: GIVE_UP_AFTER_MS,
  });
  let report = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (report += text));
  const [code] = await once(child, 'close');
  if (code !== 0 || process.env.VERBOSE) console.error(report);
  assert.ok(code === 0, 'the API does not answer as its document says; the report stands above');
  return Number(/(\d+) generated/.exec(report)?.[1] ?? 0);
}

async function main() {
  const began = performance.now();
  const server = await Server.start();
  try {
    await server.setUp();
    const token = await server.token();
    const config = join(server.folder, 'schemathesis.toml');
    writeFileSync(config, settings(await furnish(server, token)));
    let calls = await pass(server, config, token, END_THE_CALLER.flatMap((name) => ['--exclude-operation-id', name]));
    const me = await server.api('GET', '/api/v1/me', { token });
    assert.equal(me.role, 'owner', 'a call took the rights of the account that calls: it belongs to the last pass');
    const last = END_THE_CALLER.flatMap((name) => ['--include-operation-id', name]);
    calls += await pass(server, config, await server.token(), [...last, '--phases', 'coverage,fuzzing']);
    await server.stop();
    console.log(`==> ${calls} calls, each answered as the document says, in ${Math.round((performance.now() - began) / 1000)} s`);
  } finally {
    await server.discard();
  }
}

await main().catch((error) => {
  console.error(`fuzz: ${error.message}`);
  process.exitCode = 1;
});
