// An agent asks Ada and nobody else: her board says so and narrows to it, another's says that it waits for somebody; and the agent's
// page lists what it read of the memory before it asked, and why.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { scripted } from '../models.mjs';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive, join } from '../people.mjs';
import { OWNER } from '../server.mjs';

const BOB = { name: 'Bob', email: 'bob@team.example', password: 'a rather long password' };

story('the board says for whom an agent waits, and its page what it read', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await scripted([
    { tool: 'memory_search', input: { query: 'loom' } },
    { tool: 'ask_person', input: { question: 'Which colour?' } },
    { words: 'Blue it is.' },
  ]);
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('POST', '/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  await call('PUT', '/memory/notes/loom', { content: 'The loom has 20 shafts.' });
  const ada = await visitor();
  const page = await arrive(ada, '/agents');
  const spec = { persona: 'You weave.', tools: ['memory_search', 'ask_person'], reads: ['notes'], approvers: [OWNER.email] };
  const weaver = await call('POST', '/agents', { name: 'weaver', spec });
  await call('POST', '/agents', { name: 'sleeper', spec: { persona: 'You sleep.' } });
  await call('POST', `/agents/${weaver.id}/tasks`, { prompt: 'Weave it.' });
  const giveUp = Date.now() + 30_000;
  while ((await call('GET', `/agents/${weaver.id}`)).for_me !== 1) {
    if (Date.now() > giveUp) throw new Error('nobody was asked');
    await pause(200);
  }

  await page.goto('/agents');
  const card = page.getByRole('listitem', { name: 'weaver' });
  await card.getByText('Waits for you').waitFor();
  const chip = page.getByRole('button', { name: 'Waits for me 1' });
  await chip.click();
  await page.getByRole('listitem', { name: 'sleeper' }).waitFor({ state: 'detached' });
  assert.equal(await chip.getAttribute('aria-pressed'), 'true');
  await expectAccessible(page);
  await shot(page, 'agents-wait-for-me');
  await chip.click();
  await page.getByRole('listitem', { name: 'sleeper' }).waitFor();

  const his = await join(await visitor(), server, BOB);
  await his.goto('/agents');
  await his.getByText('Waits for somebody').waitFor();
  assert.equal(await his.getByRole('button', { name: /^Waits for me/ }).count(), 0);

  // What is read is written down about a second later.
  while ((await call('GET', `/agents/${weaver.id}/memory`)).items.length === 0) {
    if (Date.now() > giveUp) throw new Error('nothing was read');
    await pause(200);
  }
  await page.goto(`/agents/${weaver.id}?tab=memory`);
  const table = page.getByRole('group', { name: 'Memory that it read' });
  await table.getByText('“loom”, place 1').waitFor();
  await table.getByText('found once').waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-memory');
  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(`/agents/${weaver.id}?tab=memory`);
  await phone.getByText('“loom”, place 1').waitFor();
  await expectAccessible(phone);
  await shot(phone, 'agent-memory-phone');
  await phone.close();
  await table.getByRole('link', { name: 'loom', exact: true }).click();
  await page.getByRole('complementary', { name: 'Entry' }).getByText('The loom has 20 shafts.').waitFor();
  models.close();
});
