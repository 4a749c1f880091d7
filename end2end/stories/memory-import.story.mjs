// Somebody brings a file of entries into the memory: sees what would come of it, imports it, and takes it back.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('a file is looked at, imported and taken back', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const list = () => server.api('GET', '/api/v1/memory?namespace=shop', { token });
  const ada = await visitor();
  const page = await arrive(ada, '/memory');
  await page.getByRole('button', { name: 'Import…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import entries' });
  await expectAccessible(page);
  const lines = Array.from({ length: 250 }, (_, n) => JSON.stringify({ namespace: 'notes', key: `k${n}`, content: `Note number ${n} of the file.` }));
  lines.push('{"namespace": "no way", "key": "k", "content": "x"}', 'no json');
  const field = dialog.locator('input[type=file]').first();
  await field.setInputFiles({ name: 'team.jsonl', mimeType: 'application/x-ndjson', buffer: Buffer.from(lines.join('\n')) });
  const preview = dialog.getByRole('region', { name: 'What would be imported' });
  await preview.getByText('250 new, 2 left out').waitFor();
  await preview.getByText('line 252').waitFor();
  // Another place is another import.
  await dialog.getByLabel('Into the namespace').fill('shop');
  await preview.waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await preview.getByText('shop/notes').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-import');
  assert.equal((await list()).items.length, 0, 'nothing is written by looking');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  const done = dialog.getByRole('region', { name: 'What was imported' });
  await done.getByText('250 new, 2 left out').waitFor();
  assert.equal((await list()).items.length, 50, 'a page of them');
  await dialog.getByRole('button', { name: 'Undo the import' }).click();
  await page.getByText('250 entries as before').waitFor();
  assert.equal((await list()).items.length, 0);

  // Several files of Markdown go together.
  await page.getByRole('button', { name: 'Import…' }).click();
  await field.setInputFiles([
    { name: 'loom.md', mimeType: 'text/markdown', buffer: Buffer.from('---\ntags: [weaving]\n---\nThe loom.') },
    { name: 'thread.md', mimeType: 'text/markdown', buffer: Buffer.from('The thread.') },
  ]);
  await preview.getByText('2 left out').waitFor();
  await dialog.getByLabel('Into the namespace').fill('shop/notes');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await preview.getByText('2 new').waitFor();
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await done.getByText('2 new').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('grid', { name: 'Entries' }).getByRole('link', { name: 'loom' }).waitFor();
  // The tree says that something was written there.
  await page.getByRole('treeitem', { name: /shop.*writes in 7 days/ }).first().waitFor();
  await page.close();

  const phone = await visitor({ size: 'phone', theme: 'dark' });
  const small = await arrive(phone, '/memory');
  await small.getByRole('button', { name: 'Import…' }).click();
  await small.getByRole('dialog', { name: 'Import entries' }).waitFor();
  await expectAccessible(small);
  await shot(small, 'memory-import-phone');
});
