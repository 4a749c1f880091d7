// Two runs under one key: the second waits, says for what, and goes on by itself when the first is cancelled.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const definition = {
  weft: 1,
  name: 'Nightly invoices',
  inputs: { type: 'object', required: ['customer'], properties: { customer: { type: 'string' } } },
  steps: [{ id: 'hold', kind: 'wait', name: 'Wait for the bank', config: { ms: 3_600_000 }, position: { x: 40, y: 40 } }],
};

story('a run that waits says why, and goes on when the one before it is cancelled', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', definition);

  // The limit is set in the designer, where it is folded away until it is wanted.
  const ada = await visitor();
  const page = await arrive(ada, `/workflows/${workflow.id}`);
  const inspector = page.getByRole('complementary', { name: 'Inspector' });
  await inspector.getByText('Runs at a time').click();
  await inspector.getByLabel('Key').first().fill('{{ steps.hold.output }}');
  await inspector.getByLabel('Key').first().press('Tab');
  await inspector.getByText('is not known yet').waitFor();
  await inspector.getByLabel('Key').first().fill('{{ inputs.customer }}');
  await inspector.getByLabel('Key').first().press('Tab');
  await inspector.getByText('is not known yet').waitFor({ state: 'detached' });
  await inspector.getByLabel('A run that finds its key full').waitFor();
  await inspector.getByText('1 for each key').waitFor();
  await expectAccessible(page);
  await shot(page, 'limits');
  const saved = async () => (await call('GET', `/api/v1/workflows/${workflow.id}`)).draft.flow?.concurrency?.key;
  for (let tries = 0; (await saved()) !== '{{ inputs.customer }}'; tries += 1) {
    assert.ok(tries < 50, 'the draft is saved');
    await page.waitForTimeout(100);
  }
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);

  const execute = () => call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: { customer: 'acme' } });
  const first = (await execute()).run_id;
  const second = (await execute()).run_id;

  // The second says why, to people and to programs.
  await page.goto(`/runs/${second}`);
  const status = page.locator('.page-head .status');
  await status.getByText('Queued').waitFor();
  const why = page.getByRole('region', { name: 'Why is it waiting?' });
  await why.getByText('Waits for a place under the key “acme”').waitFor();
  await why.getByText('Place 1 in the queue').waitFor();
  await expectAccessible(page);
  await shot(page, 'why-is-it-waiting');
  const { items } = await call('GET', `/api/v1/runs/${second}/waiting`);
  assert.equal(items.length, 1);
  assert.equal(items[0].code, 'concurrency_key');
  assert.equal(items[0].unblocks[0].run, first);

  const list = await (await ada.again({})).open('/runs');
  await list.getByText('Waits for a place under the key “acme”').waitFor();

  // How long ended runs are kept is said, and changed, above them.
  await list.getByRole('button', { name: 'How long runs are kept…' }).click();
  const keep = list.getByRole('dialog', { name: 'How long ended runs are kept' });
  await keep.getByText('as the server has it, 90').waitFor();
  await keep.getByLabel('Days').fill('0');
  await keep.getByText('Expected 1 to 3650 days, or nothing').waitFor();
  await keep.getByLabel('Days').fill('30');
  await expectAccessible(list);
  await shot(list, 'runs-kept');
  await keep.getByRole('button', { name: 'Keep them so long' }).click();
  await list.getByText('Ended runs are kept for 30 days.').waitFor();
  assert.deepEqual(await call('GET', '/api/v1/workspace/retention'), { days: 30, server_days: 90 });

  // And how many runs there may be.
  await list.getByRole('button', { name: 'How many runs at once…' }).click();
  const many = list.getByRole('dialog', { name: 'How many runs at once' });
  await many.getByText('as the server has it, any number').waitFor();
  await many.getByLabel('Runs in progress').fill('none');
  await many.getByText('Expected 1 to 1000000, or nothing').waitFor();
  await many.getByLabel('Runs in progress').fill('50');
  await expectAccessible(list);
  await shot(list, 'runs-quotas');
  await many.getByRole('button', { name: 'Allow so many' }).click();
  await list.getByText('At most 50 in progress, at most 10000 that wait.').waitFor();
  const quotas = { max_queued_runs: null, max_running_runs: 50, server_max_queued_runs: 10_000, server_max_running_runs: null };
  assert.deepEqual(await call('GET', '/api/v1/workspace/quotas'), quotas);
  await list.close();
  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(`/runs/${second}`);
  await phone.getByRole('region', { name: 'Why is it waiting?' }).waitFor();
  await expectAccessible(phone);
  await shot(phone, 'why-is-it-waiting-phone');
  await phone.close();

  // Its page leads to the run that holds the place. On a slow line the one before stays in sight meanwhile, but can't be
  // pressed: whoever means to cancel the first does not cancel the second.
  const holder = await (await ada.again({})).open(`/runs/${second}`);
  let letThrough;
  const held = new Promise((resolve) => (letThrough = resolve));
  await holder.route('**/rpc/runs/**', async (route) => {
    await held;
    await route.continue();
  });
  await holder.getByRole('region', { name: 'Why is it waiting?' }).getByRole('link', { name: 'Nightly invoices' }).click();
  await holder.waitForURL(`**/runs/${first}`);
  await holder.locator('.loaded[inert]').waitFor({ state: 'attached' });
  const cancel = holder.getByRole('button', { name: 'Cancel', exact: true });
  await assert.rejects(cancel.click({ timeout: 500 }), /Timeout/, 'what is shown of the other run takes no click');
  letThrough();
  // Cancelling the first lets the second begin, by itself.
  await cancel.click();
  await holder.locator('.page-head .status').getByText('Cancelled').waitFor();
  await status.getByText('Waiting').waitFor({ timeout: 15_000 });
  await why.getByText('Waits for its time.').waitFor();
  await why.getByText('acme').waitFor({ state: 'detached' });
});
