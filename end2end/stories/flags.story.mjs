// Somebody rolls a new model out behind a flag: to a share of the sessions, which stay on their side, and sees who gets it and why.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('a model is rolled out behind a flag', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const body = { name: 'acme', kind: 'open_ai_compatible', base_url: 'https://models.example/v1', models: [{ id: 'new' }, { id: 'old' }] };
  await server.api('POST', '/api/v1/providers', { token, body });
  const ada = await visitor();
  ada.allow(/\b422\b/); // what is no name
  const page = await arrive(ada, '/gateway/flags');
  await page.getByText('No flags').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add a flag' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add a flag' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('no blanks');
  await dialog.getByLabel('Percent').fill('40');
  await dialog.getByRole('button', { name: 'Add the flag' }).click();
  await dialog.getByText('expected 1 to 60 letters, digits, -, _ and .').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('next-model');
  await dialog.getByLabel('On: it takes its share').check();
  await dialog.getByRole('checkbox', { name: 'Owner' }).first().waitFor();
  await expectAccessible(page);
  await shot(page, 'flag-dialog');
  await dialog.getByRole('button', { name: 'Add the flag' }).click();
  const row = page.getByRole('row', { name: /next-model/ }).first();
  await row.getByText('40 %').waitFor();
  await row.getByText('None yet').waitFor();

  // A route whose newer model stands behind it.
  await page.goto('/gateway/routes');
  await page.getByRole('button', { name: 'New route' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill('smart');
  await page.getByRole('button', { name: 'Add a model' }).click();
  await page.getByLabel('Flag of model 1').selectOption('next-model');
  await page.getByLabel('Flag of model 2').selectOption('next-model');
  await page.getByRole('button', { name: 'Add the route' }).click();
  await page.getByText('expected a model that stands behind no flag').waitFor();
  await page.getByLabel('Flag of model 2').selectOption('');
  await expectAccessible(page);
  await shot(page, 'route-behind-a-flag');
  await page.getByRole('button', { name: 'Add the route' }).click();
  await page.getByText('behind next-model').waitFor();

  // What would answer tells the bucket, and the same for the same session.
  await page.getByLabel('Asked for').fill('smart');
  const sides = new Set();
  for (let n = 0; n < 40 && sides.size < 2; n += 1) {
    await page.locator('#explain-session').fill(`session ${n}`);
    await page.getByRole('button', { name: 'Explain' }).last().click();
    const explained = { model: 'smart', dialect: 'anthropic', session: `session ${n}` };
    const told = await server.api('POST', '/api/v1/routes/explain', { token, body: explained });
    const { bucket, type } = told.flags[0].verdict;
    assert.equal(type === 'takes', bucket < 40);
    assert.equal(told.candidates[0].model, type === 'takes' ? 'new' : 'old');
    await page.getByText(new RegExp(`bucket ${bucket}, ${type === 'takes' ? '' : 'not '}below 40 %`)).first().waitFor();
    sides.add(type);
  }
  assert.equal(sides.size, 2, 'forty sessions are not all on one side');
  await expectAccessible(page);
  await shot(page, 'flag-explained');

  // It grows, and who did that is told; while the route names it, it can't be deleted.
  await page.goto('/gateway/flags');
  await row.getByText('smart').waitFor();
  await row.getByRole('button', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit the flag' });
  await edit.getByLabel('Percent').fill('100');
  await edit.getByRole('button', { name: 'Save' }).click();
  await row.getByText('everybody, 100 %').waitFor();
  await page.getByText('40 % to 100 %').waitFor();
  await expectAccessible(page);
  await shot(page, 'flags');
  const [{ flag }] = (await server.api('GET', '/api/v1/flags', { token })).items;
  const refused = await fetch(`${server.url}/api/v1/flags/${flag.id}`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
  assert.equal(refused.status, 409);
});
