// Somebody tags, moves and deletes many entries at once, takes it back, and cleans up.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('entries are changed together, and as before again', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const put = (key, content) => server.api('PUT', `/api/v1/memory/notes/${key}`, { token, body: { content } });
  const get = (namespace, key) => server.api('GET', `/api/v1/memory/${namespace}/${key}`, { token });
  for (const key of ['loom', 'thread', 'soup']) await put(key, `A note about the ${key} that somebody wrote.`);

  const ada = await visitor();
  const page = await arrive(ada, '/memory?ns=notes');
  const bar = page.getByRole('region', { name: 'Chosen entries' });
  const choose = async (...keys) => {
    for (const key of keys) await page.getByRole('checkbox', { name: `Choose ${key}`, exact: true }).check();
  };

  await choose('loom', 'thread');
  await bar.getByText('2 entries chosen').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-bulk');
  await bar.getByRole('button', { name: 'Tag…' }).click();
  const tags = page.getByRole('dialog', { name: 'Tag 2 entries' });
  await tags.getByLabel('Tags to add').fill('weaving, old');
  await expectAccessible(page);
  await tags.getByRole('button', { name: 'Tag' }).click();
  await page.getByText('2 entries tagged').waitFor();
  assert.deepEqual((await get('notes', 'loom')).tags, ['old', 'weaving']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('2 entries as before').waitFor();
  assert.deepEqual((await get('notes', 'loom')).tags, []);
  // What is chosen is chosen in the version that was seen.
  await page.goto('/memory?ns=notes');

  // An operator in the field narrows what is found.
  await choose('loom');
  await bar.getByRole('button', { name: 'Tag…' }).click();
  await page.getByRole('dialog', { name: 'Tag 1 entry' }).getByLabel('Tags to add').fill('red');
  await page.getByRole('dialog', { name: 'Tag 1 entry' }).getByRole('button', { name: 'Tag' }).click();
  await page.getByText('1 entry tagged').waitFor();
  const field = page.getByRole('searchbox', { name: 'Search memory' });
  await field.fill('note tag:red');
  await page.getByText('1 found in').waitFor();
  await field.fill('note before:soon');
  await page.getByText('before: expected a day').waitFor();
  await page.goto('/memory?ns=notes');

  await choose('thread');
  await bar.getByRole('button', { name: 'Move…' }).click();
  const move = page.getByRole('dialog', { name: 'Move 1 entry' });
  await move.getByLabel('To the namespace').fill('shop/floor');
  await move.getByRole('button', { name: 'Move' }).click();
  await page.getByText('1 entry moved').waitFor();
  assert.equal((await get('shop%2Ffloor', 'thread')).content, 'A note about the thread that somebody wrote.');

  await choose('loom', 'soup');
  const download = page.waitForEvent('download');
  await bar.getByRole('button', { name: 'Export' }).click();
  const lines = readFileSync(await (await download).path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.key).sort(), ['loom', 'soup']);
  await bar.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('2 entries deleted').waitFor();
  await page.getByText('No entries here').waitFor();
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await page.getByRole('link', { name: 'soup' }).waitFor();

  // Two become one, and part again.
  await page.goto('/memory?ns=notes');
  await choose('loom', 'soup');
  await bar.getByRole('button', { name: 'Merge…' }).click();
  const merge = page.getByRole('dialog', { name: 'Merge 2 entries' });
  await merge.getByLabel('Into').selectOption({ label: 'loom (notes)' });
  await expectAccessible(page);
  await shot(page, 'memory-bulk-merge');
  await merge.getByRole('button', { name: 'Merge', exact: true }).click();
  await page.getByText('1 entry merged').waitFor();
  assert.equal((await get('notes', 'loom')).content, 'A note about the loom that somebody wrote.\n\nA note about the soup that somebody wrote.');
  assert.ok((await get('notes', 'soup')).superseded_at, 'the other stays, marked');
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await page.getByText('2 entries as before').waitFor();
  assert.equal((await get('notes', 'loom')).content, 'A note about the loom that somebody wrote.');
  await page.close();

  // On a phone.
  const phone = await visitor({ size: 'phone', theme: 'dark' });
  const small = await arrive(phone, '/memory?ns=notes');
  await small.getByRole('checkbox', { name: 'Choose soup', exact: true }).check();
  await small.getByRole('region', { name: 'Chosen entries' }).waitFor();
  await expectAccessible(small);
  await shot(small, 'memory-bulk-phone');
});

story('what says nearly the same is cleaned up after a look, and comes back', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  for (const key of ['first', 'second', 'third']) {
    const content = 'We keep the connection pool at 20, because every replica opens its own and the database refuses more.';
    await server.api('PUT', `/api/v1/memory/notes/${key}`, { token, body: { content } });
  }
  const ada = await visitor();
  const page = await arrive(ada, '/memory/health');
  const copies = page.getByRole('region', { name: 'Say nearly the same' });
  await copies.getByRole('button', { name: 'Clean up…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete 2 entries?' });
  await dialog.getByText('third says nearly the same and stays').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-clean-up');
  await dialog.getByRole('button', { name: 'Delete 2 entries' }).click();
  await page.getByText('2 entries deleted').waitFor();
  await copies.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await copies.waitFor();
});

story('what a lasso encloses is set aside together', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  for (const n of [1, 2, 3]) {
    await server.api('PUT', `/api/v1/memory/notes/loom-${n}`, { token, body: { content: `The loom needs thread number ${n}` } });
  }
  const ada = await visitor();
  const page = await arrive(ada, '/memory/map?ns=notes');
  await page.getByRole('img', { name: /Map of 3 entries/ }).waitFor();
  await page.getByRole('button', { name: 'Lasso' }).click();
  const { x, y, width, height } = await page.getByRole('img', { name: /Map of 3 entries/ }).boundingBox();
  await page.mouse.move(x + 2, y + 2);
  await page.mouse.down();
  for (const [across, down] of [[0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]) await page.mouse.move(x + across * width, y + down * height, { steps: 4 });
  await page.mouse.up();
  const bar = page.getByRole('region', { name: 'Chosen entries' });
  await bar.getByText('3 entries chosen').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-map-bulk');
  await bar.getByRole('button', { name: 'Set aside' }).click();
  await page.getByText('3 entries set aside').waitFor();
  await page.getByText('Nothing to draw').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('img', { name: /Map of 3 entries/ }).waitFor();
});
