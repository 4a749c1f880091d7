// A page that is asked for while what it shows changes: what the server drew and what the browser goes on with are one.
// A difference between the two ends in an exception, which fails the story.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { expectAccessible, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** How often each page is opened. */
const LOOKS = Number(process.env.LOOKS ?? 12);

/** Steps that fail and are tried again, all the time: the reasons to wait are others at each look. */
const restless = {
  weft: 1,
  name: 'Restless',
  inputs: { type: 'object', properties: { nothing: { type: 'object' } } },
  steps: Array.from({ length: 5 }, (_, at) => ({
    id: `step_${at}`,
    kind: 'memory_write',
    config: { namespace: 'restless', key: 'none', content: '{{ inputs.nothing.there }}' },
    retry: { max_attempts: 100, initial_ms: 1000, factor: 1, max_ms: 1000, jitter: true, only: ['expression'] },
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

/** The server draws moments in UTC; a page that is awake knows the person's zone. */
const awake = (page) => page.waitForFunction(() => {
  const moments = [...document.querySelectorAll('main time')];
  return moments.length > 0 && moments.every((moment) => !moment.textContent.endsWith('UTC'));
});

story('the page of a run in motion wakes up whole, however often it is opened', { timeoutMs: 600_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', restless);
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const run = await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });
  const ada = await visitor();
  await arrive(ada, '/');
  await look(ada, `/runs/${run.run_id}`, awake);
  await look(ada, `/runs/${run.run_id}?view=graph&step=step_0`, awake);
  await call('POST', `/api/v1/runs/${run.run_id}/cancel`);
  await look(ada, `/runs/${run.run_id}`, awake);
});

story('what is typed and pressed before the program has come is done once it is there', async ({ server, visitor }) => {
  await server.setUp();
  await server.api('PUT', '/api/v1/memory/notes/slow', { token: await server.token(), body: { content: 'a slow line' } });
  const ada = await visitor();
  await arrive(ada, '/account');

  const list = await ada.open('/workflows', { asleepMs: 1_500 });
  const press = list.getByRole('button', { name: 'Import', exact: true });
  await press.click();
  assert.equal(await list.locator('html[data-awake]').count(), 0, 'it was pressed before');
  assert.equal(await press.getAttribute('data-held'), '', 'and shows that it waits');
  await list.getByRole('dialog', { name: 'Import a workflow' }).getByLabel('Text of the file').fill('weft: 1');
  assert.equal(await press.getAttribute('data-held'), null);

  const search = await ada.open('/memory', { asleepMs: 1_500 });
  await search.getByRole('searchbox').first().fill('slow');
  assert.equal(await search.locator('html[data-awake]').count(), 0, 'it was typed before');
  await search.getByText(/1 found in/).waitFor();
  assert.equal(await search.getByRole('searchbox').first().inputValue(), 'slow');
});

story('the page of a trigger that fires meanwhile wakes up whole, and texts of every shape do', { timeoutMs: 600_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', { weft: 1, name: 'Quick', steps: [{ id: 'a', kind: 'transform', config: { value: 1 } }] });
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const { trigger } = await call('POST', '/api/v1/triggers', { workflow_id: workflow.id, name: 'Hook', config: { kind: 'webhook' } });
  let fires = true;
  const firing = (async () => {
    while (fires) {
      await call('POST', `/api/v1/triggers/${trigger.id}/fire`, {});
      await pause(40);
    }
  })();
  const ada = await visitor();
  await arrive(ada, '/');
  await look(ada, `/triggers/${trigger.id}`, awake);
  fires = false;
  await firing;

  // A browser drops the line break that some elements begin with; the page must find its text all the same.
  await call('PUT', '/api/v1/memory/shapes/breaks', { content: '```\n\n```\n\n```\n\n\nb\n```\n\n<b>c</b> \u202Ed' });
  const page = await ada.open('/memory?at=shapes&key=breaks');
  await awake(page);
  await page.getByRole('tab', { name: 'Versions' }).click();
  await page.getByText('Version 1').waitFor();
});

story('a part of the program that does not come is asked for again', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  await arrive(ada, '/account');
  // What is refused is told to the console by the browser, and by the loader.
  ada.allow(/\.bin\b|ERR_FAILED|Failed to fetch/);

  // A page that is there already stays as it is, and wakes once the part comes; what was pressed is done then.
  const page = await ada.context.newPage();
  let refused = 0;
  await page.route('**/*.bin', (route) => (++refused <= 3 ? route.abort() : route.continue()));
  await page.asleep.goto('/workflows', { waitUntil: 'commit' });
  const press = page.getByRole('button', { name: 'Import', exact: true });
  await press.click();
  await page.getByRole('dialog', { name: 'Import a workflow' }).waitFor();
  assert.ok(refused > 3, 'it was asked for again');
  await page.keyboard.press('Escape');

  // Who follows a link to a page that can't be loaded is told, and gets there once it can.
  await page.unroute('**/*.bin');
  await page.route('**/*.bin', (route) => route.abort());
  await page.getByRole('link', { name: 'Memory', exact: true }).first().click();
  await page.getByRole('heading', { name: 'This page did not load' }).waitFor();
  await expectAccessible(page);
  await page.unroute('**/*.bin');
  await page.getByRole('link', { name: 'Load again' }).click();
  await page.getByRole('heading', { level: 1, name: 'Memory' }).waitFor();
});
