// The same question is paid for once: a program asks, the page shows what that saves, and a wrong answer is called so.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

/** A model server on loopback that answers each question with the next number, whole or as a stream. */
async function upstream() {
  const state = { count: 0 };
  const usage = { prompt_tokens: 1_000, completion_tokens: 1_000 };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      const body = JSON.parse(text);
      if (request.url.endsWith('/embeddings')) {
        // To this one all texts are alike.
        const data = [body.input].flat().map((_, index) => ({ object: 'embedding', index, embedding: [0.5, -0.25, 1] }));
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ object: 'list', model: 'vec', data, usage: { prompt_tokens: 8, total_tokens: 8 } }));
        return;
      }
      state.count += 1;
      const message = { role: 'assistant', content: /car/.test(text) ? 'The first one.' : `Answer ${state.count}: a loom.` };
      if (!body.stream) {
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
  server.unref();
  return { state, url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

story('the same question is paid for once, and a wrong answer is given to nobody', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await upstream();
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  const provider = await call('POST', '/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  await call('POST', `/providers/${provider.id}/prices`, { model: 'big', input: 10_000_000, output: 10_000_000 });
  const { secret } = await call('POST', '/gateway/keys', { name: 'SDK' });
  /** Asks as a program does; tells what the cache did and what was said. */
  const ask = async (content, more = {}, headers = {}) => {
    const answer = await fetch(`${server.url}/api/v1/gateway/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'big', temperature: 0, messages: [{ role: 'user', content }], ...more }),
    });
    const text = await answer.text();
    return [answer.headers.get('x-weft-cache'), /Answer \d+/.exec(text)?.[0], text];
  };
  /** Asks until it is kept: that is done beside the answer. */
  const settled = async (content) => {
    for (let tries = 0; tries < 100; tries += 1) {
      const answer = await ask(content);
      if (answer[0] === 'hit') return answer;
    }
    throw new Error('it is never kept');
  };

  const ada = await visitor();
  ada.allow(/\b422\b/); // meaning without an embedder
  const page = await arrive(ada, '/gateway/cache');
  await page.getByText('No kept answers').waitFor();
  await expectAccessible(page);

  assert.equal((await ask('What is a loom?'))[0], 'miss');
  const [, kept] = await settled('What is a loom?');
  const asked = models.state.count;
  // As a stream it is the same answer, and the model is not asked.
  const [did, said, stream] = await ask('What is a loom?', { stream: true });
  assert.deepEqual([did, said], ['hit', kept]);
  assert.ok(stream.endsWith('data: [DONE]\n\n'), stream);
  assert.equal(models.state.count, asked);
  // Another question, and one that must be asked for.
  assert.equal((await ask('What is a loom'))[0], 'miss');
  assert.equal((await ask('What is a loom?', { temperature: 1 }))[0], 'off');
  assert.equal((await ask('What is a loom?', { temperature: 1 }, { 'x-weft-cache': 'on' }))[0], 'miss');

  // What it saved stands on the page as soon as the calls are written.
  await page.goto('/gateway/cache');
  const saved = page.locator('.tile').filter({ hasText: 'Saved' }).first();
  for (let tries = 0; tries < 50 && (await saved.textContent()).includes('$0.00'); tries += 1) {
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.waitForTimeout(100);
  }
  await page.getByRole('heading', { name: 'Hit rate' }).waitFor();
  await page.getByRole('heading', { name: 'Time to find an answer' }).waitFor();
  // The oldest is the last: the first question.
  const row = page.getByRole('row', { name: /acme\/big/ }).last();
  await expectAccessible(page);
  await shot(page, 'cache');

  // Somebody looks at what was said, and calls it wrong.
  await row.getByRole('button', { name: 'View' }).click();
  const dialog = page.getByRole('dialog', { name: 'A kept answer' });
  await dialog.getByText(`${kept}: a loom.`).first().waitFor();
  await dialog.getByRole('heading', { name: 'Request, as the provider got it' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'cache-entry');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await row.getByRole('button', { name: 'Wrong answer' }).click();
  await row.getByText('Called wrong').waitFor();
  const [again, other] = await ask('What is a loom?');
  assert.equal(again, 'miss');
  assert.notEqual(other, kept);
  assert.equal((await ask('What is a loom?'))[0], 'miss');
  await page.getByLabel('State').selectOption('yes');
  await page.waitForURL(/wrong=yes/);
  await row.getByRole('button', { name: 'Not wrong' }).click();
  await page.getByText('No such answers').waitFor();
  assert.deepEqual((await ask('What is a loom?')).slice(0, 2), ['hit', kept]);

  // All are thrown away, and then the cache is switched off.
  await page.getByRole('link', { name: 'Show all' }).click();
  await row.waitFor();
  await page.getByRole('button', { name: 'Throw away…' }).click();
  const sure = page.getByRole('dialog', { name: 'Throw away kept answers?' });
  await sure.getByLabel('Which').selectOption({ label: 'Of acme/big' });
  await expectAccessible(page);
  await sure.getByRole('button', { name: 'Throw away' }).click();
  await page.getByText('No kept answers').waitFor();
  assert.equal((await ask('What is a loom?'))[0], 'miss');

  // What means the same: refused without an embedder, then learned, given, and called wrong.
  await page.getByRole('button', { name: 'Settings' }).click();
  const wishes = page.getByRole('dialog', { name: 'Settings of the cache' });
  await wishes.getByLabel('Answer what means the same').click();
  await wishes.getByText("It can't be switched on yet").waitFor();
  await wishes.getByRole('button', { name: 'Save' }).click();
  await wishes.getByText('no embedder is set:').waitFor();
  await expectAccessible(page);
  await shot(page, 'cache-meaning-refused');
  await wishes.getByRole('button', { name: 'Cancel' }).click();
  await call('PUT', '/memory/embedder', { model: 'acme/vec' });
  await page.getByRole('button', { name: 'Settings' }).click();
  await wishes.getByText('by vectors of acme/vec').waitFor();
  await wishes.getByLabel('Answer what means the same').click();
  await wishes.getByLabel('Wrong answers that may be').fill('50');
  await wishes.getByRole('button', { name: 'Save' }).click();
  await wishes.getByText('Expected 0.1 to 20 percent.').waitFor();
  await wishes.getByLabel('Wrong answers that may be').fill('20');
  await shot(page, 'cache-meaning-settings');
  await wishes.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The settings hold from the next call on').first().waitFor();
  await settled('Which car is red?');
  let given;
  // Whether the model is asked once more is drawn, ever more seldom: of so many questions one is given with near certainty.
  const words = ['please', 'indeed', 'really', 'kindly', 'perhaps', 'surely', 'maybe', 'truly', 'clearly', 'simply', 'honestly'];
  for (const word of [...words, ...words.map((word) => `${word} then`), ...words.map((word) => `oh ${word}`)]) {
    given = `Which car is red, ${word}?`;
    if ((await ask(given))[0] === 'semantic') break;
    await settled(given);
  }
  assert.equal((await ask(given))[0], 'semantic');
  assert.equal((await ask('Which car is not red?'))[0], 'miss');
  assert.equal((await ask('Which car is red, exactly?', {}, { 'x-weft-cache': 'exact' }))[0], 'miss');
  await page.goto('/gateway/cache');
  await page.getByRole('heading', { name: 'By meaning', exact: true }).waitFor();
  // Checked or not yet: whether the model was asked for one of them beside the cache is drawn too.
  await page.getByText(/nothing checked yet|of \d+ checks?/).first().waitFor();
  const meant = page.getByRole('group', { name: 'Given by meaning' });
  await meant.getByText(given).first().waitFor();
  await expectAccessible(page);
  await shot(page, 'cache-meaning');
  await meant.getByRole('button', { name: 'Wrong answer' }).first().click();
  await meant.getByText('Called wrong').waitFor();
  assert.equal((await ask(given))[0], 'miss');

  await page.getByRole('button', { name: 'Settings' }).click();
  const settings = page.getByRole('dialog', { name: 'Settings of the cache' });
  await settings.getByLabel('Keep answers').click();
  await expectAccessible(page);
  await shot(page, 'cache-settings');
  await settings.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The cache is off').waitFor();
  assert.equal((await ask('What is a loom?'))[0], 'off');

  // The log of calls says which answers were kept.
  await page.goto('/gateway/calls');
  await page.getByText('From the cache').first().waitFor();
  models.close();
});
