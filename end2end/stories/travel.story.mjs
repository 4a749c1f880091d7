// Time travel: a run that failed for its inputs is forked with other ones, compared with what came of it, and kept as a test.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** Writes a note, then fails unless the word is right. */
const definition = {
  weft: 1,
  name: 'Needs a word',
  inputs: { type: 'object', required: ['word'], properties: { word: { type: 'string' } } },
  steps: [
    {
      id: 'note',
      kind: 'memory_write',
      name: 'Write it down',
      config: { namespace: 'team', key: 'word', content: 'was asked' },
      position: { x: 40, y: 40 },
    },
    {
      id: 'gate',
      kind: 'shell',
      name: 'Ask at the gate',
      config: { argv: ['/bin/sh', '-c', 'test "$0" = sesame && echo open', '{{ inputs.word }}'] },
      position: { x: 40, y: 168 },
    },
    { id: 'in', kind: 'transform', name: 'Go in', config: { value: { said: '{{ inputs.word }}' } }, position: { x: 40, y: 296 } },
  ],
  edges: [
    { from: 'note', to: 'gate' },
    { from: 'gate', to: 'in' },
  ],
  output: { said: '{{ steps.in.output.said }}' },
};

story('a failed run is forked with other inputs, compared, restarted from a step and kept as a test', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', definition);
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const failed = await call('POST', `/api/v1/workflows/${workflow.id}/execute?wait_ms=30000`, { inputs: { word: 'barley' } });
  assert.equal(failed.status, 'failed');

  const ada = await visitor();
  const page = await arrive(ada, `/runs/${failed.id}`);
  const status = page.locator('.page-head .status');
  await status.getByText('Failed').waitFor();

  // Fork: the form begins with what the run was given.
  await page.getByRole('button', { name: 'Fork…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Edit and run from here' });
  assert.equal(await dialog.getByLabel('Word').inputValue(), 'barley');
  await expectAccessible(page);
  await shot(page, 'fork');
  await dialog.getByLabel('Word').fill('sesame');
  await dialog.getByRole('button', { name: 'Start the fork' }).click();
  await page.waitForURL((url) => /^\/runs\/[0-9a-f-]{36}$/.test(url.pathname) && !url.pathname.includes(failed.id));
  await status.getByText('Succeeded').waitFor({ timeout: 30_000 });
  const forked = page.url().split('/').pop();
  await page.locator('.gantt-row', { hasText: 'Write it down' }).getByText('kept from the run').waitFor();
  await page.locator('.facts').getByText('Forked from').waitFor();
  await shot(page, 'forked');
  const note = await call('GET', '/api/v1/memory/team/word');
  assert.equal(note.version, 1, 'what was done before the fork is not done again');

  // Compare with the run that it comes from.
  await page.locator('.facts').getByRole('link', { name: 'Compare' }).click();
  await page.waitForURL(/\/runs\/compare\?/);
  await page.getByText('They first part at Ask at the gate').waitFor();
  await page.locator('.compare-step[data-first]').getByText('Ask at the gate').waitFor();
  await page.getByRole('region', { name: 'Inputs' }).getByText('sesame').waitFor();
  await expectAccessible(page);
  await shot(page, 'compare');

  // The source links to its fork, and back.
  await page.goto(`/runs/${failed.id}`);
  await page.locator('.facts').getByText('Forks').waitFor();

  // Restart from a step of the good run.
  await page.goto(`/runs/${forked}?step=gate`);
  await page.getByRole('button', { name: 'Run again from this step' }).click();
  await page.getByRole('menuitem', { name: 'Restart from this step' }).click();
  await page.waitForURL((url) => /^\/runs\/[0-9a-f-]{36}$/.test(url.pathname) && !url.pathname.includes(forked));
  await status.getByText('Succeeded').waitFor({ timeout: 30_000 });
  assert.equal((await call('GET', '/api/v1/memory/team/word')).version, 1);

  // Keep it as a test: it passes on the draft.
  await page.getByRole('button', { name: 'More actions for this run' }).click();
  await page.getByRole('menuitem', { name: 'Replay as test…' }).click();
  const replay = page.getByRole('dialog', { name: 'Replay as test' });
  await replay.getByRole('button', { name: 'Replay', exact: true }).click();
  await replay.getByText('Passed: it goes as it was recorded.').waitFor();
  await replay.getByLabel('Keep as a regression test').fill('Opens for the word');
  await replay.getByRole('button', { name: 'Keep this run' }).click();
  await page.getByText('Kept as the test').waitFor();
  await expectAccessible(page);
  await shot(page, 'replay');
  assert.equal((await call('GET', '/api/v1/memory/team/word')).version, 1, 'a replay writes nothing');
});

story('the list cancels and retries what is ticked, and compares two', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const wait = { id: 'w', kind: 'wait', name: 'Wait', config: { ms: 600_000 } };
  const workflow = await call('POST', '/api/v1/workflows', { weft: 1, name: 'Waits', steps: [wait] });
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  for (let run = 0; run < 3; run += 1) await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });

  const ada = await visitor();
  const page = await arrive(ada, '/runs');
  const boxes = page.getByRole('checkbox', { name: 'Choose this run of Waits' });
  await boxes.nth(2).waitFor();
  await boxes.nth(1).check();
  await page.getByRole('button', { name: 'Choose all 3 shown' }).click();
  await page.getByText('3 runs chosen').waitFor();
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await page.getByRole('dialog', { name: 'Cancel 3 runs?' }).getByRole('button', { name: 'Cancel 3 runs' }).click();
  await page.getByText('3 runs cancelled.').waitFor();
  await page.locator('td .status', { hasText: 'Cancelled' }).nth(2).waitFor();

  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await expectAccessible(page);
  await shot(page, 'ticked');
  await page.getByRole('link', { name: 'Compare' }).click();
  await page.waitForURL(/\/runs\/compare\?/);
  await page.getByText('Nothing differs but times.').waitFor();

  await page.goto('/runs');
  await boxes.nth(0).waitFor();
  await boxes.nth(0).check();
  await page.getByRole('region', { name: 'Chosen runs' }).getByRole('button', { name: 'Retry' }).click();
  await page.getByText('1 run retried.').waitFor();
  await page.locator('td .status', { hasText: 'Waiting' }).first().waitFor();
});

story('an output is pinned, a test run goes up to a step, and failing tests are shown before publishing', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const step = (id, name, value, y) => ({ id, kind: 'transform', name, config: { value }, position: { x: 40, y } });
  const steps = [step('a', 'First', 1, 40), step('b', 'Second', '{{ steps.a.output + 1 }}', 168), step('c', 'Third', 3, 296)];
  const edges = [{ from: 'a', to: 'b' }, { from: 'b', to: 'c' }];
  const workflow = await call('POST', '/api/v1/workflows', { weft: 1, name: 'Counts', steps, edges, output: '{{ steps.b.output }}' });
  const run = await call('POST', `/api/v1/workflows/${workflow.id}/execute?wait_ms=30000`, { inputs: {}, test: true });
  await call('POST', `/api/v1/workflows/${workflow.id}/tests`, { run_id: run.id, name: 'Counts to two' });
  await call('PUT', `/api/v1/workflows/${workflow.id}/tests/gate`, { gate: true });

  const ada = await visitor();
  const page = await arrive(ada, `/workflows/${workflow.id}`);
  await page.locator('#step-a').click();
  await page.getByRole('tab', { name: 'Output' }).click();
  await page.getByRole('button', { name: 'Pin this output' }).click();
  await page.getByText('Its output is pinned').waitFor();
  await page.locator('#step-a[data-pinned]').waitFor();
  await shot(page, 'pinned');

  await page.locator('#step-b').click();
  await page.getByRole('button', { name: 'More actions for this step' }).click();
  await page.getByRole('menuitem', { name: 'Run up to here' }).click();
  await page.locator('#step-b[data-status="succeeded"]').waitFor({ timeout: 30_000 });
  await page.locator('#step-c[data-status="skipped"]').waitFor();

  // The draft now counts otherwise: the test says so, and its gate holds.
  await page.locator('#step-a').click();
  await page.getByRole('button', { name: 'Unpin' }).click();
  const draft = await call('GET', `/api/v1/workflows/${workflow.id}`);
  assert.equal(draft.draft.steps.length, 3);
  await page.getByText('Saved', { exact: true }).first().waitFor();
  await call('PUT', `/api/v1/workflows/${workflow.id}`, { ...draft.draft, steps: [step('a', 'First', 7, 40), steps[1], steps[2]] });
  await page.reload();
  await page.getByRole('button', { name: 'Publish v1' }).click();
  const dialog = page.getByRole('dialog', { name: 'Publish v1' });
  await dialog.getByText('Counts to two').waitFor();
  await dialog.getByText(/failed, the output differs/).waitFor();
  await dialog.locator('[aria-disabled="true"]', { hasText: 'Publish v1' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'gated');
  await dialog.getByRole('switch', { name: 'Tests gate publishing' }).click();
  await dialog.getByRole('button', { name: 'Publish v1' }).click();
  await page.getByText('Published v1. New runs use it.').waitFor();
});

story('a run is forked after one of its events, and started again from one item of a map', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const keep = (id, name, key) => ({ id, kind: 'memory_write', name, config: { namespace: 'team', key, content: 'by {{ run.id }}' } });
  const each = {
    id: 'each', kind: 'map', name: 'For each tree', position: { x: 40, y: 168 },
    config: { items: ['ash', 'elm', 'oak'], concurrency: 1 }, body: { steps: [keep('plant', 'Plant it', '{{ item }}')] },
  };
  const steps = [{ ...keep('dig', 'Dig', 'field'), position: { x: 40, y: 40 } }, each];
  const workflow = await call('POST', '/api/v1/workflows', { weft: 1, name: 'Plants', steps, edges: [{ from: 'dig', to: 'each' }] });
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const source = await call('POST', `/api/v1/workflows/${workflow.id}/execute?wait_ms=30000`, { inputs: {} });
  assert.equal(source.status, 'succeeded');
  const writers = async () => {
    const entries = await Promise.all(['field', 'ash', 'elm', 'oak'].map((key) => call('GET', `/api/v1/memory/team/${key}`)));
    return entries.map((entry) => entry.content.replace('by ', ''));
  };
  assert.deepEqual(await writers(), Array(4).fill(source.id));

  // After the event by which the field was dug: all trees are planted anew, the field is not dug again.
  const { items } = await call('GET', `/api/v1/runs/${source.id}/events`);
  const dug = items.find((event) => event.kind === 'step_succeeded' && event.step === 'dig').seq;
  const ada = await visitor();
  const page = await arrive(ada, `/runs/${source.id}`);
  const status = page.locator('.page-head .status');
  await status.getByText('Succeeded').waitFor();
  await page.getByRole('button', { name: 'Fork…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Edit and run from here' });
  await dialog.getByLabel('From').selectOption({ label: 'After an event, by its number' });
  await dialog.getByLabel('Event').fill(String(dug));
  await dialog.getByText('What had ended by that event is kept.').waitFor();
  await expectAccessible(page);
  await shot(page, 'fork-at-event');
  await dialog.getByRole('button', { name: 'Start the fork' }).click();
  await page.waitForURL((url) => /^\/runs\/[0-9a-f-]{36}$/.test(url.pathname) && !url.pathname.includes(source.id));
  const forked = page.url().split('/').pop();
  // The page of the source has succeeded, too, and stays until that of the fork is there.
  await page.locator('.facts').getByText(`after event ${dug}`).waitFor();
  await status.getByText('Succeeded').waitFor({ timeout: 30_000 });
  assert.deepEqual(await writers(), [source.id, forked, forked, forked]);

  // From the second item: it alone is planted once more.
  await page.goto(`/runs/${forked}?step=each`);
  await page.getByRole('link', { name: /Item 2/ }).click();
  await page.getByRole('button', { name: 'Run again from here' }).click();
  await expectAccessible(page);
  await shot(page, 'restart-item');
  await page.getByRole('menuitem', { name: 'Restart from here' }).click();
  await page.waitForURL((url) => /^\/runs\/[0-9a-f-]{36}$/.test(url.pathname) && !url.pathname.includes(forked));
  const again = page.url().split('/').pop();
  // The address is the new run's at once; the page may still show the one before.
  for (let look = 0; look < 300 && (await call('GET', `/api/v1/runs/${again}`)).status !== 'succeeded'; look += 1) {
    await page.waitForTimeout(100);
  }
  await page.locator('.facts').getByText('Forked from').waitFor();
  assert.deepEqual(await writers(), [source.id, forked, again, forked]);

  // "Edit and run from here" at an item begins with that item.
  await page.goto(`/runs/${again}?step=each`);
  await page.getByRole('link', { name: /Item 3/ }).click();
  await page.getByRole('button', { name: 'Run again from here' }).click();
  await page.getByRole('menuitem', { name: 'Edit and run from here…' }).click();
  await dialog.getByText('All of it and what depends on it run again; the rest is kept.').waitFor();
  assert.equal(await dialog.getByLabel('From').inputValue(), 'step:each[2]');
});
