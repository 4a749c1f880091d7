// Somebody limits what models may cost: a program is refused when the money is used up, and a run waits until there is more.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** A model server that always says the same, for 2,000 tokens; on loopback. */
async function upstream() {
  const usage = { prompt_tokens: 1_000, completion_tokens: 1_000 };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      const message = { role: 'assistant', content: 'A loom.' };
      if (!JSON.parse(text).stream) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ id: 'c1', object: 'chat.completion', created: 1, model: 'big', usage, choices: [{ index: 0, finish_reason: 'stop', message }] }));
        return;
      }
      const chunk = (choices, more = {}) => `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'big', choices, ...more })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk([{ index: 0, delta: message, finish_reason: null }]));
      response.write(chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]));
      response.end(`${chunk([], { usage })}data: [DONE]\n\n`);
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  // A story that fails does not wait for it.
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

story('a budget stops a program, and a run waits until there is more', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await upstream();
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  const provider = await call('POST', '/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  // A call takes two cents.
  await call('POST', `/providers/${provider.id}/prices`, { model: 'big', input: 10_000_000, output: 10_000_000 });

  const ada = await visitor();
  ada.allow(/\b422\b/); // what is no amount
  const page = await arrive(ada, '/gateway/budgets');
  await page.getByText('No budgets').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add a budget' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add a budget' });
  await dialog.getByLabel('Name').fill('Everybody together');
  await dialog.getByLabel('US dollars').fill('a little');
  await dialog.getByRole('button', { name: 'Add the budget' }).click();
  await dialog.getByText('expected dollars, such as 25 or 0.50').waitFor();
  await expectAccessible(page);
  await shot(page, 'budget-dialog');
  await dialog.getByLabel('US dollars').fill('0.05');
  await dialog.getByLabel('In', { exact: true }).selectOption('day');
  await dialog.getByRole('button', { name: 'Add the budget' }).click();
  const row = page.getByRole('row', { name: /Everybody together/ });
  await row.getByText('Nothing yet').waitFor();
  await row.getByText('The whole workspace, $0.05 a day; then calls are refused').waitFor();

  // A program finds the money used up, in words that it knows.
  const { secret } = await call('POST', '/gateway/keys', { name: 'SDK' });
  const ask = () => fetch(`${server.url}/api/v1/gateway/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'big', messages: [{ role: 'user', content: 'What is this?' }] }),
  });
  let answer = await ask();
  assert.equal(answer.status, 200);
  for (let count = 1; answer.status === 200 && count < 5; count += 1) {
    // An answer does not wait until its cost is known, and what it might cost is held back until then.
    for (let logged = 0; logged < count;) logged = (await call('GET', '/gateway/calls')).items.length;
    answer = await ask();
  }
  assert.equal(answer.status, 429);
  assert.equal((await answer.json()).error.code, 'insufficient_quota');

  // A run pauses instead of failing, and says why.
  const workflow = await call('POST', '/workflows', {
    weft: 1, name: 'Ask once', steps: [{ id: 'ask', kind: 'prompt', name: 'Ask', config: { prompt: 'What is this?' } }], output: '{{ steps.ask.output.text }}',
  });
  await call('POST', `/workflows/${workflow.id}/publish`);
  // Before the first run the designer tells what it may cost, and how that was reckoned.
  await page.goto(`/workflows/${workflow.id}`);
  await page.getByText('What a run may cost').waitFor();
  await page.locator('.node-cost', { hasText: /^est\. up to .* tokens, \$/ }).waitFor();
  await expectAccessible(page);
  await shot(page, 'estimate-of-a-run');
  await page.locator('.node').first().click();
  await page.getByText(/Before its first run: it may cost .* at acme\/big/).waitFor();
  const { run_id: run } = await call('POST', `/workflows/${workflow.id}/execute`, { inputs: {} });
  await page.goto(`/runs/${run}`);
  await page.getByText(/the budget "Everybody together" is used up/).first().waitFor();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await page.getByText('Raise the budget, and resume the run').waitFor();
  await expectAccessible(page);
  await shot(page, 'budget-run');

  // There is more, and it goes on.
  await page.goto('/gateway/budgets');
  await row.getByText(/Nearly used up|Used up/).waitFor();
  await row.getByText(/\$0\.040 of \$0\.05/).waitFor();
  await expectAccessible(page);
  await shot(page, 'budgets');
  await row.getByRole('button', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit the budget' });
  await edit.getByLabel('US dollars').fill('$1,000');
  await edit.getByRole('button', { name: 'Save' }).click();
  await row.getByText(/of \$1000\.00/).first().waitFor();
  await page.goto(`/runs/${run}`);
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('A loom.').first().waitFor();

  // The designer tells what that took.
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await call('GET', `/workflows/${workflow.id}/costs`)).steps.length) break;
  }
  await page.goto(`/workflows/${workflow.id}`);
  await page.getByText('What a run cost').waitFor();
  await page.locator('.node-cost', { hasText: 'usually 1,000 → 1,000 tokens, $0.020' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'costs-of-a-run');
  await page.locator('.node').first().click();
  await page.getByText('A call took 1,000 → 1,000 tokens and $0.020: 1 call in 1 run of the last 1.').waitFor();
  await expectAccessible(page);
  await shot(page, 'costs-of-a-step');

  await page.goto('/gateway/budgets');
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog', { name: 'Delete Everybody together?' }).getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No budgets').waitFor();
  models.close();
});
