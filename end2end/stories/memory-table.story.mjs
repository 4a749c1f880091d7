// Somebody looks through many entries as a table: sorted, by keys, with columns of their own, and on a phone as cards.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('a table of many entries is sorted, walked by keys and scrolled with few rows drawn', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const lines = Array.from({ length: 900 }, (_, n) => JSON.stringify({
    namespace: n % 2 ? 'notes' : 'notes/even', key: `entry-${String(n).padStart(4, '0')}`, content: `Note number ${n}. ${'word '.repeat(n % 7)}`,
  }));
  const answer = await fetch(`${server.url}/api/v1/memory/import`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' }, body: lines.join('\n'),
  });
  assert.equal((await answer.json()).imported, 900);

  const ada = await visitor();
  const page = await arrive(ada, '/memory?ns=notes');
  const grid = page.getByRole('grid', { name: 'Entries' });
  await page.getByText('900 entries').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-table');

  // The server sorts, and the address says how.
  await grid.getByRole('button', { name: 'Key' }).click();
  await page.waitForURL(/sort=key/);
  await grid.getByRole('link', { name: 'entry-0000' }).waitFor();
  await grid.getByRole('button', { name: 'Key' }).click();
  await page.waitForURL(/sort=-key/);
  await grid.getByRole('link', { name: 'entry-0899' }).waitFor();
  assert.equal(await grid.getByRole('columnheader', { name: 'Key' }).getAttribute('aria-sort'), 'descending');

  // Keys move, choose and open.
  await grid.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  const bar = page.getByRole('region', { name: 'Chosen entries' });
  await bar.getByText('3 entries chosen').waitFor();
  await page.keyboard.press('Shift+ArrowUp');
  await bar.getByText('2 entries chosen').waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/key=entry-0898/);
  await page.getByRole('complementary', { name: 'Entry' }).getByText('Note number 898.').waitFor();

  // The last of them is a key away, and few rows are drawn at any time.
  await grid.focus();
  await page.keyboard.press('End');
  await grid.getByRole('link', { name: 'entry-0000' }).waitFor();
  assert.ok((await grid.getByRole('row').count()) < 80, 'the rows that are drawn are few');
  assert.equal(await grid.getAttribute('aria-rowcount'), '901');

  // The columns are kept in this browser.
  await page.getByRole('button', { name: 'Columns…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Columns' });
  await dialog.getByLabel('Size').check();
  await dialog.getByLabel('Namespace').uncheck();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.reload();
  await grid.getByRole('columnheader', { name: 'Size' }).waitFor();
  assert.equal(await grid.getByRole('columnheader', { name: 'Namespace' }).count(), 0);

  // What somebody else writes comes without a jump.
  await page.goto('/memory?ns=notes');
  await page.getByText('900 entries').waitFor();
  await server.api('PUT', '/api/v1/memory/notes/newest', { token, body: { content: 'Written meanwhile.' } });
  await grid.getByRole('link', { name: 'newest' }).waitFor();
  await page.close();

  const phone = await visitor({ size: 'phone', theme: 'dark' });
  const small = await arrive(phone, '/memory?ns=notes');
  await small.getByRole('grid', { name: 'Entries' }).getByRole('link').first().waitFor();
  await small.getByLabel('Sort by').selectOption('size');
  await small.waitForURL(/sort=-size/);
  await expectAccessible(small);
  await shot(small, 'memory-table-phone');
});
