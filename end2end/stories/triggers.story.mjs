// What starts runs by itself: a schedule that says when, a webhook that is called as other programs do, and what became of it.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** A published workflow that answers whoever called. */
async function furnish(server) {
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', {
    weft: 1,
    name: 'Greets',
    inputs: { type: 'object', properties: { who: { type: 'string', title: 'Whom' } } },
    steps: [{ id: 'say', kind: 'respond', config: { status: 201, json: { hello: '{{ inputs.who }}' } } }],
  });
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
}

story('a schedule is made and says when it fires; a webhook is called and answers', { timeoutMs: 240_000 }, async ({ server, visitor }) => {
  await server.setUp();
  await furnish(server);
  const ada = await visitor();
  const page = await arrive(ada);

  // A schedule: what the expression means stands under it while it is typed.
  await page.getByRole('link', { name: 'Triggers' }).first().click();
  await page.getByRole('heading', { name: 'No schedules yet' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'New schedule' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Zone', { exact: true }).inputValue(), 'Europe/London');
  await dialog.getByRole('textbox', { name: 'Times' }).fill('0 25 * * *');
  await dialog.getByText('hour: expected 0 to 23, found 25').waitFor();
  await dialog.getByRole('textbox', { name: 'Times' }).fill('30 9 * * MON-FRI');
  await dialog.getByText('At 09:30 on Monday to Friday').waitFor();
  await dialog.getByLabel('Zone', { exact: true }).fill('Europe/Berlin');
  await dialog.locator('.reading li', { hasText: /09:30 CES?T/ }).first().waitFor();
  assert.equal(await dialog.locator('.reading li').count(), 5);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText('choose a workflow', { exact: true }).waitFor();
  await dialog.getByLabel('Starts').selectOption({ label: 'Greets' });
  await dialog.getByLabel('Whom').fill('the morning');
  await dialog.getByLabel('Name').fill('Every morning');
  await expectAccessible(page, { within: 'dialog[open]' });
  await shot(page, 'trigger-schedule-dialog');
  await dialog.getByRole('button', { name: 'Create' }).click();
  const row = page.getByRole('row', { name: /Every morning/ });
  await row.getByText(/09:30 CES?T/).waitFor();

  // Fired by hand: a real run, with what was filled in.
  await page.getByRole('button', { name: 'Actions for Every morning' }).click();
  await page.getByRole('menuitem', { name: 'Fire now…' }).click();
  await page.getByRole('dialog', { name: 'Fire Every morning' }).getByRole('button', { name: 'Fire now' }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
  await page.locator('.page-head .status').getByText('Succeeded').waitFor();
  await page.goto('/triggers');
  await page.getByRole('row', { name: /Every morning.*Started/ }).waitFor();
  await page.getByRole('link', { name: 'Every morning' }).click();
  await page.getByRole('heading', { name: 'Next', exact: true }).waitFor();
  await page.getByRole('row', { name: /Fired by hand by/ }).waitFor();
  await expectAccessible(page);

  // Off and on again, at once.
  const on = page.getByRole('switch', { name: 'Every morning is on' });
  await on.uncheck();
  await page.getByText('It is off.').waitFor();
  await page.getByRole('switch', { name: 'Every morning is on' }).check();
  await page.locator('.item-row', { hasText: /09:30 CES?T/ }).first().waitFor();

  // A webhook: its address is shown once.
  await page.goto('/triggers?show=webhooks');
  await page.getByRole('button', { name: 'New webhook' }).click();
  await dialog.getByLabel('Starts').selectOption({ label: 'Greets' });
  await dialog.getByLabel('The caller gets').selectOption('wait');
  await dialog.getByLabel('Name').fill('From outside');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('dialog', { name: 'Keep this now' }).waitFor();
  const url = await dialog.locator('.secret code').first().innerText();
  assert.match(url, /\/api\/v1\/hooks\/[0-9a-f-]{36}\/[\w-]{43}$/);
  await dialog.getByText('curl -X POST').waitFor();
  await expectAccessible(page, { within: 'dialog[open]' });
  await shot(page, 'trigger-webhook-made');
  await dialog.getByRole('button', { name: 'Done' }).click();

  // Called as another program would; the run's own step answers.
  const deliver = (id) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', 'webhook-id': id }, body: JSON.stringify({ who: 'you' }) });
  const answer = await deliver('msg_1');
  assert.equal(answer.status, 201);
  assert.deepEqual(await answer.json(), { hello: 'you' });
  assert.equal((await deliver('msg_1')).status, 200);
  assert.equal((await fetch(`${url}x`, { method: 'POST' })).status, 404);

  // Seen live on its page, with the run.
  await page.getByRole('row', { name: /From outside.*Duplicate/ }).waitFor();
  await page.getByRole('link', { name: 'From outside' }).click();
  await page.getByRole('row', { name: /Started/ }).getByRole('link', { name: 'Open the run' }).waitFor();
  await page.getByRole('row', { name: /came before/ }).waitFor();
  assert.ok(!(await page.content()).includes(url.split('/').pop()), 'the token is not shown again');
  await expectAccessible(page);
  await page.getByRole('row', { name: /Started/ }).getByRole('link', { name: 'Open the run' }).click();
  await page.locator('.page-head .status').getByText('Succeeded').waitFor();
  await page.goto('/triggers?show=firings');
  assert.equal(await page.getByRole('row').count(), 4);
  await expectAccessible(page);
});
