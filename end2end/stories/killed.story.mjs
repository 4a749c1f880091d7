// The power goes while a run works: nothing is lost, nothing is done twice, and whoever watches sees it go on.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expectAccessible, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** Each step writes a line; the second goes on for as long as the file `hold` is missing. */
const definition = (folder) => ({
  weft: 1,
  name: 'Survives a power cut',
  steps: [
    {
      id: 'before',
      kind: 'shell',
      name: 'Before the cut',
      config: { script: 'echo before >> done', interpreter: '/bin/sh', cwd: folder },
    },
    {
      id: 'during',
      kind: 'shell',
      name: 'During the cut',
      config: {
        script: 'echo started >> attempts; i=0; while [ ! -e go ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done; echo during >> done',
        interpreter: '/bin/sh',
        cwd: folder,
      },
      retry: { max_attempts: 3, initial_ms: 100, factor: 1.0, max_ms: 100, jitter: false },
    },
    {
      id: 'after',
      kind: 'shell',
      name: 'After the cut',
      config: { script: 'echo after >> done; cat done', interpreter: '/bin/sh', cwd: folder },
    },
  ],
  edges: [
    { from: 'before', to: 'during' },
    { from: 'during', to: 'after' },
  ],
});

const lines = (path) => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []);

story('a run survives the server being killed in the middle of a step', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const { id } = await server.api('POST', '/api/v1/workflows', { body: definition(server.folder), token });
  await server.api('POST', `/api/v1/workflows/${id}/publish`, { token });
  const run = await server.api('POST', `/api/v1/workflows/${id}/execute`, { body: { inputs: {} }, token });

  const ada = await visitor();
  const page = await arrive(ada, `/runs/${run.run_id}`);
  const row = (name) => page.locator('.gantt-row', { hasText: name });
  await row('During the cut').locator('[data-status="running"]').first().waitFor();
  const attempts = join(server.folder, 'attempts');
  for (let i = 0; i < 100 && lines(attempts).length === 0; i++) await pause(50);
  assert.deepEqual(lines(attempts), ['started']);

  ada.allow(/ERR_CONNECTION_REFUSED|WebSocket|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/);
  await server.kill();
  const lost = page.getByText('The connection is lost. Reconnecting…');
  await lost.waitFor();
  await expectAccessible(page);
  const ms = await server.restart();
  assert.ok(ms < 10_000, `ready again after ${ms} ms`);

  // No reload: the page finds its way back by itself and sees the step tried again.
  await lost.waitFor({ state: 'detached', timeout: 30_000 });
  for (let i = 0; i < 600 && lines(attempts).length < 2; i++) await pause(50);
  assert.deepEqual(lines(attempts), ['started', 'started'], 'the interrupted attempt is made once more');
  writeFileSync(join(server.folder, 'go'), '');
  await page.locator('.page-head .status').getByText('Succeeded').waitFor({ timeout: 30_000 });
  assert.deepEqual(lines(join(server.folder, 'done')), ['before', 'during', 'after'], 'what had ended was not done again');
});
