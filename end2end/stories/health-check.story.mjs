// The way a newcomer goes: an owner account, a template, a run on a real checkout, its report, and the memory of it.

import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectAccessible, shot, story } from '../harness.mjs';
import { createOwner } from '../people.mjs';

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

story('the template that checks a repository runs on this checkout and is remembered', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  const ada = await visitor();
  const page = await createOwner(ada, server);

  await page.goto('/workflows');
  const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Repository health check' }) });
  await card.getByRole('button', { name: 'Use this template' }).click();
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);

  // Tried out on the canvas: each step shows how it fares, the branch that is not taken as well.
  await page.getByRole('button', { name: 'Test run' }).click();
  const trial = page.getByRole('dialog', { name: 'Test run' });
  await trial.getByRole('textbox').first().fill(checkout);
  await trial.getByRole('button', { name: 'Start test run' }).click();
  await page.locator('.node[data-status="running"]', { hasText: 'Scan the code' }).waitFor();
  await page.locator('.node[data-status="succeeded"]', { hasText: 'Remember the report' }).waitFor({ timeout: 60_000 });
  assert.equal(await page.locator('.node[data-status="succeeded"]').count(), 6);
  assert.equal(await page.locator('.node[data-status="skipped"]').count(), 1);
  await shot(page, 'designer-test-run');

  await page.goto('/workflows');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Actions for Repository health check' }).click();
  await page.getByRole('menuitem', { name: 'Run…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Run a workflow' });

  // What is required and missing is said beside its field, before anything is sent.
  await dialog.getByRole('button', { name: 'Start the run' }).click();
  await dialog.getByText('this is required').waitFor();
  await dialog.getByLabel('Path').fill(checkout);
  await expectAccessible(page, { within: 'dialog[open]' });
  await dialog.getByRole('button', { name: 'Start the run' }).click();

  // Watched live: no reload between here and the end.
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
  const status = page.locator('.page-head .status');
  await status.getByText('Succeeded').waitFor({ timeout: 120_000 });
  const rows = page.locator('.gantt-row');
  assert.equal(await rows.count(), 7);
  await page.getByRole('heading', { name: `Health of ${checkout}` }).waitFor();
  await expectAccessible(page);
  await shot(page, 'run-report');

  await rows.filter({ hasText: 'Scan the code' }).click();
  await page.waitForURL(/step=scan/);
  await page.getByRole('tabpanel').getByText('files').first().waitFor();
  await page.getByRole('tab', { name: 'Input' }).click();
  await page.getByRole('tabpanel').getByText(checkout).first().waitFor();
  await page.getByRole('link', { name: 'Graph' }).click();
  await page.locator('.run-graph .node[data-status="succeeded"]').first().waitFor();
  await expectAccessible(page);

  // The same URL brings back the same place, and the list knows the run.
  await page.reload();
  await page.locator('.run-graph .node[aria-current="true"]', { hasText: 'Scan the code' }).waitFor();
  await page.goto('/runs');
  await page.getByRole('row', { name: /Repository health check.*Succeeded/ }).first().waitFor();
  await expectAccessible(page);

  // The report is found by its words, and opens.
  await page.goto('/memory');
  await page.getByRole('searchbox').first().fill('health');
  await page.getByText(/found in/).waitFor();
  await page.getByRole('link', { name: checkout }).first().click();
  await page.getByRole('heading', { name: `Health of ${checkout}` }).waitFor();
  await expectAccessible(page);
});
