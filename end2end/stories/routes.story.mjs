// Somebody sets a route up that goes by how hard the task is, asks what would answer, and makes a roll-out of it.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const HARD = 'Move api.py, db.py and web.ts from Django and MySQL to Rust and Postgres';

story('a route goes by how hard the task is, and a roll-out by its weights', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const body = {
    name: 'acme', kind: 'open_ai_compatible', base_url: 'https://models.example/v1', models: [{ id: 'best' }, { id: 'plain' }],
  };
  await server.api('POST', '/api/v1/providers', { token, body });
  const ada = await visitor();
  ada.allow(/\b422\b/); // the weight that is none
  const page = await arrive(ada, '/gateway/routes');
  await page.getByRole('button', { name: 'New route' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill('smart');
  await page.getByRole('button', { name: 'Add a model' }).click();
  await page.getByLabel('Which is asked first').selectOption('task');
  await page.getByLabel('Tasks of model 2').selectOption('simple');
  await page.getByLabel('Complex from').fill('many');
  await page.getByRole('button', { name: 'Add the route' }).click();
  await page.getByText('expected a whole number').waitFor();
  await page.getByLabel('Complex from').fill('85');
  await expectAccessible(page);
  await shot(page, 'routes-by-task');
  await page.getByRole('button', { name: 'Add the route' }).click();
  await page.getByText('By how hard the task is').waitFor();

  await page.getByLabel('Asked for').fill('smart');
  await page.getByLabel('Prompt').fill(HARD);
  await page.getByRole('button', { name: 'Explain' }).last().click();
  await page.getByText('orchestrated').waitFor();
  const asked = page.locator('.would-ask > li');
  assert.match(await asked.nth(0).innerText(), /acme\/best/);
  await page.getByLabel('Prompt').fill('Fix the typo in README.md');
  await page.getByRole('button', { name: 'Explain' }).last().click();
  await page.getByText('direct', { exact: true }).waitFor();
  assert.match(await asked.nth(0).innerText(), /acme\/plain/);
  await expectAccessible(page);
  await shot(page, 'routes-explained');

  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Which is asked first').selectOption('weight');
  await page.getByLabel('Weight of model 1').fill('0');
  await page.getByLabel('Weight of model 2').fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('expected a model that is not switched off').waitFor();
  await page.getByLabel('Weight of model 2').fill('10');
  await page.getByLabel('Calls of one session stay').check();
  await page.getByLabel('Ask the next one too where').check();
  await page.getByLabel('Ask the next one too after').fill('750');
  await expectAccessible(page);
  await shot(page, 'routes-by-weight');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('weight 10').waitFor();
  await page.getByText('a session stays with its first').waitFor();
  await page.getByRole('button', { name: 'Explain' }).last().click();
  await page.getByText('after 750 ms, another would be asked as well, but there is none').waitFor();
  await page.getByText('The next one too after 750 ms').waitFor();

  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('When a conversation gets too long').selectOption('summarize');
  await page.getByLabel('Too long from').fill('10');
  await page.getByLabel('Who summarizes').fill('acme/plain');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('expected a whole number from 2000').waitFor();
  await page.getByLabel('Too long from').fill('60,000');
  await expectAccessible(page);
  await shot(page, 'routes-long-conversations');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Beyond 60,000 tokens: old turns are summarized').waitFor();
});
