// Runs that end badly undo what they did, and runs in motion go on with a newer version.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const note = (id, name, compensate) => ({
  id,
  kind: 'memory_write',
  name,
  config: { namespace: 'trip', key: id, content: 'booked' },
  compensate,
});
const unbook = (id) => ({ kind: 'memory_write', config: { namespace: 'trip', key: id, content: `undone version {{ steps.${id}.output.version }}` } });

/** Books twice, then fails. */
const trip = (undo) => ({
  weft: 1,
  name: 'Book a trip',
  on_failure: 'Tell the team',
  steps: [
    { ...note('flight', 'Book the flight', unbook('flight')), position: { x: 40, y: 40 } },
    { ...note('hotel', 'Book the hotel', undo ?? unbook('hotel')), position: { x: 40, y: 168 } },
    { id: 'pay', kind: 'transform', name: 'Pay', config: { value: '{{ steps.flight.output.price.total }}' }, position: { x: 40, y: 296 } },
  ],
  edges: [{ from: 'flight', to: 'hotel' }, { from: 'hotel', to: 'pay' }],
});

const calls = async (server) => {
  const token = await server.token();
  return (method, path, body) => server.api(method, path, { token, body });
};

async function publish(call, definition) {
  const workflow = await call('POST', '/api/v1/workflows', definition);
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  return workflow;
}

/** At both sizes and in both themes. */
async function everywhere(ada, path, name, settled) {
  for (const size of ['desktop', 'phone']) {
    for (const theme of ['light', 'dark']) {
      const page = await (await ada.again({ size, theme })).open(path);
      await settled(page);
      await page.waitForLoadState('networkidle');
      await shot(page, `${name}-${size}-${theme}`);
      const wider = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${name} (${size}, ${theme}) scrolls sideways by ${wider} px`);
      await expectAccessible(page);
      await page.close();
    }
  }
}

story('a run that fails undoes what it did, tells the team, and says so', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const call = await calls(server);
  await publish(call, { weft: 1, name: 'Tell the team', steps: [{ id: 'tell', kind: 'transform', config: { value: 'told' } }] });
  const workflow = await publish(call, trip());
  const failed = await call('POST', `/api/v1/workflows/${workflow.id}/execute?wait_ms=30000`, { inputs: {} });
  assert.equal(failed.status, 'failed');

  const ada = await visitor();
  const page = await arrive(ada, `/runs/${failed.id}`);
  await page.locator('.gantt-row', { hasText: 'Undo Book the hotel' }).waitFor();
  await page.locator('.facts').getByText('All undone').waitFor();
  await page.locator('.facts').getByRole('link', { name: 'Tell the team' }).waitFor();
  await page.getByRole('button', { name: 'Retry' }).and(page.locator('[aria-disabled="true"]')).waitFor();
  await page.locator('.gantt-row', { hasText: 'Undo Book the flight' }).click();
  await page.getByRole('region', { name: 'Undo Book the flight' }).getByRole('tab', { name: 'Input' }).click();
  await page.getByText('undone version 1').first().waitFor();
  assert.equal((await call('GET', '/api/v1/memory/trip/hotel')).content, 'undone version 1');
  await page.goto('/runs');
  await page.getByText('(undone) Pay:').first().waitFor();

  await everywhere(ada, `/runs/${failed.id}`, 'undone', (shown) => shown.locator('.facts').getByText('All undone').waitFor());
});

story('undoing can wait for a person, and be stopped by one', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const call = await calls(server);
  const workflow = await publish(call, trip({ kind: 'approval', config: { title: 'Is the hotel called off?' } }));
  const run = await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });
  const ada = await visitor();
  const page = await arrive(ada, `/runs/${run.run_id}`);
  await page.locator('.page-head .status').getByText('Waiting').waitFor();
  await page.locator('.facts').getByText('In motion').waitFor();
  await page.getByRole('button', { name: 'Stop undoing…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop undoing?' });
  await expectAccessible(page);
  await shot(page, 'stop-undoing');
  await dialog.getByRole('button', { name: 'Stop undoing' }).click();
  await page.locator('.page-head .status').getByText('Failed').waitFor();
  await page.locator('.facts').getByText('Stopped').waitFor();
});

story('what undoes a step, and what a failed run starts, are set in the inspector', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const call = await calls(server);
  const workflow = await call('POST', '/api/v1/workflows', trip());
  const ada = await visitor();
  const page = await arrive(ada, `/workflows/${workflow.id}`);
  const inspector = page.getByRole('complementary', { name: 'Inspector' });
  await inspector.getByText('Undo what it did').click();
  await inspector.getByLabel('If something can\'t be undone').selectOption('stop');
  await inspector.getByText('Start when a run fails').click();
  await inspector.getByLabel('Workflow, by name or id').fill('Tell everybody');
  await inspector.getByLabel('Workflow, by name or id').press('Tab');
  await page.locator('.node', { hasText: 'Book the flight' }).click();
  await inspector.locator('summary', { hasText: 'Undo' }).click();
  await inspector.getByLabel('What undoes it').selectOption('http');
  await inspector.locator('#undo-url').fill('http://example.com/{{ steps.flight.output.id }}');
  await inspector.locator('#undo-attempts').fill('5');
  await inspector.locator('#undo-attempts').press('Tab');
  await page.getByText('Saved').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'undo-inspector');
  let draft;
  for (let look = 0; look < 100 && draft?.steps[0].compensate.retry?.max_attempts !== 5; look += 1) {
    await page.waitForTimeout(100);
    ({ draft } = await call('GET', `/api/v1/workflows/${workflow.id}`));
  }
  assert.equal(draft.steps[0].compensate.kind, 'http');
  assert.equal(draft.steps[0].compensate.config.url, 'http://example.com/{{ steps.flight.output.id }}');
  assert.deepEqual([draft.compensation.on_error, draft.on_failure], ['stop', 'Tell everybody']);
});

story('runs that wait are moved to a newer version where it fits them', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const call = await calls(server);
  const version = (said, ms) => ({
    weft: 1,
    name: 'Wait and say',
    steps: [
      { id: 'nap', kind: 'wait', name: 'Wait', config: { ms }, position: { x: 40, y: 40 } },
      { id: 'say', kind: 'transform', name: 'Say it', config: { value: said }, position: { x: 40, y: 168 } },
    ],
    edges: [{ from: 'nap', to: 'say' }],
  });
  const workflow = await publish(call, version('old', 3_600_000));
  const save = async (definition) => {
    const { revision } = await call('GET', `/api/v1/workflows/${workflow.id}`);
    await server.api('PUT', `/api/v1/workflows/${workflow.id}`, { token: await server.token(), body: definition, headers: { 'if-match': `"${revision}"` } });
  };
  const first = await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });
  await save(version('new', 3_600_000));

  const ada = await visitor();
  const page = await arrive(ada, `/workflows/${workflow.id}`);
  await page.getByRole('button', { name: /^Publish v2/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Runs of older versions' });
  await dialog.getByText('1 run in motion began with an older version').waitFor();
  await expectAccessible(page);
  await shot(page, 'move-runs');
  await dialog.getByRole('button', { name: 'Move 1 run' }).click();
  await page.getByText('1 run moved to v2.').waitFor();
  assert.equal((await call('GET', `/api/v1/runs/${first.run_id}`)).version, 2);

  // One that differs where the run is: the run's page says why it stays.
  await save(version('newer', 1));
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  await page.goto(`/runs/${first.run_id}`);
  const open = async () => {
    await page.getByRole('button', { name: 'More actions for this run' }).click();
    await page.getByRole('menuitem', { name: 'Move to the newest version…' }).click();
  };
  await open();
  const move = page.getByRole('dialog', { name: 'Move to the newest version' });
  await move.getByText('its config.ms differs here').waitFor();
  await move.getByRole('button', { name: 'Move to version 3' }).and(page.locator('[aria-disabled="true"]')).waitFor();
  await expectAccessible(page);
  await shot(page, 'move-refused');
  await move.getByRole('button', { name: 'Not now' }).click();

  // One that fits again: the page goes on with it.
  await save(version('newest', 3_600_000));
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  await open();
  await move.getByText('It fits version 4.').waitFor();
  await move.getByRole('button', { name: 'Move to version 4' }).click();
  await page.locator('.facts').getByRole('link', { name: '4', exact: true }).waitFor();
});
