// Somebody sets a model that makes vectors, entries get theirs, and one is found by what it means and says so.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const MATTERS = [['car', 'automobile'], ['cake', 'dessert']];

/** A model server on loopback whose vectors say what a text is about, and that refuses while `down` is set. */
async function meanings() {
  const state = { down: false, asked: 0 };
  const vector = (text) => {
    const about = MATTERS.map((words) => words.filter((word) => text.toLowerCase().includes(word)).length);
    return [...about, about.some(Boolean) ? 0.05 : 1];
  };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      state.asked += 1;
      const { input } = JSON.parse(text);
      const data = [input].flat().map((one, index) => ({ object: 'embedding', index, embedding: vector(one) }));
      const [status, said] = state.down
        ? [400, { error: { message: 'this model only chats' } }]
        : [200, { object: 'list', data, model: 'vec', usage: { prompt_tokens: 1, total_tokens: 1 } }];
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(said));
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return { state, url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

story('an entry is found by what it means once a model makes vectors', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await meanings();
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('POST', '/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'vec' }] });
  await call('PUT', '/memory/life/ride', { content: 'We bought a new car' });
  await call('PUT', '/memory/life/food', { content: 'She baked a cake' });

  const ada = await visitor();
  ada.allow(/\b422\b/); // the model that makes no vectors
  const page = await arrive(ada, '/memory');
  await page.getByRole('link', { name: 'How things are found' }).click();
  await page.getByRole('heading', { level: 1, name: 'How things are found' }).waitFor();
  await page.getByText('That needs no model.').waitFor();
  models.state.down = true;
  await page.getByLabel('Vectors come from').selectOption('gateway');
  await page.getByLabel('Model').fill('acme/vec');
  await page.keyboard.press('Enter');
  await page.getByText('this model only chats').first().waitFor();
  await expectAccessible(page);
  await shot(page, 'embedder-refused');
  models.state.down = false;
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('2 of 2 entries have their vector').waitFor();
  await page.getByText('Whole', { exact: true }).waitFor();
  await expectAccessible(page);
  await shot(page, 'embedder-whole');

  await page.goto(`${server.url}/memory?q=automobile`);
  await page.getByRole('link', { name: 'ride' }).click();
  await page.getByText('Shares no word with the question; found by what it means').waitFor();
  await page.getByText('By its vector it means nearly what was asked').waitFor();
  await expectAccessible(page);
  await shot(page, 'embedder-found');

  await page.goto(`${server.url}/gateway/calls`);
  await page.getByText('memory, for a search of').first().waitFor();
  const calls = await call('GET', '/gateway/calls');
  assert.ok(calls.items.every(({ source }) => source === 'memory'), JSON.stringify(calls.items[0]));
  models.close();
});
