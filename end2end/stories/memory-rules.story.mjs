// Somebody has a model summarize by rule: sees what it would do, switches it on, and reads what came of it.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { modelServer } from '../models.mjs';
import { arrive } from '../people.mjs';

story('a rule summarizes groups by itself', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  for (const n of [1, 2, 3]) await call('PUT', `/memory/talks/turn-${n}`, { content: `They said sentence number ${n}.`, group: 'trip', position: n });
  const models = await modelServer();
  const { id } = await call('POST', '/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: `${models.url}/v1`, models: [{ id: 'big' }] });
  await call('POST', `/providers/${id}/prices`, { model: 'big', input: 3_000_000, output: 15_000_000 });

  const ada = await visitor();
  const page = await arrive(ada, '/memory/summaries');
  await page.getByText('Nothing is summarized by itself.').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add rule' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add rule' });
  await dialog.getByLabel('Namespace').fill('talks');
  await dialog.getByLabel('At least so many entries').fill('3');
  await dialog.getByLabel('Not changed for so many days').fill('0');
  await dialog.getByLabel('Model').fill('acme/big');
  await dialog.getByLabel('Dollars each time, at most').fill('cheap');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByText('expected dollars, such as 0.10').waitFor();
  await dialog.getByLabel('Dollars each time, at most').fill('0.50');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByText('Now it would make 1 summary by acme/big').waitFor();
  await dialog.getByText('3 entries of the group trip').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-rule');
  await dialog.getByRole('button', { name: 'Save rule' }).click();
  await page.getByText('Saved; the rule is switched off').waitFor();
  const rule = page.getByRole('region', { name: 'Rule of talks' });
  await rule.getByText('It has not looked yet.').waitFor();
  assert.equal((await call('GET', '/memory?namespace=talks')).items.length, 3, 'a rule that is off does nothing');

  await rule.getByRole('button', { name: 'Edit…' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit rule' });
  await edit.getByRole('switch', { name: 'Switched on' }).check();
  await edit.getByRole('button', { name: 'Save rule' }).click();
  await rule.getByText('1 summary, $').waitFor();
  await rule.getByText('in the name of Ada Lovelace').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-rules');
  await rule.getByRole('link', { name: /^summary-trip-/ }).click();
  const entry = page.getByRole('complementary', { name: 'Entry' });
  await entry.getByText('A loom.').waitFor();
  await entry.getByRole('region', { name: 'Made of' }).getByRole('link', { name: 'turn-1' }).waitFor();

  await page.goto('/memory/summaries');
  await rule.getByRole('button', { name: 'Look now' }).click();
  await rule.getByText('Nothing to do').waitFor();
  await rule.getByRole('button', { name: 'Delete the rule of talks' }).click();
  await page.getByText('Nothing is summarized by itself.').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await rule.waitFor();
  await models.close();
});
