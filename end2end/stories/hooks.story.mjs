// Somebody gives an agent hooks, orders them by keyboard, tries them on a call that nobody makes, and sees in a transcript what they
// did: one call was denied, one was edited and asked about.

import assert from 'node:assert/strict';
import { scripted } from '../models.mjs';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('hooks are edited, ordered and tried', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  ada.allow(/\b422\b/); // the condition that is none
  const page = await arrive(ada, '/agents/new');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('scout');
  await page.getByRole('textbox', { name: 'Persona' }).fill('You look around.');
  await page.getByRole('checkbox', { name: 'Shell' }).check();
  await page.getByRole('button', { name: 'Add a hook' }).click();
  const hook = (number) => page.getByRole('group', { name: `Hook ${number}`, exact: true });
  const field = (number, name, role = 'textbox') => hook(number).getByRole(role, { name, exact: true });
  await page.waitForFunction(() => document.activeElement?.id.startsWith('hook-name-'));
  await field(1, 'Name of the hook').fill('strict');
  await field(1, 'Of which tools').fill('shell');
  await field(1, 'It does', 'combobox').selectOption('edit');
  await field(1, 'Arguments that are set').fill('script = set -eu\\n{{ arguments.script }}');
  await page.getByRole('button', { name: 'Add a hook' }).click();
  await field(2, 'Name of the hook').fill('no deletion');
  await field(2, 'If').fill("'rm ' in");
  await field(2, 'Why').fill('Nothing is deleted here.');

  // What is wrong stands at its field, in the hook that it is about.
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByText('Nothing was saved: 1 field').waitFor();
  assert.equal(await field(2, 'If').getAttribute('aria-invalid'), 'true');
  assert.equal(await field(1, 'If').getAttribute('aria-invalid'), null);
  await expectAccessible(page);
  await field(2, 'If').fill("'rm ' in arguments.script");

  // By keyboard, and the focus stays with the hook.
  await field(2, 'Name of the hook').focus();
  await page.keyboard.press('Alt+ArrowUp');
  await page.waitForFunction(() => document.querySelector('.agent-hooks legend + .hook-moves ~ .grid input')?.value === 'no deletion');
  assert.equal(await field(1, 'Name of the hook').inputValue(), 'no deletion');
  await hook(1).getByRole('button', { name: 'Move hook 1 down' }).click();
  await page.waitForFunction(() => document.activeElement?.id.startsWith('hook-up-'));
  await page.keyboard.press('Enter');
  assert.equal(await field(1, 'Name of the hook').inputValue(), 'no deletion');

  // Tried on calls that nobody makes: hook by hook.
  await page.getByRole('combobox', { name: 'Tool to try' }).selectOption('shell');
  const tried = page.getByRole('textbox', { name: 'Arguments to try' });
  const press = () => page.getByRole('button', { name: 'Try the hooks' }).click();
  await tried.fill('{"script": "rm -r cloth"}');
  await press();
  await page.getByText('The hook no deletion denies it.').waitFor();
  const said = page.getByRole('list', { name: 'Hooks before the call' });
  await said.getByText('Nothing is deleted here.').waitFor();
  await said.getByText('not reached').waitFor();
  await tried.fill('{"script": "ls"}');
  await page.getByText('Something was changed since.').waitFor();
  await press();
  await page.getByText('No hook decides; the rules do.').waitFor();
  await said.getByText('does not hold').waitFor();
  await page.locator('.hook-trial ins').getByText('set -eu').waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-hooks', { fullPage: true });
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByRole('heading', { name: 'scout', level: 1 }).waitFor();
  await page.getByRole('tab', { name: 'Configuration' }).click();
  await page.getByText("no deletion: before any tool, if 'rm ' in arguments.script: it is not done.").waitFor();
  await page.getByText('strict: before shell: script set.').waitFor();

  // On a phone they are edited just so.
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByRole('heading', { name: 'Edit', level: 1 }).waitFor();
  const path = new URL(page.url()).pathname;
  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(path);
  const first = phone.getByRole('group', { name: 'Hook 1', exact: true });
  await first.getByRole('button', { name: 'Remove hook 1' }).click();
  assert.equal(await first.getByRole('textbox', { name: 'Name of the hook' }).inputValue(), 'strict');
  assert.equal(await phone.getByRole('button', { name: 'Remove hook 2' }).count(), 0);
  await expectAccessible(phone);
  await shot(phone, 'agent-hooks-phone', { fullPage: true });
  await phone.getByRole('button', { name: 'Save' }).click();
  await phone.getByRole('heading', { name: 'scout', level: 1 }).waitFor();
  await phone.close();
});

story('a transcript shows what hooks did to calls', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const write = (key) => ({ tool: 'memory_write', input: { namespace: 'notes', key, content: 'Woven.' } });
  const models = await scripted([write('salary'), write('plan'), { words: 'It is written.' }]);
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  await call('POST', '/api/v1/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  const hooks = [
    { name: 'no pay', when: 'before', condition: "'salary' in arguments.key", does: { act: 'deny', message: 'Pay is nobody’s business.' } },
    { name: 'loud', when: 'before', does: { act: 'edit', set: [{ path: 'content', value: '{{ arguments.content | upper }}' }] } },
    { name: 'look', when: 'before', does: { act: 'ask', message: 'Is it loud enough?' } },
  ];
  const weaver = await call('POST', '/api/v1/agents', {
    name: 'weaver', spec: { persona: 'You weave.', tools: ['memory_write'], writes: ['notes'], hooks },
  });
  const { run_id } = await call('POST', `/api/v1/agents/${weaver.id}/tasks`, { prompt: 'Write it down.' });

  const ada = await visitor();
  const page = await arrive(ada, `/runs/${run_id}?step=work`);
  const panel = page.getByRole('region', { name: 'work' });
  await panel.getByRole('heading', { name: 'May weaver write notes/plan?' }).waitFor();
  await panel.getByText('Is it loud enough?').waitFor();
  await panel.getByText('WOVEN.').first().waitFor();
  await panel.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Succeeded').first().waitFor();
  const entry = await call('GET', '/api/v1/memory/notes/plan');
  assert.equal(entry.content, 'WOVEN.', 'just what was agreed to');

  await panel.getByRole('tab', { name: 'Transcript' }).click();
  const said = page.getByRole('list', { name: 'What the agent said and did' });
  await said.getByText('denied by hook no pay').waitFor();
  await said.getByText('Pay is nobody’s business.').first().waitFor();
  await said.getByText('hook look wants a person asked').waitFor();
  await said.locator('del', { hasText: 'Woven.' }).waitFor();
  await said.locator('ins', { hasText: 'WOVEN.' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-hooked');
  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(`/runs/${run_id}?step=work`);
  await phone.getByRole('list', { name: 'What the agent said and did' }).getByText('denied by hook no pay').waitFor();
  await expectAccessible(phone);
  await shot(phone, 'agent-hooked-phone');
  await phone.close();
  models.close();
});

story('a hook of what an agent answers is tried, and sends an answer back', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await scripted([{ words: 'The KEY is 7.' }, { words: 'I can not say.' }]);
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  await call('POST', '/api/v1/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  const ada = await visitor();
  const page = await arrive(ada, '/agents/new');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('porter');
  await page.getByRole('textbox', { name: 'Persona' }).fill('You keep keys.');
  await page.getByRole('button', { name: 'Add a hook' }).click();
  const hook = page.getByRole('group', { name: 'Hook 1', exact: true });
  await hook.getByRole('textbox', { name: 'Name of the hook' }).fill('no keys');
  await hook.getByRole('combobox', { name: 'When' }).selectOption('answer');
  await hook.getByRole('textbox', { name: 'Of which tools' }).waitFor({ state: 'hidden' });
  await hook.getByRole('textbox', { name: 'If', exact: true }).fill("'KEY' in text");
  await hook.getByRole('textbox', { name: 'Why' }).fill('Leave the key away.');
  await page.getByRole('textbox', { name: 'What it would answer' }).fill('The KEY is 7.');
  await page.getByRole('button', { name: 'Try the hooks' }).click();
  await page.getByRole('list', { name: 'Hooks of the answer' }).getByText('denies').waitFor();
  await page.getByText('does not let this answer be given').waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-hooks-of-words', { fullPage: true });
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByRole('heading', { name: 'porter', level: 1 }).waitFor();
  await page.getByRole('tab', { name: 'Configuration' }).click();
  await page.getByText("no keys: once it answers, if 'KEY' in text: the answer is sent back.").waitFor();

  // At work: the first answer is sent back, the second is given, and the transcript says so.
  const { items: [porter] } = await call('GET', '/api/v1/agents');
  const { run_id: run } = await call('POST', `/api/v1/agents/${porter.agent.id}/tasks`, { prompt: 'What is the key?' });
  await page.goto(`/runs/${run}?step=work`);
  await page.locator('.page-head').getByText('Succeeded').waitFor();
  const transcript = page.getByRole('list', { name: 'What the agent said and did' });
  await transcript.getByText('sent back by hook no keys').waitFor();
  await transcript.getByText('I can not say.').waitFor();
  await expectAccessible(page);
  assert.equal(models.seen.length, 2);
  models.close();
});
