// Somebody looks at the memory as it was, at what was learned when, and makes one text of two that were written side by side.

import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('the memory is looked at as it was, and nobody’s words are lost', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body, headers) => server.api(method, `/api/v1${path}`, { token, body, headers });
  await call('PUT', '/memory/notes/loom', { content: 'The loom has 20 shafts.' });
  await call('PUT', '/memory/notes/other', { content: 'Another loom has shafts too.' });
  const { updated_at: first } = await call('GET', '/memory/notes/other');
  await call('PUT', '/memory/notes/loom', { content: 'The loom has 24 shafts.' });
  await call('DELETE', '/memory/notes/other');

  const ada = await visitor();
  const page = await arrive(ada, `/memory?q=shafts&then=${encodeURIComponent(first)}&at=notes&key=loom`);
  await page.getByText('Nothing can be changed.').waitFor();
  await page.getByRole('link', { name: 'other', exact: true }).waitFor();
  await page.getByRole('complementary', { name: 'Entry' }).getByText('The loom has 20 shafts.').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-as-of');
  await page.getByRole('button', { name: 'Back to now' }).first().click();
  await page.getByRole('complementary', { name: 'Entry' }).getByText('The loom has 24 shafts.').waitFor();
  await page.getByRole('link', { name: 'other', exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'As of…' }).click();
  await page.getByRole('dialog').getByLabel('As of').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Search without this entry' }).click();
  await page.getByText('without: one entry').waitFor();
  await page.getByText('Nothing found').waitFor();

  await page.goto(`${server.url}/memory/timeline`);
  await page.getByRole('heading', { level: 1, name: 'What was learned' }).waitFor();
  await page.locator('del', { hasText: 'The loom has 20 shafts.' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-timeline');
  await page.getByRole('link', { name: 'version 2' }).click();
  await page.getByRole('complementary', { name: 'Entry' }).getByText('The loom has 24 shafts.').waitFor();
});

story('of two texts that were written side by side somebody makes one', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const put = (content, version) =>
    server.api('PUT', '/api/v1/memory/notes/loom?on_conflict=sibling', { token, body: { content }, headers: version ? { 'if-match': `"${version}"` } : {} });
  await put('The loom has 20 shafts.');
  await put('The loom has 24 shafts.', 1);
  await put('The loom has 16 shafts.', 1);

  const ada = await visitor();
  const page = await arrive(ada, '/memory?q=loom&at=notes&key=loom');
  await page.getByText('1 sibling').waitFor();
  const beside = page.getByRole('region', { name: 'Siblings' });
  await beside.locator('ins', { hasText: 'The loom has 16 shafts.' }).waitFor();
  await beside.locator('del', { hasText: 'The loom has 24 shafts.' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-siblings');
  await beside.getByRole('button', { name: 'Write one of both' }).click();
  await page.getByRole('dialog').getByLabel('Content').fill('One loom has 24 shafts, the other 16.');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved loom as version 3').waitFor();
  await page.getByText('1 sibling').waitFor({ state: 'detached' });
});
