// Two agents of a workflow write to each other; somebody sees who wrote to whom, and sees live that a message was read. Who may
// write to whom is set in the designer and on the form of an agent.

import assert from 'node:assert/strict';
import { scripted } from '../models.mjs';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const talks = ['send_message', 'read_messages'];

story('what agents write to each other is seen as it comes', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await scripted([
    { tool: 'send_message', input: { to: 'tester', kind: 'question', body: 'Does the blue thread hold?', data: { thread: 7 } } },
    { words: 'Asked.' },
    { tool: 'read_messages', input: {} },
    { tool: 'send_message', input: { to: '*', kind: 'answer', body: 'It holds.' } },
    { words: 'Answered.' },
  ]);
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  await call('POST', '/api/v1/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  for (const name of ['coder', 'tester']) await call('POST', '/api/v1/agents', { name, spec: { persona: 'You weave.', tools: talks } });
  const step = (name) => ({ id: name, kind: 'agent', config: { agent: name, prompt: 'Go on.' } });
  const workflow = await call('POST', '/api/v1/workflows', {
    weft: 1,
    name: 'Weave together',
    team: { topology: 'star', supervisor: 'coder', members: ['coder', 'tester'] },
    steps: [step('coder'), { id: 'look', kind: 'approval', config: { title: 'May the tester begin?' } }, step('tester')],
    edges: [{ from: 'coder', to: 'look' }, { from: 'look', port: 'approved', to: 'tester' }],
  });
  await call('POST', `/api/v1/workflows/${workflow.id}/publish`);
  const { run_id } = await call('POST', `/api/v1/workflows/${workflow.id}/execute`, { inputs: {} });

  const ada = await visitor();
  const page = await arrive(ada, `/runs/${run_id}`);
  await page.getByRole('navigation', { name: 'Views of the run' }).getByRole('link', { name: 'Messages' }).click();
  const messages = page.getByRole('list', { name: 'Messages, the newest first' });
  await messages.getByText('Does the blue thread hold?').waitFor();
  await messages.getByText('not read yet').waitFor();
  await page.getByRole('heading', { name: 'Star', exact: true }).waitFor();
  await page.getByRole('img', { name: '2 agents and 1 message between them.' }).waitFor();
  const tester = page.getByRole('row', { name: /tester/ }).last();
  await tester.getByText('not begun').waitFor();
  await expectAccessible(page);

  // The tester reads and answers while one looks.
  const open = (await call('GET', '/api/v1/approvals')).items;
  await call('POST', `/api/v1/approvals/${open[0].id}`, { decision: 'approved' });
  await messages.getByText('It holds.').waitFor();
  await page.getByRole('img', { name: '2 agents and 2 messages between them.' }).waitFor();
  await page.locator('.page-head').getByText('Succeeded').waitFor();
  assert.equal(await messages.getByRole('listitem').count(), 2);
  assert.equal(await messages.getByText('not read yet').count(), 1, 'the question was read, the answer was not');
  await expectAccessible(page);
  await shot(page, 'messages');
  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(`/runs/${run_id}?view=messages`);
  await phone.getByText('It holds.').waitFor();
  await expectAccessible(phone);
  await shot(phone, 'messages-phone');
  await phone.close();
  models.close();
});

story('who may write to whom is set for a workflow and for an agent', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const workflow = await call('POST', '/api/v1/workflows', {
    weft: 1, name: 'Weave', steps: [{ id: 'work', kind: 'agent', config: { agent: 'coder', prompt: 'Go on.' } }],
  });
  const ada = await visitor();
  ada.allow(/\b422\b/); // pairs that are none
  const page = await arrive(ada, `/workflows/${workflow.id}`);
  const inspector = page.getByRole('complementary', { name: 'Inspector' });
  await inspector.getByText('Messages between agents').click();
  await inspector.getByLabel('Who may write to whom').selectOption('star');
  await inspector.getByText('a star has a supervisor').waitFor();
  await inspector.getByLabel('Supervisor', { exact: false }).first().fill('lead');
  await inspector.getByLabel('Members').fill('lead\ncoder\n');
  assert.equal(await inspector.getByLabel('Members').inputValue(), 'lead\ncoder\n', 'what is typed stays as it is typed');
  await inspector.getByText('a star has a supervisor').waitFor({ state: 'detached' });
  await page.getByText('Saved').first().waitFor();
  await expectAccessible(page);
  let draft;
  for (let look = 0; look < 100 && draft?.team?.members?.length !== 2; look += 1) {
    await page.waitForTimeout(100);
    ({ draft } = await call('GET', `/api/v1/workflows/${workflow.id}`));
  }
  assert.deepEqual(draft.team, { topology: 'star', supervisor: 'lead', members: ['lead', 'coder'] });

  await page.goto('/agents/new');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('lead');
  await page.getByRole('textbox', { name: 'Persona' }).fill('You lead.');
  await page.getByRole('checkbox', { name: 'Send messages' }).check();
  await page.getByRole('checkbox', { name: 'Show it what other agents write' }).check();
  await page.getByRole('combobox', { name: 'Who may write to whom' }).selectOption('list');
  await page.getByRole('textbox', { name: 'Pairs' }).fill('coder to lead');
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByText("coder to lead: expected an agent's name").waitFor();
  await page.getByRole('textbox', { name: 'Pairs' }).fill('coder > lead');
  await page.getByRole('checkbox', { name: 'The supervisor may change it' }).check();
  await page.getByRole('checkbox', { name: 'Mesh' }).check();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByRole('heading', { name: 'lead', level: 1 }).waitFor();
  await page.getByRole('tab', { name: 'Configuration' }).click();
  await page.getByText('shown before each turn').waitFor();
  await page.getByRole('heading', { name: 'Team' }).waitFor();
});
