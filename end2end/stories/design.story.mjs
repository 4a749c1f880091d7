// Drawing a workflow: once with the mouse, once with keys alone; tried out, undone, published.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const node = (page, name) => page.locator('.node', { hasText: name });
const centre = async (locator) => {
  const box = await locator.boundingBox();
  return [box.x + box.width / 2, box.y + box.height / 2];
};

/** Drags with the mouse in steps, as a hand does. */
async function drag(page, from, to) {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 5 });
  await page.mouse.move(...to, { steps: 5 });
  await page.mouse.up();
}

/** Fills the config field of a Transform step. */
async function setValue(page, json) {
  const field = page.getByRole('complementary', { name: 'Inspector' }).locator('#config-value');
  await field.fill(json);
  await field.blur();
}

async function newWorkflow(page) {
  await page.goto('/workflows');
  await page.getByRole('button', { name: 'New workflow' }).click();
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  await page.getByRole('heading', { name: 'No steps yet' }).waitFor();
}

story('a workflow is drawn with the mouse, tried out and published', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const page = await arrive(ada);
  await newWorkflow(page);
  await expectAccessible(page);

  // Two steps dragged in, one thread between them.
  const canvas = page.locator('#canvas');
  const [x, y] = await centre(canvas);
  const palette = page.getByRole('complementary', { name: 'Steps to add' });
  await drag(page, await centre(palette.getByRole('button', { name: 'Transform' })), [x, y - 160]);
  await page.locator('.node').first().waitFor();
  await setValue(page, '{"answer": 42}');
  await drag(page, await centre(palette.getByRole('button', { name: 'Condition' })), [x, y + 60]);
  await page.locator('.node').nth(1).waitFor();
  assert.equal(await page.locator('.node').count(), 2);
  const first = page.locator('.node').first();
  const second = page.locator('.node').nth(1);
  await drag(page, await centre(first.locator('.port[data-side="out"]').first()), await centre(second.locator('.port[data-side="in"]')));
  await page.locator('.edges path, .threads path').first().waitFor({ state: 'attached' });

  // A mistake is said where it is made, and the test run waits for it to be mended.
  await second.click();
  await page.locator('#config-when').fill('steps.nobody.output > 1');
  await page.getByText(/nobody/).last().waitFor();
  await page.getByRole('button', { name: 'Test run' }).and(page.locator('[aria-disabled="true"]')).waitFor();
  await expectAccessible(page);
  const id = await first.getAttribute('id');
  await page.locator('#config-when').fill(`steps.${id.replace('step-', '')}.output.answer == 42`);

  // Undo takes the thread away and redo brings it back.
  await page.getByText('Saved').first().waitFor();
  await shot(page, 'designer-mouse');

  // Tried out on the canvas itself.
  await page.getByRole('button', { name: 'Test run' }).click();
  await page.locator('.node[data-status="succeeded"]').nth(1).waitFor({ timeout: 30_000 });
  await page.getByRole('region', { name: 'Test run' }).getByText('Succeeded').waitFor();
  await expectAccessible(page);

  await page.getByRole('button', { name: /^Publish v1/ }).click();
  await page.getByText('Published v1. New runs use it.').waitFor();
  await page.goto('/workflows');
  await page.getByRole('row', { name: /New workflow/ }).getByText('v1').waitFor();
});

story('a pattern of agents is put into a workflow and taken out again', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const page = await arrive(ada);
  await newWorkflow(page);
  const palette = page.getByRole('complementary', { name: 'Steps to add' });
  await palette.getByText('Patterns', { exact: true }).click();
  await palette.getByRole('button', { name: 'Agents: debate' }).waitFor();
  await expectAccessible(page);
  await palette.getByRole('button', { name: 'Agents: vote' }).click();
  await node(page, 'Ask each').first().waitFor();
  await node(page, 'The result').first().waitFor();
  await page.getByText('Saved').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'designer-pattern');
  // Its inputs came with it.
  const token = await server.token();
  const workflow = page.url().split('/').at(-1);
  let draft;
  for (let look = 0; look < 100 && draft?.steps?.length !== 3; look += 1) {
    await page.waitForTimeout(100);
    ({ draft } = await server.api('GET', `/api/v1/workflows/${workflow}`, { token }));
  }
  assert.deepEqual(Object.keys(draft.inputs.properties).sort(), ['options', 'question', 'voters']);
  assert.equal(draft.edges.length, 2);
  await page.locator('#canvas').focus();
  await page.keyboard.press('Control+z');
  await page.getByRole('heading', { name: 'No steps yet' }).waitFor();
});

story('a workflow is drawn, connected, renamed and undone with keys alone', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const page = await arrive(ada);
  await newWorkflow(page);
  const keys = page.keyboard;

  // Two steps, the second after the first.
  await page.locator('#canvas').focus();
  await keys.press('a');
  await page.getByRole('combobox', { name: 'Find a step to add' }).waitFor();
  await expectAccessible(page);
  await keys.type('transform');
  await keys.press('Enter');
  await page.locator('.node').first().waitFor();
  await keys.press('a');
  await page.getByRole('combobox', { name: 'Find a step to add' }).waitFor();
  await keys.type('wait');
  await keys.press('Enter');
  await page.locator('.node').nth(1).waitFor();
  await page.getByRole('application', { name: 'Workflow graph, 2 steps' }).waitFor();

  // Walked back, renamed.
  await keys.press('ArrowUp');
  await page.locator('.node[aria-current="true"]', { hasText: 'Transform' }).waitFor();
  await keys.press('F2');
  await page.locator('#step-name:focus').waitFor();
  await keys.press('Control+a');
  await keys.type('Make a list');
  await keys.press('Enter');
  await node(page, 'Make a list').waitFor();

  // Connected by its dialog: a third step that nothing leads to yet.
  await page.locator('#canvas').focus();
  await keys.press('Escape');
  await keys.press('a');
  await page.getByRole('combobox', { name: 'Find a step to add' }).waitFor();
  await keys.type('condition');
  await keys.press('Enter');
  await page.locator('.node').nth(2).waitFor();
  await keys.press('c');
  const dialog = page.getByRole('dialog', { name: /^Connect / });
  await dialog.waitFor();
  await expectAccessible(page, { within: 'dialog[open]' });
  await keys.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  // Deleted, and brought back.
  await keys.press('Delete');
  await page.getByRole('application', { name: 'Workflow graph, 2 steps' }).waitFor();
  await keys.press('Control+z');
  await page.getByRole('application', { name: 'Workflow graph, 3 steps' }).waitFor();
  await keys.press('Control+Shift+z');
  await page.getByRole('application', { name: 'Workflow graph, 2 steps' }).waitFor();

  // What was drawn is there after a reload.
  await page.getByText('Saved').first().waitFor();
  await page.reload();
  await node(page, 'Make a list').waitFor();
  assert.equal(await page.locator('.node').count(), 2);
});
