// A page that is asked for while what it shows changes: what the server drew and what the browser goes on with are one.
// A difference between the two ends in an exception, which fails the story.

import assert from 'node:assert/strict';
import { story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** How often each page is opened. */
const LOOKS = Number(process.env.LOOKS ?? 30);

/** Steps that fail and are tried again, all the time: the reasons to wait are others at each look. */
const restless = {
  weft: 1,
  name: 'Restless',
  inputs: { type: 'object', properties: { nothing: { type: 'object' } } },
  steps: Array.from({ length: 5 }, (_, at) => ({
    id: `step_${at}`,
    kind: 'memory_write',
    config: { namespace: 'restless', key: 'none', content: '{{ inputs.nothing.there }}' },
    retry: { max_attempts: 100, initial_ms: 300, factor: 1, max_ms: 300, jitter: true, only: ['expression'] },
    position: { x: 40 + 280 * (at % 4), y: 40 + 128 * Math.floor(at / 4) },
  })),
};

/** Opens a path often; the page must come to life each time, and stay whole. */
async function look(person, path, alive) {
  const page = await person.open(path);
  for (let seen = 0; seen < LOOKS; seen += 1) {
    await page.goto(path);
    await alive(page);
    assert.deepEqual(person.unexpected(), [], `${path}, look ${seen + 1}`);
  }
  await page.close();
}

const awake = (page) => page.locator('.live:not([data-state])').first().waitFor({ state: 'attached' });

story('the page of a run in motion wakes up whole, however often it is opened', { timeoutMs: 600_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', restless);
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const begin = () => call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });
  const run = await begin();
  if (process.env.PEEK) for (let i = 0; i < 30; i += 1) console.log(JSON.stringify(await call('GET', `/api/v1/runs/${run.run_id}/waiting`)));
  const ada = await visitor();
  await arrive(ada, '/');
  await look(ada, `/runs/${run.run_id}`, async (page) => {
    await awake(page);
    await page.locator('.gantt-now').waitFor({ state: 'attached' });
  });
  await look(ada, `/runs/${run.run_id}?view=graph&step=again`, awake);
  await call('POST', `/api/v1/runs/${run.run_id}/cancel`);
  await look(ada, `/runs/${run.run_id}`, awake);
});
