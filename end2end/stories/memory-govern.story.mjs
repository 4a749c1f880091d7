// A team governs a namespace: says what it is for, how long it keeps what it holds and who may read it, and sees it where the entries are.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('a namespace is described, and keeps its entries as long as its team says', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('PUT', '/memory/looms/first', { content: 'The first loom came in spring.' });
  await call('PUT', '/memory/looms%2Fparts/shaft', { content: 'The loom has 24 shafts.' });

  const ada = await visitor();
  const page = await arrive(ada, '/memory?ns=looms');
  const head = page.getByRole('region', { name: 'Namespace', exact: true });
  await head.getByText('Nobody has said what it is for.').waitFor();
  await head.getByRole('button', { name: 'Govern' }).click();
  const dialog = page.getByRole('dialog', { name: 'Govern looms' });
  await dialog.getByLabel('What it is for').fill('What we know about our looms.');
  await dialog.getByLabel('Entries are kept').selectOption({ label: 'For some days after their last change' });
  await dialog.getByLabel('Days').fill('90');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByText('Would remove nothing now.').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-govern');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await head.getByText('What we know about our looms.').waitFor();
  await head.getByText('Entries are kept for 90 days after their last change.').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-governed');
  const listed = (await call('GET', '/namespaces')).items.find((one) => one.path === 'looms/parts');
  assert.equal(listed.retention.path, 'looms');

  await page.goto(`${server.url}/memory?ns=looms%2Fparts`);
  await head.getByText('Entries are kept for 90 days after their last change, as all of looms.').waitFor();
  await head.getByRole('button', { name: 'Govern' }).click();
  const below = page.getByRole('dialog', { name: 'Govern looms/parts' });
  await below.getByLabel('Entries are kept').selectOption({ label: 'For some days after they were made' });
  await below.getByLabel('Days').fill('4000');
  ada.allow(/\b422\b/); // too many days
  await below.getByRole('button', { name: 'Save' }).click();
  await below.getByText('expected 1 to 3650 days').waitFor();
  await below.getByLabel('Who may read').selectOption({ label: 'Admins and owners' });
  await below.getByLabel('Who of these may change').selectOption({ label: 'Owners alone' });
  await expectAccessible(page);
  await shot(page, 'memory-govern-access');
  await below.getByLabel('Days').fill('7');
  await below.getByRole('button', { name: 'Save' }).click();
  await head.getByText('Entries are kept for 7 days after they were made.').waitFor();
  const { items: rules } = await call('GET', '/namespaces/access');
  assert.deepEqual(rules.map((rule) => [rule.path, rule.read.role, rule.write.role]), [['looms/parts', 'admin', undefined]]);
});
