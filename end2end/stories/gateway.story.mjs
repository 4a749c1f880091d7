// Somebody sets up a route and a key, points a program at Weft, and sees the call with its cost.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { expectAccessible, story } from '../harness.mjs';
import { arrive, join } from '../people.mjs';

/** A model server on loopback that answers every call alike, or fails while it is told to. */
async function upstream() {
  const state = { fails: false };
  const server = createServer((request, response) => {
    const answer = {
      id: 'c1', object: 'chat.completion', created: 1, model: 'big', usage: { prompt_tokens: 1000, completion_tokens: 200 },
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'A loom.' } }],
    };
    request.resume().on('end', () => {
      response.writeHead(state.fails ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(state.fails ? { error: { message: 'the machine is on fire' } } : answer));
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return { state, url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

const PRIVATE = { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } };

async function provider(server, name, url, models) {
  const body = {
    name, kind: 'open_ai_compatible', base_url: url, models: models.map((id) => ({ id })), limits: { max_retries: 0 },
  };
  return server.api('POST', '/api/v1/providers', { token: await server.token(), body });
}

function ask(server, key, model) {
  const body = { model, messages: [{ role: 'user', content: 'What is this?' }] };
  return fetch(`${server.url}/api/v1/gateway/openai/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
}

story('a route, a key, a call and its cost', PRIVATE, async ({ server, visitor }) => {
  const [one, two] = [await upstream(), await upstream()];
  await server.setUp();
  const ada = await visitor();
  ada.allow(/\b422\b/); // the name that is none
  const page = await arrive(ada, '/gateway/routes');
  await page.getByText('No providers yet').waitFor();
  await expectAccessible(page);
  // Whatever needs a provider says so.
  await page.getByRole('navigation', { name: 'Gateway' }).getByRole('link', { name: 'Cache' }).click();
  await page.getByText('No provider of models is set up.').waitFor();
  await expectAccessible(page);
  await page.getByRole('main').getByRole('link', { name: 'Add a provider' }).click();
  await page.waitForURL((url) => url.pathname === '/providers');
  await page.getByText('No providers yet').waitFor();
  await page.getByRole('navigation', { name: 'Gateway' }).getByRole('link', { name: 'Routes' }).click();
  await page.waitForURL((url) => url.pathname === '/gateway/routes');
  await provider(server, 'acme', one.url, ['big', 'small']);
  await provider(server, 'zeta', two.url, ['big']);

  // A route of two, the second moved to the top by a key.
  await page.getByRole('navigation', { name: 'Gateway' }).getByRole('link', { name: 'Providers' }).click();
  await page.getByRole('row', { name: /zeta/ }).waitFor();
  await page.getByRole('navigation', { name: 'Gateway' }).getByRole('link', { name: 'Routes' }).click();
  await page.getByText('No routes yet').waitFor();
  await page.getByRole('button', { name: 'New route' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill('too smart');
  await page.getByRole('button', { name: 'Add a model' }).click();
  await page.getByRole('combobox', { name: 'Provider 2' }).selectOption({ label: 'zeta' });
  await page.getByRole('combobox', { name: 'Provider 2' }).press('Alt+ArrowUp');
  assert.equal(await page.getByRole('combobox', { name: 'Provider 1' }).locator(':checked').innerText(), 'zeta');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add the route' }).click();
  await page.getByText('expected 1 to 60 letters').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('smart');
  await page.getByRole('button', { name: 'Add the route' }).click();
  const row = page.getByRole('row', { name: /smart/ });
  await row.getByText('zeta/big').waitFor();

  // What would answer, as long as all is well.
  await row.getByRole('button', { name: 'Explain' }).click();
  const box = page.getByRole('region', { name: 'What would answer?' });
  await box.getByText('the route smart').waitFor();
  assert.match((await box.locator('.would-ask > li').allInnerTexts()).join('; '), /^zeta\/big\s*asked first; acme\/big\s*asked next$/);
  await box.getByLabel('Asked for').fill('nothing/like-it');
  await box.getByRole('button', { name: 'Explain' }).click();
  await box.getByText('no route and no provider has the model').or(box.getByText('No route and no provider has the model')).waitFor();
  await expectAccessible(page);

  // A key: its secret is shown once, with what programs are told.
  await page.getByRole('navigation', { name: 'Gateway' }).getByRole('link', { name: 'Keys' }).click();
  await page.getByText('No keys yet').waitFor();
  await page.getByRole('button', { name: 'New key' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('a program');
  await dialog.getByRole('group', { name: 'Add a name' }).getByRole('button', { name: 'smart' }).click();
  await dialog.getByRole('textbox', { name: 'Calls in a minute' }).fill('many');
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  await dialog.getByText('expected a whole number, or nothing').waitFor();
  await dialog.getByRole('textbox', { name: 'Calls in a minute' }).fill('600');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  await dialog.getByText('Copy it now').waitFor();
  const secret = await dialog.locator('.secret > code').first().innerText();
  assert.match(secret, /^weft_gw_/);
  await dialog.getByText(`ANTHROPIC_BASE_URL=${server.url}/api/v1/gateway/anthropic`).waitFor();
  await dialog.getByRole('tab', { name: 'curl' }).click();
  await dialog.getByText(`curl ${server.url}/api/v1/gateway/openai/v1/chat/completions`).waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Done' }).click();
  assert.equal((await page.content()).includes(secret), false, 'the secret is gone from the page');

  await page.getByRole('row', { name: /a program/ }).getByText('600 calls a minute').waitFor();

  // Asked, it answers; asked for what it may not have, it is refused.
  assert.equal((await ask(server, secret, 'smart')).status, 200);
  assert.equal((await ask(server, secret, 'small')).status, 404);

  // The call has no price, which leads to where one is set.
  await page.getByRole('navigation', { name: 'Gateway' }).getByRole('link', { name: 'Calls' }).click();
  const calls = page.getByRole('group', { name: 'Calls', exact: true });
  await calls.getByText('zeta/big').waitFor();
  await expectAccessible(page);
  await calls.getByRole('link', { name: 'no price' }).click();
  await page.waitForURL(/\/providers\/.+\?price=big/);
  const price = page.getByRole('dialog');
  await price.getByRole('textbox', { name: 'Read', exact: true }).fill('three');
  await price.getByRole('textbox', { name: 'Written', exact: true }).fill('15');
  await price.getByRole('button', { name: 'Set the price' }).click();
  await price.getByText('expected dollars such as 3').waitFor();
  await price.getByRole('textbox', { name: 'Read', exact: true }).fill('3');
  await price.getByRole('button', { name: 'Set the price' }).click();
  await page.getByText('holds now').waitFor();
  await expectAccessible(page);

  // From then on calls cost something: 1000 read at $3 and 200 written at $15 for a million.
  assert.equal((await ask(server, secret, 'smart')).status, 200);
  const priced = page.getByRole('row', { name: /\$0\.0060/ }).filter({ has: page.locator('.call-open') });
  // The log is written after the answer has been given.
  for (let look = 0; look < 40 && (await priced.count()) === 0; look += 1) {
    await page.goto('/gateway/calls');
    await page.getByRole('row', { name: /zeta\/big/ }).first().waitFor();
  }
  await priced.getByRole('button', { name: /Details/ }).click();
  await page.getByRole('heading', { name: 'Why this model' }).waitFor();
  await page.getByText('the route smart').waitFor();
  // Whose the numbers are is told with them.
  await page.getByText('Told by the provider.').waitFor();
  await expectAccessible(page);
  await page.getByRole('group', { name: 'Sum up by' }).getByRole('link', { name: 'Session' }).click();
  await page.getByRole('group', { name: 'Usage' }).getByRole('row', { name: /Without a session/ }).waitFor();
  await page.getByRole('group', { name: 'Sum up by' }).getByRole('link', { name: 'Key' }).click();
  await page.getByRole('group', { name: 'Usage' }).getByRole('row', { name: /a program/ }).getByText('$0.0060').waitFor();
  // What a filter leaves opens as before.
  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('complete');
  await page.waitForURL(/outcome=complete/);
  await priced.locator('.call-open[aria-expanded="false"]').click();
  await page.getByRole('heading', { name: 'Why this model' }).waitFor();
  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('failed');
  await page.waitForURL(/outcome=failed/);
  await calls.getByText('$0.0060').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Show all' }).click();
  await calls.getByText('$0.0060').waitFor();

  // Revoked, it opens nothing.
  await page.getByRole('navigation', { name: 'Gateway' }).getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('row', { name: /a program/ }).getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('No keys yet').waitFor();
  assert.equal((await ask(server, secret, 'smart')).status, 401);
  one.close();
  two.close();
});

story('what rests is told before it is asked', PRIVATE, async ({ server, visitor }) => {
  const [one, two] = [await upstream(), await upstream()];
  await server.setUp();
  const token = await server.token();
  const acme = await provider(server, 'acme', one.url, ['big']);
  const zeta = await provider(server, 'zeta', two.url, ['big']);
  const targets = [acme, zeta].map(({ id }) => ({ provider_id: id, model: 'big' }));
  await server.api('POST', '/api/v1/routes', { token, body: { name: 'smart', targets } });
  const { secret } = await server.api('POST', '/api/v1/gateway/keys', { token, body: { name: 'a program' } });
  const ada = await visitor();
  const page = await arrive(ada, '/gateway/routes');
  const vera = { name: 'Vera', email: 'vera@example.org', password: 'a spindle in the barn' };
  const viewer = await join(await visitor(), server, vera, 'viewer');
  // It rests for a while only: whoever is to see that is there before.
  one.state.fails = true;
  for (let times = 0; times < 5; times += 1) assert.equal((await ask(server, secret, 'smart')).status, 200);
  await page.getByRole('row', { name: /smart/ }).getByRole('button', { name: 'Explain' }).click();
  await page.getByText('rests for').waitFor();
  await page.getByText('asked first').waitFor();
  assert.match((await page.locator('.would-ask > li').allInnerTexts())[1], /zeta\/big\s*asked first/);
  await expectAccessible(page);

  // Who may only look gets no button that changes something, and no tab that is not theirs.
  await viewer.goto('/gateway/routes');
  await viewer.getByRole('row', { name: /smart/ }).waitFor();
  assert.equal(await viewer.getByRole('button', { name: /New route|Edit|Delete/ }).count(), 0);
  const tabs = await viewer.getByRole('navigation', { name: 'Gateway' }).getByRole('link').allInnerTexts();
  assert.deepEqual(tabs, ['Providers', 'Routes', 'Flags', 'Redaction']);
  await viewer.getByRole('row', { name: /smart/ }).getByRole('button', { name: 'Explain' }).click();
  await viewer.getByText('rests for').waitFor();
  one.close();
  two.close();
});
