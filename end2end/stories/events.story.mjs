// A run waits for something outside that nobody reports: somebody sends the event from its page, and it goes on.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const definition = {
  weft: 1,
  name: 'Ship what is paid',
  steps: [
    { id: 'paid', kind: 'event', name: 'Wait for the money', config: { key: 'paid/4711', match: { currency: 'EUR' } }, position: { x: 40, y: 40 } },
    { id: 'ship', kind: 'transform', name: 'Ship it', config: { value: { amount: '{{ steps.paid.output.amount }}' } }, position: { x: 40, y: 168 } },
  ],
  edges: [{ from: 'paid', to: 'ship' }],
  output: '{{ steps.ship.output }}',
};

story('an event that a run waits for is sent from its page', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', definition);
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const { run_id: run } = await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });

  const ada = await visitor();
  const page = await arrive(ada, `/runs/${run}`);
  const status = page.locator('.page-head .status');
  await status.getByText('Waiting').waitFor();
  const why = page.getByRole('region', { name: 'Why is it waiting?' });
  await why.getByText('paid/4711').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'event-waits');
  await why.getByRole('button', { name: 'Send the event…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Send an event' });
  const send = dialog.getByRole('button', { name: 'Send it' });

  // What is no JSON is said, and nothing is sent.
  await dialog.getByLabel('What it says').fill('{"amount": ');
  await send.click();
  await dialog.getByRole('alert').getByText(/is no JSON/).waitFor();
  await expectAccessible(page);
  await shot(page, 'event-refused');

  // What the step does not wait for reaches nobody; what it waits for lets the run go on.
  await dialog.getByLabel('What it says').fill('{"amount": 1, "currency": "USD"}');
  await send.click();
  await page.getByText('The event is kept; no run that waits fits what it says.').waitFor();
  await status.getByText('Waiting').waitFor();
  await why.getByRole('button', { name: 'Send the event…' }).click();
  await dialog.getByLabel('What it says').fill('{"amount": 12, "currency": "EUR"}');
  await send.click();
  await page.getByText('The event reached 1 run.').waitFor();
  await status.getByText('Succeeded').waitFor({ timeout: 30_000 });
  assert.deepEqual((await call('GET', `/api/v1/runs/${run}`)).output, { amount: 12 });

  const { run_id: other } = await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });
  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(`/runs/${other}`);
  await phone.getByRole('button', { name: 'Send the event…' }).waitFor();
  const wider = await phone.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `the page scrolls sideways by ${wider} px`);
  await expectAccessible(phone);
  await shot(phone, 'event-phone');
});
