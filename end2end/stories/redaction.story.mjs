// Somebody says what must not leave, tries it, and a program's call goes out masked and comes back as if nothing had been.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** A model server on loopback that says what it was told, in pieces of five characters. */
async function echo() {
  const state = { seen: [] };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      state.seen.push(text);
      const said = JSON.parse(text).messages.at(-1).content;
      const chunk = (choices, more = {}) => `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'big', choices, ...more })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const content of said.match(/.{1,5}/gs)) response.write(chunk([{ index: 0, delta: { content }, finish_reason: null }]));
      response.write(chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]));
      response.end(`${chunk([], { usage: { prompt_tokens: 10, completion_tokens: 10 } })}data: [DONE]\n\n`);
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return { state, url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

const SECRET = `ghp_${'aB3dE5gH7j'.repeat(4)}`; // nobody's

story('what must not leave is masked, and put back into the answer', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await echo();
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('POST', '/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  const { secret } = await call('POST', '/gateway/keys', { name: 'SDK' });

  const ada = await visitor();
  ada.allow(/\b422\b/); // the expression that is none
  const page = await arrive(ada, '/gateway/redaction');
  assert.ok(await page.getByLabel('Keys and tokens').isChecked(), 'secrets are masked from the start');
  await page.getByLabel('E-mail addresses').click();
  await page.getByRole('button', { name: 'Add a pattern' }).click();
  await page.getByLabel('Name of the new pattern').fill('customer');
  await page.getByLabel('Expression of customer').fill('CUST-([0-9]{6}');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('expected a regular expression').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'redaction-refused');
  await page.getByLabel('Expression of customer').fill('CUST-[0-9]{6}');

  const text = `CUST-123456 wrote from ada@example.org: ${SECRET}`;
  await page.getByRole('textbox', { name: 'Text' }).fill(text);
  await page.getByRole('button', { name: 'Mask', exact: true }).click();
  await page.getByText('[[weft-customer-1]]').waitFor();
  assert.equal(await page.locator('.masked-text').innerText(), '[[weft-customer-1]] wrote from [[weft-email-1]]: [[weft-github_token-1]]');
  await expectAccessible(page);
  await shot(page, 'redaction-tried');
  await page.getByLabel('Are kept').selectOption('all');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('It holds from the next call on').waitFor();
  await page.reload();
  await page.getByLabel('Expression of customer').waitFor();

  const answer = await fetch(`${server.url}/api/v1/gateway/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'big', stream: true, messages: [{ role: 'user', content: text }] }),
  });
  assert.equal(answer.headers.get('x-weft-masked'), 'customer 1, email 1, github_token 1');
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith('data: {'));
  const said = lines.map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? '').join('');
  assert.equal(said, text, 'the program gets back what it sent');
  assert.ok(models.state.seen.every((seen) => !/CUST-\d|ada@|ghp_/.test(seen)), 'the provider saw placeholders');

  // An answer does not wait until its call is in the log.
  for (let count = 0; count === 0;) count = (await server.api('GET', '/api/v1/gateway/calls', { token })).items.length;
  await page.goto(`${server.url}/gateway/calls`);
  await page.getByRole('button', { name: /Details of the call/ }).first().click();
  await page.getByText('customer 1, email 1, github_token 1').waitFor();
  await page.getByRole('button', { name: 'Show request and answer' }).click();
  await page.getByText('[[weft-customer-1]] wrote from').first().waitFor();
  assert.equal(await page.locator('.said').count(), 2, 'what was asked, and what was answered');
  assert.ok(!(await page.content()).includes('ghp_'), 'the log has no value');
  await expectAccessible(page);
  await shot(page, 'redaction-in-the-log');
  models.close();
});
