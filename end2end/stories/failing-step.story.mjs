// A step that fails: it is tried again, its error is shown where one looks, and a person's retry goes on from there.

import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** Fails on every attempt until the file `ready` is there, and says so on both streams. */
const definition = (folder) => ({
  weft: 1,
  name: 'Fails at first',
  steps: [
    {
      id: 'probe',
      kind: 'shell',
      name: 'Probe the file',
      config: { script: 'echo looking; echo "no ready file" >&2; test -e ready', interpreter: '/bin/sh', cwd: folder },
      retry: { max_attempts: 2, initial_ms: 100, factor: 1.0, max_ms: 100, jitter: false },
      position: { x: 40, y: 40 },
    },
    {
      id: 'after',
      kind: 'transform',
      name: 'Go on',
      config: { value: { done: true } },
      position: { x: 40, y: 168 },
    },
  ],
  edges: [{ from: 'probe', to: 'after' }],
  output: { done: '{{ steps.after.output.done }}' },
});

story('a failing step is tried again, shows its error, and succeeds after a retry', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const page = await arrive(ada);

  // Import: what does not fit is said with its place, what fits becomes a workflow.
  await page.goto('/workflows');
  await page.getByRole('button', { name: 'Import' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import a workflow' });
  await dialog.getByLabel('Text of the file').fill('weft: 1\nname: a\nstages: []\n');
  await dialog.getByRole('button', { name: 'Import the workflow' }).click();
  await dialog.getByText(/stages.*line 3/).waitFor();
  ada.allow(/422/);
  await dialog.getByLabel('Text of the file').fill(JSON.stringify(definition(server.folder)));
  await dialog.getByRole('button', { name: 'Import the workflow' }).click();
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);

  await page.goto('/workflows');
  await page.getByRole('button', { name: 'Actions for Fails at first' }).click();
  await page.getByRole('menuitem', { name: 'Run…' }).click();
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);

  const status = page.locator('.page-head .status');
  await status.getByText('Failed').waitFor({ timeout: 30_000 });
  const result = page.getByRole('region', { name: 'Result of the run' });
  await result.locator('.error-class').getByText('exit_code').waitFor();
  await result.getByRole('link', { name: 'Open Probe the file' }).click();

  await page.getByRole('tab', { name: /Attempts/ }).click();
  const attempts = page.locator('.attempts > li', { hasText: /Attempt \d/ });
  assert.equal(await attempts.count(), 2);
  await attempts.first().locator('.error-message').waitFor();
  await page.locator('.log li', { hasText: 'no ready file' }).first().waitFor();
  await expectAccessible(page);
  await shot(page, 'failed-step');

  // The cause is mended, the failed step alone is tried again, and the run goes on.
  writeFileSync(join(server.folder, 'ready'), '');
  assert.ok(existsSync(join(server.folder, 'ready')));
  await page.getByRole('button', { name: 'Retry' }).click();
  await status.getByText('Succeeded').waitFor({ timeout: 30_000 });
  await page.locator('.gantt-row', { hasText: 'Probe the file' }).getByText('passed on attempt 3').waitFor();
  await page.getByRole('button', { name: 'Retry' }).and(page.locator('[aria-disabled="true"]')).waitFor();
});
