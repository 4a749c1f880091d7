// Somebody decides what holds of two entries that say it differently, and cleans up what says little.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('what may contradict is shown with the reason, and somebody decides', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('PUT', '/memory/notes/old', { content: 'The loom in the attic has 20 shafts' });
  await call('PUT', '/memory/notes/new', { content: 'The loom in the attic has 24 shafts' });
  await call('PUT', '/memory/notes/link', { content: 'https://example.org/loom' });

  const ada = await visitor();
  const page = await arrive(ada, '/memory/health');
  const doubts = page.getByRole('region', { name: 'May contradict each other' });
  await doubts.getByText('a number: 24 in the newer, 20 in the older').waitFor();
  const little = page.getByRole('region', { name: 'Say little or nothing' });
  await little.getByText('it is only a link').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-doubts');

  // Somebody leaves it to somebody else, who decides.
  await doubts.getByRole('button', { name: 'They contradict' }).click();
  const marked = page.getByRole('region', { name: "Can't both be true" });
  await marked.waitFor();
  await doubts.waitFor({ state: 'detached' });
  await page.goto('/memory?at=notes&key=old');
  const entry = page.getByRole('complementary', { name: 'Entry' });
  const relations = entry.getByRole('region', { name: 'Relations' });
  await relations.getByText("can't both be true.").waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-contradiction');
  await relations.getByRole('button', { name: 'The other holds' }).click();
  await relations.getByText('takes the place of this entry').waitFor();
  await page.getByRole('grid', { name: 'Entries' }).getByText('superseded').waitFor();
  assert.equal((await call('GET', '/memory/notes/old')).version, 1);

  // It is crossed out in the timeline, with the way to what took its place.
  await page.goto('/memory/timeline');
  await page.locator('del', { hasText: 'has 20 shafts' }).waitFor();
  await page.getByText('In its place:').waitFor();
  await expectAccessible(page);

  // It can be taken back, and said again by hand.
  await page.goto('/memory?at=notes&key=new');
  await relations.getByRole('button', { name: 'Take back' }).click();
  await relations.waitFor({ state: 'detached' });
  await entry.getByRole('button', { name: 'Say how it stands to another' }).click();
  const dialog = page.getByRole('dialog', { name: 'new and another entry' });
  await dialog.getByLabel('Key of the other').fill('old');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Say so' }).click();
  await relations.getByText('This entry takes the place of').waitFor();

  // What says nothing goes after a look, and comes back.
  await page.goto('/memory/health');
  await little.getByRole('button', { name: 'Clean up…' }).click();
  await page.getByRole('dialog', { name: 'Delete 1 entry?' }).getByRole('button', { name: 'Delete 1 entry' }).click();
  await little.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await little.waitFor();
  await page.close();

  const phone = await visitor({ size: 'phone', theme: 'dark' });
  const small = await arrive(phone, '/memory?at=notes&key=old');
  await small.getByText('takes the place of this entry').waitFor();
  await expectAccessible(small);
  await shot(small, 'memory-superseded-phone');
});
