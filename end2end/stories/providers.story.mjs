// Somebody sets up a provider on its page, tests it, changes it, and a program that is pointed at Weft gets its answer.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { expectAccessible, story } from '../harness.mjs';
import { modelServer } from '../models.mjs';
import { arrive } from '../people.mjs';

/** A model server of one answer, on loopback. */
async function upstream() {
  const server = createServer((request, response) => {
    const models = { data: [{ id: 'big' }, { id: 'small' }] };
    const answer = {
      id: 'c1', object: 'chat.completion', created: 1, model: 'big', usage: { prompt_tokens: 3, completion_tokens: 2 },
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'A loom.' } }],
    };
    request.resume().on('end', () => {
      const known = request.headers.authorization === 'Bearer sk-1234567890abcdef';
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(known ? (request.method === 'GET' ? models : answer) : { error: { message: 'who is that' } }));
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  // A story that fails does not wait for it.
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

story('a provider is added, tested and used', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await upstream();
  await server.setUp();
  const ada = await visitor();
  ada.allow(/\b422\b/); // the name that is none
  const page = await arrive(ada, '/providers');
  await page.getByText('No providers yet').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add a provider' }).first().click();
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('open_ai_compatible');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('my provider');
  await page.getByRole('textbox', { name: 'Address', exact: true }).fill(models.url);
  await page.getByRole('textbox', { name: 'Key', exact: true }).fill('sk-wrong-key-000');
  await page.getByRole('textbox', { name: 'Models', exact: true }).fill('big\nsmall');
  await page.getByRole('dialog').getByRole('button', { name: 'Add the provider' }).click();
  await page.getByText('expected 1 to 60 letters').waitFor();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('acme');
  await page.getByRole('dialog').getByRole('button', { name: 'Add the provider' }).click();
  const row = page.getByRole('row', { name: /acme/ });
  await row.waitFor();
  await row.getByRole('button', { name: 'Test' }).click();
  await page.getByText('who is that').waitFor();
  await row.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Key', exact: true }).fill('sk-1234567890abcdef');
  await page.getByRole('dialog').getByText('Limits', { exact: true }).click();
  await page.getByRole('textbox', { name: 'Calls at once' }).fill('many');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('expected a whole number').waitFor();
  await page.getByRole('textbox', { name: 'Calls at once' }).fill('4');
  await page.getByRole('textbox', { name: 'Calls in a minute' }).fill('60');
  await page.getByRole('textbox', { name: 'Until the answer begins' }).fill('0');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('expected 1 to 3600 seconds').waitFor();
  await page.getByRole('textbox', { name: 'Until the answer begins' }).fill('45.5');
  await page.getByRole('textbox', { name: 'Asked again at most' }).fill('1');
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('key …cdef').waitFor();
  await page.getByRole('row', { name: /acme/ }).getByRole('button', { name: 'Test' }).click();
  await page.getByText('lists 2 models').waitFor();
  await expectAccessible(page);

  const token = await server.token();
  const [{ limits }] = (await server.api('GET', '/api/v1/providers', { token })).items;
  assert.deepEqual([limits.max_concurrent, limits.requests_per_minute, limits.first_token_ms, limits.max_retries], [4, 60, 45_500, 1]);
  const { secret } = await server.api('POST', '/api/v1/gateway/keys', { token, body: { name: 'a program' } });
  const said = await server.api('POST', '/api/v1/gateway/anthropic/v1/messages', {
    token: secret, body: { model: 'big', max_tokens: 9, messages: [{ role: 'user', content: 'What is this?' }] },
  });
  assert.equal(said.content[0].text, 'A loom.');
  await page.getByRole('link', { name: 'acme' }).click();
  await page.getByText('0 underway of 4, 1 of 60 requests in this minute').waitFor();
  await page.goBack();

  await page.getByRole('row', { name: /acme/ }).getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No providers yet').waitFor();
  models.close();
});

story('Ollama is added without a key, and tested', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await modelServer();
  await server.setUp();
  const page = await arrive(await visitor(), '/providers');
  await page.getByRole('button', { name: 'Add a provider' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Kind' }).selectOption('open_ai_compatible');
  const responses = dialog.getByRole('checkbox', { name: 'Always ask by the Responses API' });
  await responses.waitFor();
  await expectAccessible(page);
  await dialog.getByRole('combobox', { name: 'Kind' }).selectOption('ollama');
  await dialog.getByText('WEFT_ALLOW_PRIVATE=127.0.0.1/32').waitFor();
  assert.equal(await responses.count(), 0);
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('local');
  await dialog.getByRole('textbox', { name: 'Address', exact: true }).fill(models.url);
  await dialog.getByRole('button', { name: 'Add the provider' }).click();
  const row = page.getByRole('row', { name: /local/ });
  await row.waitFor();
  await row.getByRole('button', { name: 'Test' }).click();
  await page.getByText('lists 2 models').waitFor();
  assert.equal(models.seen.at(-1).path, '/api/tags');
});

const ENVIRONMENT = { ANTHROPIC_API_KEY: 'sk-ant-1234567890', OLLAMA_HOST: '127.0.0.1' };

story('what the environment names is there from the start, and stays away once it is deleted', { env: ENVIRONMENT }, async ({ server, visitor }) => {
  await server.setUp();
  const page = await arrive(await visitor(), '/providers');
  const row = page.getByRole('row', { name: /anthropic/ });
  await row.getByText('key …7890').waitFor();
  await page.getByRole('row', { name: /ollama/ }).waitFor();
  await expectAccessible(page);
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });
  await page.close();
  await server.stop();
  await server.restart();
  const { items } = await server.api('GET', '/api/v1/providers', { token: await server.token() });
  assert.deepEqual(items.map(({ name }) => name), ['ollama']);
});
