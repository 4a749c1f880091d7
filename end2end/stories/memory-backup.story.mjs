// Somebody has a namespace copied by itself, sees what came of it, and brings a copy back.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const folder = mkdtempSync(join(tmpdir(), 'weft-backups-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

story('a namespace is copied by itself and comes back', { env: { WEFT_BACKUP_DIR: folder } }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('PUT', '/memory/notes/loom', { content: 'The loom has 20 shafts.' });
  await call('PUT', '/memory/notes/thread', { content: 'The thread is red.' });

  const ada = await visitor();
  ada.allow(/\b422\b/);
  const page = await arrive(ada, '/memory/backups');
  await page.getByText('Nothing is copied by itself.').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add backup' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add backup' });
  await dialog.getByLabel('Namespace').fill('notes');
  await dialog.getByLabel('Folder', { exact: true }).fill('../up');
  await dialog.getByRole('button', { name: 'Save backup' }).click();
  await dialog.getByText('expected names with / between').waitFor();
  await dialog.getByLabel('Folder', { exact: true }).fill('daily');
  await dialog.getByLabel('When').selectOption('cron');
  await dialog.getByLabel('Times').fill('often');
  await dialog.getByRole('button', { name: 'Save backup' }).click();
  await dialog.getByRole('textbox', { name: 'Times' }).and(page.locator('[aria-invalid="true"]')).waitFor();
  await dialog.getByLabel('Times').fill('30 2 * * *');
  await dialog.getByLabel('Zone').fill('Europe/Berlin');
  await expectAccessible(page);
  await shot(page, 'memory-backup-form');
  await dialog.getByRole('button', { name: 'Save backup' }).click();
  await page.getByText('Saved; the backup is switched on').waitFor();

  const backup = page.getByRole('region', { name: 'Backup of notes' });
  await backup.getByText('Copied at 30 2 * * * (Europe/Berlin), to the folder daily; the last 7 are kept.').waitFor();
  await backup.getByText('No copy was made yet.').waitFor();
  await backup.getByRole('button', { name: 'Copy now' }).click();
  await backup.getByText(/^2 entries, .* in /).waitFor();
  const [workspace] = readdirSync(folder);
  const [file] = readdirSync(join(folder, workspace, 'daily'));
  const lines = readFileSync(join(folder, workspace, 'daily', file), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.key).sort(), ['loom', 'thread']);
  await expectAccessible(page);

  await call('PUT', '/memory/notes/loom', { content: 'The loom has 24 shafts.' });
  await call('DELETE', '/memory/notes/thread');
  await backup.getByRole('button', { name: /^Restore notes-/ }).click();
  const back = page.getByRole('dialog', { name: 'Restore a copy' });
  await back.getByText('1 would come back, 1 would get a new version, 0 are as in the copy.').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-backup-restore');
  await back.getByRole('button', { name: 'Restore copy' }).click();
  await page.getByText('1 came back, 1 got a new version').waitFor();
  assert.equal((await call('GET', '/memory/notes/loom')).content, 'The loom has 20 shafts.');
  assert.equal((await call('GET', '/memory/notes/thread')).content, 'The thread is red.');

  for (const [size, theme] of [['desktop', 'dark'], ['phone', 'light']]) {
    const other = await visitor({ size, theme });
    const there = await arrive(other, '/memory/backups');
    await there.getByRole('region', { name: 'Backup of notes' }).getByText('Done').waitFor();
    await expectAccessible(there);
    await shot(there, `memory-backups-${size}-${theme}`);
    await there.close();
  }

  await backup.getByRole('button', { name: 'Delete the backup of notes' }).click();
  await page.getByRole('dialog', { name: 'Delete the backup of notes?' }).getByRole('button', { name: 'Delete backup' }).click();
  await page.getByText('Nothing is copied by itself.').waitFor();
  assert.equal(readdirSync(join(folder, workspace, 'daily')).length, 1, 'the copies stay');
});
