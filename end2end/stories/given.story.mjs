// A step that failed holds its run: somebody does its work, says what it gives, and the run goes on from there.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const door = { id: 'door', kind: 'wait', name: 'Wait at the door', config: { until: 'never' }, on_error: 'pause' };
const definition = {
  weft: 1,
  name: 'Knocks',
  steps: [
    {
      id: 'each', kind: 'map', name: 'For each door', position: { x: 40, y: 40 },
      config: { items: ['front', 'back'], concurrency: 1 }, body: { steps: [door] },
    },
    { id: 'say', kind: 'transform', name: 'Say how long', position: { x: 40, y: 168 }, config: { value: '{{ steps.each.output[0].waited_ms }}' } },
  ],
  edges: [{ from: 'each', to: 'say' }],
  output: '{{ steps.say.output }}',
};

story('a step that failed inside of a map gets its output by hand, and the run goes on from it', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', definition);
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const { run_id: run } = await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });

  // The page says which step it is, by its path, at which attempt, and what would help.
  const ada = await visitor();
  ada.allow(/\b422\b/); // an output that is none of the kind's
  const page = await arrive(ada, `/runs/${run}?step=each`);
  const status = page.locator('.page-head .status');
  await status.getByText('Paused').waitFor();
  const why = page.getByRole('region', { name: 'Why is it waiting?' });
  await why.getByText('each[0].door').waitFor();
  await why.getByText('Tries again when the run is resumed, as attempt 2').waitFor();
  await why.getByText('Give its output by hand').waitFor();
  await page.getByRole('link', { name: /Item 1/ }).click();
  const inner = page.getByRole('link', { name: /Wait at the door/ });
  await inner.getByText(/tries again after: /).waitFor();
  await inner.click();
  await page.getByText('Pause before attempt 2').waitFor();
  await expectAccessible(page);
  await shot(page, 'give-inside');

  // What is missing, and what is none of the kind's, is said, and nothing happens.
  await page.getByRole('button', { name: 'Give its output…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Give its output by hand' });
  await dialog.getByText('JSON: an object with waited_ms.').waitFor();
  await dialog.getByLabel('Output').fill('{"waited_ms": "long"}');
  const give = dialog.getByRole('button', { name: 'Give it' });
  await give.click();
  await dialog.getByRole('alert').getByText('The reason is missing.').waitFor();
  await dialog.getByLabel('Why').fill('Somebody waited there.');
  await give.click();
  await dialog.getByRole('alert').getByText(/waited_ms/).waitFor();
  await expectAccessible(page);
  await shot(page, 'give-refused');

  await dialog.getByLabel('Output').fill('{"waited_ms": 5}');
  await give.click();
  await page.getByText('The step ended with what you gave. The run goes on when it is resumed.').waitFor();
  await page.getByText('gave its output by hand: Somebody waited there.').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await why.getByText('each[1].door').waitFor();

  // The other one over REST.
  await call('POST', `/api/v1/runs/${run}/give-output`, { step: 'each[1].door', output: { waited_ms: 7 }, reason: 'There, too.' });
  await call('POST', `/api/v1/runs/${run}/resume`);
  await status.getByText('Succeeded').waitFor({ timeout: 30_000 });
  const ended = await call('GET', `/api/v1/runs/${run}`);
  assert.equal(ended.output, 5);
  const { items } = await call('GET', `/api/v1/runs/${run}/events`);
  const reasons = items.filter((event) => event.data?.given).map((event) => event.data.given.reason);
  assert.deepEqual(reasons, ['Somebody waited there.', 'There, too.']);

  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(`/runs/${run}?step=each&at=each%5B0%5D.door`);
  await phone.getByText('gave its output by hand: Somebody waited there.').waitFor();
  await expectAccessible(phone);
  await shot(phone, 'given-phone');
});
