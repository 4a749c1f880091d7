// Containers: drawn, gone into, tried out, looked into on the canvas and on the run's page; by mouse and by keys.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const node = (page, name) => page.locator('.node', { hasText: name });
const trail = (page) => page.getByRole('navigation', { name: 'Containers around' });
const inspector = (page) => page.getByRole('complementary', { name: 'Inspector' });

async function newWorkflow(page) {
  await page.goto('/workflows');
  await page.waitForLoadState('networkidle');
  await page.getByRole('button', { name: 'New workflow' }).click();
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  await page.getByRole('heading', { name: 'No steps yet' }).waitFor();
}

/** Adds a step by its quick search. */
async function add(page, kind) {
  await page.keyboard.press('a');
  await page.getByRole('combobox', { name: 'Find a step to add' }).waitFor();
  await page.keyboard.type(kind);
  await page.keyboard.press('Enter');
}

story('a For each is drawn, filled, tried out and undone across its border', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const page = await arrive(ada);
  await newWorkflow(page);
  const keys = page.keyboard;

  // By mouse: added from the palette, its items set.
  await page.getByRole('complementary', { name: 'Steps to add' }).getByRole('button', { name: 'For each' }).dblclick();
  await node(page, 'For each').waitFor();
  await inspector(page).locator('#config-items').fill('["a", "b", "c"]');
  await inspector(page).locator('#config-items').blur();
  await inspector(page).getByRole('heading', { name: 'Steps inside' }).waitFor();
  await expectAccessible(page);

  // Gone into by double click; a step is added inside.
  await node(page, 'For each').dblclick();
  await trail(page).getByText('For each').waitFor();
  await page.getByRole('application', { name: 'Steps inside For each, 0 steps' }).waitFor();
  await expectAccessible(page);
  await add(page, 'transform');
  await node(page, 'Transform').waitFor();
  await inspector(page).locator('#config-value').click();
  await inspector(page).getByRole('group', { name: 'In scope here' }).getByText('item', { exact: true }).waitFor();
  await inspector(page).locator('#config-value').fill('{{ item }}');
  await shot(page, 'containers-inside');

  // Out by Esc: first out of the field, then what is chosen, then the container.
  await keys.press('Escape');
  await keys.press('Escape');
  await keys.press('Escape');
  await page.getByRole('application', { name: 'Workflow graph, 1 step' }).waitFor();
  await node(page, '1 step inside').waitFor();

  // Undone from outside: one is taken along to where it was done, and back.
  await keys.press('Control+z');
  await page.getByRole('application', { name: /^Steps inside For each/ }).waitFor();
  await keys.press('Control+z');
  await page.getByRole('application', { name: 'Steps inside For each, 0 steps' }).waitFor();
  await keys.press('Control+Shift+z');
  await keys.press('Control+Shift+z');
  await page.getByRole('application', { name: 'Steps inside For each, 1 step' }).waitFor();
  await keys.press('Escape');
  await keys.press('u');
  await page.getByRole('application', { name: 'Workflow graph, 1 step' }).waitFor();

  // Unfolded, it shows its body.
  await keys.press('f');
  await page.locator('.small-node', { hasText: 'Transform' }).waitFor();
  await page.getByText('Saved').first().waitFor();
  await expectAccessible(page);

  // Tried out.
  await page.getByRole('button', { name: 'Test run' }).click();
  await page.locator('.node[data-status="succeeded"]').waitFor({ timeout: 30_000 });
  await node(page, '3 of 3').waitFor();
  await inspector(page).getByRole('tab', { name: 'Output' }).click();
  await inspector(page).getByText('"b"').waitFor();
  await expectAccessible(page);
  await shot(page, 'containers-run');

  // Inside, the newest item is seen, and the ones before.
  await node(page, 'For each').focus();
  await keys.press('Enter');
  await trail(page).getByText('Item 3 of 3').waitFor();
  await node(page, 'Transform').click();
  await inspector(page).getByText('"c"').first().waitFor();
  await trail(page).getByRole('button', { name: 'The one before' }).click();
  await trail(page).getByText('Item 2 of 3').waitFor();
  await inspector(page).getByText('"b"').first().waitFor();
  await expectAccessible(page);

  // The run's page lists the items, and opens one.
  await page.getByRole('region', { name: 'Test run' }).getByRole('link').first().click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
  await page.locator('.gantt-row', { hasText: 'For each' }).click();
  await page.getByRole('link', { name: /Item 2/ }).click();
  await page.getByRole('link', { name: /Transform/ }).click();
  await page.getByText('"b"').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'containers-items');
  assert.match(page.url(), /at=map%5B1%5D\.transform/);
});

story('steps are put into a group and taken out of it again with keys', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const page = await arrive(ada);
  await newWorkflow(page);
  const keys = page.keyboard;
  await page.locator('#canvas').focus();
  await add(page, 'transform');
  await node(page, 'Transform').waitFor();
  await add(page, 'transform');
  await page.getByRole('application', { name: 'Workflow graph, 2 steps' }).waitFor();
  await keys.press('Control+a');
  await keys.press('Control+g');
  await page.getByRole('application', { name: 'Workflow graph, 1 step' }).waitFor();
  await node(page, '2 steps inside').waitFor();
  await keys.press('Control+Shift+g');
  await page.getByRole('application', { name: 'Workflow graph, 2 steps' }).waitFor();
  await keys.press('Control+z');
  await node(page, '2 steps inside').waitFor();
  await keys.press('Enter');
  await page.getByRole('application', { name: 'Steps inside Group, 2 steps' }).waitFor();

  // A problem inside is seen from outside, and led to.
  await keys.press('ArrowDown');
  await page.locator('.node[aria-current="true"]').waitFor();
  await inspector(page).locator('#config-value').fill('{{ steps.nobody.output }}');
  await keys.press('Escape');
  await trail(page).getByRole('button', { name: 'New workflow' }).click();
  await page.locator('.node[data-problem]').waitFor();
  await page.getByRole('button', { name: /problem/ }).click();
  await page.getByRole('dialog', { name: 'Problems' }).getByRole('button', { name: /nobody/ }).click();
  await page.getByRole('application', { name: 'Steps inside Group, 2 steps' }).waitFor();
  await page.locator('.node[aria-current="true"][data-problem]').waitFor();
});

story('the palette puts what is chosen into a container, and a number out of its bounds says so', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const page = await arrive(ada);
  await newWorkflow(page);
  const keys = page.keyboard;
  await page.locator('#canvas').focus();
  await add(page, 'memory write');
  await node(page, 'Write memory').waitFor();
  await keys.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Search and actions' });
  await palette.getByRole('option', { name: 'Put into a group' }).waitFor();
  await keys.type('into for each');
  await palette.getByRole('option', { name: 'Put into a For each (map)', selected: true }).waitFor();
  await expectAccessible(page, { within: 'dialog[open]' });
  await shot(page, 'containers-palette');
  await keys.press('Enter');
  await node(page, '1 step inside').waitFor();

  // What depends on the choice goes with it.
  await keys.press('Control+k');
  await palette.getByRole('option', { name: 'Fold or unfold' }).waitFor();
  await keys.press('Escape');

  // A number that can't be is told at its field, and what was set stays.
  await inspector(page).locator('summary', { hasText: 'Time limit' }).click();
  const limit = inspector(page).locator('#timeout');
  await limit.fill('5 s');
  await limit.press('Tab');
  await limit.fill('soon');
  await limit.press('Tab');
  await inspector(page).getByText('Expected a time from 1 ms to 7 d, such as 90 s or 2 h').waitFor();
  await expectAccessible(page);
  await page.locator('summary', { hasText: 'Time limit' }).getByText('5.0 s').waitFor();

  // On another page the designer's commands are gone.
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' }).click();
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
  await keys.press('Control+k');
  await palette.getByRole('option', { name: 'Dashboard' }).waitFor();
  assert.equal(await palette.getByRole('option', { name: 'Put into a group' }).count(), 0);
});

/** A server whose answer takes its time: 40 kB five times a second, of 8 MB. */
async function slowServer() {
  const total = 8_000_000;
  const piece = Buffer.alloc(40_000, 'a');
  const server = createServer((_, answer) => {
    answer.writeHead(200, { 'content-type': 'text/plain', 'content-length': total });
    const timer = setInterval(() => answer.write(piece), 200).unref();
    answer.on('close', () => clearInterval(timer));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.closeAllConnections() || server.close() };
}

story('a step inside of a container shows how far it is', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1' } }, async ({ server, visitor }) => {
  await server.setUp();
  const slow = await slowServer();
  const token = await server.token();
  const fetches = { id: 'get', kind: 'http', name: 'Fetch it', config: { url: slow.url } };
  const workflow = await server.api('POST', '/api/v1/workflows', {
    token,
    body: { weft: 1, name: 'Slow', steps: [{ id: 'each', kind: 'map', name: 'Each', config: { items: [1] }, body: { steps: [fetches] } }] },
  });
  const ada = await visitor();
  const page = await arrive(ada, `/workflows/${workflow.id}`);
  await page.waitForLoadState('networkidle');
  await page.getByRole('button', { name: 'Test run' }).click();
  await node(page, '0 of 1').waitFor();
  await node(page, 'Each').dblclick();
  await node(page, 'Fetch it').getByText(/\d %/).waitFor();
  await page.locator('.node-told').waitFor({ state: 'attached' });
  await expectAccessible(page);
  await shot(page, 'containers-progress');
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await page.getByRole('region', { name: 'Test run' }).getByText('Cancelled').waitFor();
  // What was cut off can still be looked at, and is in motion no more.
  await page.locator('.node-told').waitFor({ state: 'detached' });
  await node(page, 'Fetch it').locator('[data-status="cancelled"], [data-status="skipped"]').first().waitFor();
  slow.close();
});

story('fifty containers in each other are opened, tried out and changed', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  let step = { id: 'leaf', kind: 'transform', name: 'Leaf', config: { value: 7 } };
  for (let level = 50; level > 0; level -= 1) step = { id: `g${level}`, kind: 'group', name: `Level ${level}`, config: {}, body: { steps: [step] } };
  const workflow = await server.api('POST', '/api/v1/workflows', { token, body: { weft: 1, name: 'Deep', steps: [step] } });
  const ada = await visitor();
  const page = await arrive(ada, `/workflows/${workflow.id}`);
  for (let level = 1; level < 4; level += 1) await node(page, `Level ${level}`).dblclick();
  await node(page, 'Level 4').waitFor();
  await node(page, 'Level 4').click();
  await inspector(page).getByLabel('Name', { exact: true }).fill('Deeper');
  await inspector(page).getByLabel('Name', { exact: true }).press('Tab');
  await node(page, 'Deeper').waitFor();
  await page.getByRole('button', { name: 'Test run' }).click();
  await page.getByRole('region', { name: 'Test run' }).getByText('Succeeded').waitFor();
  await expectAccessible(page);
  await page.reload();
  const { draft } = await server.api('GET', `/api/v1/workflows/${workflow.id}`, { token });
  let inside = draft.steps[0];
  for (let level = 1; level < 4; level += 1) inside = inside.body.steps[0];
  assert.equal(inside.name, 'Deeper');
});
