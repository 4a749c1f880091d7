// The dashboard: from nothing to runs that show as they happen, by pointer and by keys, at every size and in both themes.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** One step that succeeds, fails until a file is there, or waits. */
const workflows = (folder) => [
  { weft: 1, name: 'Tidy notes', steps: [{ id: 'a', kind: 'transform', name: 'Tidy', config: { value: { ok: true } } }] },
  {
    weft: 1,
    name: 'Check the gate',
    steps: [
      {
        id: 'gate',
        kind: 'shell',
        name: 'Look at the gate',
        config: { script: 'echo "the gate is shut" >&2; test -e open', interpreter: '/bin/sh', cwd: folder },
      },
    ],
  },
  { weft: 1, name: 'Wait for evening', steps: [{ id: 'w', kind: 'wait', name: 'Wait', config: { ms: 600_000 } }] },
];

/** Publishes the workflows and returns what starts them by name. */
async function publish(server) {
  const token = await server.token();
  const ids = {};
  for (const body of workflows(server.folder)) {
    const { id, name } = await server.api('POST', '/api/v1/workflows', { body, token });
    await server.api('POST', `/api/v1/workflows/${id}/publish`, { token });
    ids[name] = id;
  }
  return (name) => server.api('POST', `/api/v1/workflows/${ids[name]}/execute`, { body: { inputs: {} }, token });
}

story('the dashboard begins empty, follows what happens, and leads to it', async ({ server, visitor }) => {
  await server.setUp();
  const start = await publish(server);
  const ada = await visitor();
  const page = await arrive(ada);

  // Nothing has run: the page says what to do next.
  await page.getByRole('heading', { name: 'Nothing has run yet' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Open a template' }).getAttribute('href'), '/workflows?new=template');
  await expectAccessible(page);
  await shot(page, 'dashboard-empty');

  // Runs that begin elsewhere show without a reload.
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  for (let i = 0; i < 6; i++) await start('Tidy notes');
  await start('Check the gate');
  await start('Wait for evening');
  await page.getByRole('heading', { name: 'Needs you' }).waitFor();
  const running = page.getByRole('region', { name: 'Running now' });
  await running.getByRole('link', { name: /Wait for evening/ }).waitFor();
  const failures = page.getByRole('table').filter({ hasText: 'Check the gate' });
  await failures.getByRole('link', { name: /Check the gate/ }).waitFor();
  assert.ok(!requests.some((url) => new URL(url).pathname === '/'), 'the page was loaded again');

  // The chart is read by keys, and as a table.
  const chart = page.getByRole('group', { name: /^Runs by hour over the last 24 hours: 8\./ });
  await chart.focus();
  await page.keyboard.press('End');
  await page.locator('.tip').getByText('Succeeded').waitFor();
  assert.match(await page.locator('.tip').innerText(), /Succeeded\s*6/);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.tip').count(), 0);
  await page.getByRole('region', { name: 'Runs by hour' }).getByRole('button', { name: 'As table' }).click();
  await page.getByRole('row', { name: /6 – 1 1$/ }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'As chart' }).click();
  await shot(page, 'dashboard-light', { fullPage: true });

  // The period stands in the address.
  await page.getByRole('link', { name: '7 days' }).click();
  await page.getByRole('heading', { name: 'Runs by day' }).waitFor();
  assert.equal(new URL(page.url()).search, '?period=week');

  // What failed is tried again from here, and goes from here once it succeeds.
  writeFileSync(join(server.folder, 'open'), '');
  await failures.getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('heading', { name: 'Needs you' }).waitFor({ state: 'detached' });
  await page.getByText('No run failed in 7 days.').waitFor();

  // The palette's "Run a workflow" asks here what to run.
  await page.goto('/?run=choose');
  const dialog = page.getByRole('dialog', { name: 'Run a workflow' });
  await dialog.getByLabel('Workflow').selectOption({ label: 'Tidy notes' });
  await expectAccessible(page, { within: 'dialog[open]' });
  await dialog.getByRole('button', { name: 'Start the run' }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);

  for (const options of [{ theme: 'dark' }, { size: 'phone' }, { size: 'phone', theme: 'dark' }]) {
    const there = await (await ada.again(options)).open('/');
    await there.getByRole('heading', { name: 'Runs by hour' }).waitFor();
    const wide = await there.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `the page scrolls sideways by ${wide} px`);
    await expectAccessible(there);
    await shot(there, `dashboard-${options.size ?? 'desktop'}-${options.theme ?? 'light'}`);
  }
});
