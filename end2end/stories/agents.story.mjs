// Somebody makes an agent from a template, tries its rules, stops it and lets it work again; gives one a task, and sees it done; and
// agrees to a script, and to the next one after the server was killed.

import assert from 'node:assert/strict';
import { scripted } from '../models.mjs';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive, join } from '../people.mjs';

const VERA = { name: 'Vera', email: 'vera@team.example', password: 'a rather long password' };

story('an agent is made from a template, its rules are tried, and it is stopped', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  ada.allow(/\b422\b/); // the name that is none
  const page = await arrive(ada, '/agents');
  await page.getByRole('heading', { name: 'No agents yet' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'agents-none');
  await page.getByRole('link', { name: 'coder' }).click();

  // What the server refuses stands at its field, and the first of them has the focus.
  await page.getByRole('heading', { name: 'New agent', level: 1 }).waitFor();
  const name = page.getByRole('textbox', { name: 'Name', exact: true });
  assert.equal(await name.inputValue(), 'coder');
  assert.match(await page.getByRole('textbox', { name: 'Persona' }).inputValue(), /\w{3}/);
  await name.fill('my coder');
  await page.getByRole('textbox', { name: 'Calls of its model' }).fill('none');
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByText('expected 1 to 60 letters').waitFor();
  await page.getByText('Nothing was saved: 2 fields').waitFor();
  await page.getByText('expected a whole number from 1 to 200').waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'agent-name');
  await expectAccessible(page);
  await name.fill('coder');
  await page.getByRole('textbox', { name: 'Calls of its model' }).fill('12');

  // Only what the chosen tools need is asked for.
  assert.equal(await page.getByRole('textbox', { name: 'Hosts that it may reach' }).count(), 0);
  await page.getByRole('checkbox', { name: 'HTTP requests' }).check();
  await page.getByRole('textbox', { name: 'Hosts that it may reach' }).fill('docs.example.org\nNo Host');
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByText('No Host: expected a host').waitFor();
  await page.getByRole('textbox', { name: 'Hosts that it may reach' }).fill('docs.example.org');

  // Rules: the first that fits decides, and one sees which.
  const arguments_ = page.getByRole('textbox', { name: 'With (JSON)' });
  await page.getByRole('combobox', { name: 'If it called' }).selectOption('shell');
  await arguments_.fill('{"script": "rm -r -rf /"}');
  await page.getByText('Rule 1 decides. Shell: it is done.').waitFor();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByRole('combobox', { name: 'Tool of rule 2' }).selectOption('shell');
  await page.getByRole('textbox', { name: 'Text of rule 2' }).fill('rm *-rf');
  await page.getByRole('combobox', { name: 'Ruling of rule 2' }).selectOption('deny');
  await page.getByRole('button', { name: 'Move rule 2 up' }).click();
  await page.getByText('Rule 1 decides. Shell with “rm *-rf”').waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Text of rule 1' }).inputValue(), 'rm *-rf');
  await arguments_.fill('{"script": "ls"}');
  await page.getByText('Rule 2 decides.').waitFor();
  await arguments_.fill('{"script": ');
  await page.getByText('This is not JSON yet').waitFor();
  await page.getByRole('combobox', { name: 'If it called' }).selectOption('http_request');
  await arguments_.fill('{"method": "DELETE", "url": "https://docs.example.org"}');
  await page.getByText('No rule fits, so a person is asked first.').waitFor();
  await shot(page, 'agents-form');
  await page.getByRole('button', { name: 'Add the agent' }).click();

  await page.getByRole('heading', { name: 'coder', level: 1 }).waitFor();
  await page.getByRole('heading', { name: 'No tasks yet' }).waitFor();
  await page.getByRole('tab', { name: 'Configuration' }).click();
  await page.getByText('Shell with “rm *-rf” in what it is called with: it is not done.').waitFor();
  await page.getByText('docs.example.org').waitFor();
  await expectAccessible(page);

  const tabs = await page.getByRole('tablist', { name: 'Agent' }).evaluate((list) => list.offsetHeight);
  assert.ok(tabs >= 24, `the tabs stay above a long configuration: ${tabs} px`);

  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'What it is for' }).fill('Writes code that others read.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Writes code that others read.').waitFor();
  await page.getByRole('tab', { name: 'Versions' }).click();
  await page.getByText('Version 2: what it is for').waitFor();
  await page.getByText('Version 1: made').click();
  await page.locator('details[open]').getByText('docs.example.org').waitFor();
  await expectAccessible(page);

  const state = page.locator('.page-head');
  await state.getByText('Idle').waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await state.getByText('Stopped').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Give a task…' }).getAttribute('aria-disabled'), 'true');
  await page.getByRole('button', { name: 'Let it work' }).click();
  await state.getByText('Idle').waitFor();

  // All at once from the board, and back.
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Agents' }).click();
  const card = page.getByRole('listitem', { name: 'coder' });
  await card.getByText('Idle').waitFor();
  await page.getByRole('button', { name: 'Stop all' }).click();
  await card.getByText('Stopped').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Let them work' }).click();
  await card.getByText('Idle').waitFor();

  // Who may only look is offered nothing to press.
  const vera = await join(await visitor(), server, VERA, 'viewer');
  await vera.goto('/agents');
  await vera.getByRole('listitem', { name: 'coder' }).waitFor();
  for (const act of ['New agent', 'Stop all', 'Stop', 'Give a task…']) {
    assert.equal(await vera.getByRole('button', { name: act, exact: true }).count(), 0, act);
  }
  await vera.goto('/agents/new');
  await vera.getByRole('heading', { name: "Your role doesn't include changing agents" }).waitFor();

  await card.getByRole('link', { name: 'coder' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete the agent' }).click();
  await page.getByRole('heading', { name: 'No agents yet' }).waitFor();
});

story('an agent is given a task, and one sees it done', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await scripted([{ tool: 'memory_search', input: { query: 'looms' } }, { words: 'The loom is blue.' }, { words: 'The yarn is red.' }]);
  await server.setUp();
  await server.api('POST', '/api/v1/providers', {
    token: await server.token(), body: { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] },
  });
  const page = await arrive(await visitor(), '/agents/new?template=planner');
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByRole('heading', { name: 'planner', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Give a task…' }).click();
  const dialog = page.getByRole('dialog');
  await expectAccessible(page);
  await dialog.getByRole('textbox', { name: 'What is it to do?' }).fill('Which colour has the loom?');
  await dialog.getByRole('button', { name: 'Give the task' }).click();
  await page.waitForURL(/\/runs\/[-0-9a-f]{36}/);
  await page.locator('.page-head').getByText('Succeeded').waitFor();
  assert.equal(models.seen.length, 2);

  await page.goto('/agents');
  const card = page.getByRole('listitem', { name: 'planner' });
  await card.getByText('1 done').waitFor();
  await card.getByRole('link', { name: 'Which colour has the loom?' }).click();
  const said = page.getByRole('list', { name: 'What the agent said and did' });
  await said.getByText('The loom is blue.').waitFor();
  await said.getByRole('link', { name: 'planner' }).click();
  const row = page.getByRole('row', { name: /Which colour has the loom/ });
  await row.getByText('Done').waitFor();
  await row.getByText('2,020').waitFor();
  await expectAccessible(page);

  // What it would do can be tried: that is no task of its list.
  await page.getByRole('button', { name: 'Try it…' }).click();
  const trial = page.getByRole('dialog', { name: 'Try planner' });
  await trial.getByText('nothing that outlasts it').waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-try');
  await trial.getByRole('textbox', { name: 'What is it to do?' }).fill('And the yarn?');
  await trial.getByRole('button', { name: 'Try it' }).click();
  await page.waitForURL(/\/runs\/[-0-9a-f]{36}/);
  await page.locator('.page-head').getByText('Succeeded').waitFor();
  await said.getByText('The yarn is red.').waitFor();
  await said.getByRole('link', { name: 'planner' }).click();
  await row.getByText('Done').waitFor();
  assert.equal(await page.getByRole('row', { name: /And the yarn/ }).count(), 0);
  models.close();
});

story('an agent works as the persona that a task calls for', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await scripted([{ words: 'Reviewed.' }]);
  await server.setUp();
  const token = await server.token();
  const body = { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] };
  await server.api('POST', '/api/v1/providers', { token, body });
  const ada = await visitor();
  ada.allow(/\b422\b/); // what does not fit
  const page = await arrive(ada, '/agents/new?template=writer');
  await page.getByRole('textbox', { name: 'Persona', exact: true }).fill('You write for {{ inputs.customer }} in {{ inputs.language }}.');
  await page.getByRole('textbox', { name: 'Variables' }).fill('customer\nlanguage = English');

  // Each persona is a small form; what is wrong stands at its field.
  await page.getByRole('button', { name: 'Add a persona' }).click();
  const first = page.locator('.agent-personas > li').first();
  await page.waitForFunction(() => document.activeElement?.id.startsWith('persona-name-'));
  await first.getByRole('textbox', { name: 'Name' }).fill('reviewer');
  await first.getByRole('textbox', { name: 'How it works then' }).fill('You review for {{ inputs.client }}.');
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await first.getByText('expected words or a condition').waitFor();
  await first.getByText('found inputs.client').waitFor();
  await expectAccessible(page);
  await first.getByRole('textbox', { name: 'The task says one of' }).fill('review, look over');
  await first.getByRole('textbox', { name: 'How it works then' }).fill('You review for {{ inputs.customer }}.');

  // Which one a task would be given shows before anything is saved.
  const trial = page.getByRole('textbox', { name: 'Try it: a task such as' });
  const told = page.locator('.agent-persona-trial');
  await trial.fill('Write a letter.');
  await told.getByText('You write for [customer] in English.').waitFor();
  await trial.fill('Review the letter.');
  await told.getByText('As reviewer. reviewer fits').waitFor();
  await told.getByText('You review for [customer].').waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-personas');
  await page.getByRole('button', { name: 'Add the agent' }).click();
  await page.getByRole('heading', { name: 'writer', level: 1 }).waitFor();
  await page.getByRole('tab', { name: 'Configuration' }).click();
  await page.getByText('Where the task says review or look over').waitFor();
  await expectAccessible(page);

  // A task is asked for what it has to say.
  await page.getByRole('button', { name: 'Give a task…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'What is it to do?' }).fill('Review the letter.');
  assert.equal(await dialog.getByRole('textbox', { name: 'language' }).inputValue(), 'English');
  await dialog.getByRole('button', { name: 'Give the task' }).click();
  await dialog.getByText('expected a value').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('textbox', { name: 'customer' }).fill('Acme');
  await shot(page, 'agent-task-variables');
  await dialog.getByRole('button', { name: 'Give the task' }).click();
  await page.waitForURL(/\/runs\/[-0-9a-f]{36}/);
  await page.locator('.page-head').getByText('Succeeded').waitFor();
  await page.getByText('As reviewer. reviewer fits: the task says “review”.').waitFor();
  assert.match(JSON.stringify(models.seen[0].messages[0]), /You review for Acme\./);
  models.close();
});

story('two versions of an agent are compared at a task that it was given', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const models = await scripted([{ words: 'Blue.' }, { words: 'The loom is blue.' }, { words: 'The loom is blue.' }]);
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  await call('POST', '/api/v1/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  const weaver = await call('POST', '/api/v1/agents', { name: 'weaver', spec: { persona: 'You weave.' } });
  const { run_id } = await call('POST', `/api/v1/agents/${weaver.id}/tasks`, { prompt: 'Which colour has the loom?' });
  const ada = await visitor();
  ada.allow(/\b422\b/); // what does not fit
  const page = await arrive(ada, `/runs/${run_id}`);
  await page.locator('.page-head').getByText('Succeeded').waitFor();

  // With one version there is nothing to compare.
  await page.goto(`/agents/${weaver.id}?tab=compare`);
  await page.getByRole('heading', { name: 'Nothing compared yet' }).waitFor();
  const begin = page.getByRole('button', { name: 'Compare two versions…' });
  assert.equal(await begin.getAttribute('aria-disabled'), 'true');
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Persona', exact: true }).fill('You weave, in whole sentences.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('tab', { name: 'Compare' }).click();
  await begin.click();
  const dialog = page.getByRole('dialog', { name: 'Compare two versions' });
  await dialog.getByRole('button', { name: 'Compare', exact: true }).click();
  await dialog.getByText('expected 1 to 20 tasks').waitFor();
  await dialog.getByRole('checkbox', { name: 'Which colour has the loom?' }).check();
  await dialog.getByRole('textbox', { name: 'What holds of a good answer' }).fill('names it: "loom" in steps.work.output.text\nis brief: run.id');
  await dialog.getByRole('button', { name: 'Compare', exact: true }).click();
  await dialog.getByText('2: expected inputs.prompt or steps.work.output').waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-compare-form');
  await dialog.getByRole('textbox', { name: 'What holds of a good answer' }).fill('names it: "loom" in steps.work.output.text\nis brief: steps.work.output.text | length < 5');
  await dialog.getByRole('button', { name: 'Compare', exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });

  await page.getByText('Version 1 and version 2').click();
  await page.getByText('Both did 1 of 1 tasks, and passed 1 of 2 checks each.').waitFor();
  assert.equal(await page.getByText('Does not hold: is brief.').count(), 2);
  await expectAccessible(page);
  await shot(page, 'agent-compared');
  await page.getByRole('button', { name: 'Delete the comparison' }).click();
  await page.getByRole('heading', { name: 'Nothing compared yet' }).waitFor();
  models.close();
});

story('an agent asks before it runs a script, and goes on after the server was killed', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const script = 'echo woven > cloth.txt\ncat cloth.txt';
  const models = await scripted([
    { tool: 'shell', input: { script } },
    { tool: 'shell', input: { script: 'cat cloth.txt' } },
    { words: 'The cloth is **woven**.' },
  ]);
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  await call('POST', '/api/v1/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  const weaver = await call('POST', '/api/v1/agents', { name: 'weaver', spec: { persona: 'You weave.', tools: ['shell'] } });
  const { run_id } = await call('POST', `/api/v1/agents/${weaver.id}/tasks`, { prompt: 'Weave it.' });

  const ada = await visitor();
  const page = await arrive(ada, `/runs/${run_id}?step=work`);
  const panel = page.getByRole('region', { name: 'work' });
  await panel.getByRole('tab', { name: 'Question' }).waitFor();
  await panel.getByRole('heading', { name: 'May weaver run a script?' }).waitFor();
  await panel.getByText('cat cloth.txt').first().waitFor();
  assert.equal(models.seen.length, 1);
  await expectAccessible(page);
  await shot(page, 'agent-asks');
  const open = async () => (await call('GET', '/api/v1/approvals')).items.map((approval) => approval.id);
  const [first] = await open();
  await panel.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Approved: May weaver run a script?').waitFor();
  // The second script is asked about on its own; the server dies while it is.
  for (let now = []; now.length !== 1 || now[0] === first; now = await open()) await new Promise((soon) => setImmediate(soon));
  await page.asleep.goto('about:blank');
  await server.kill();
  await server.restart();
  await page.goto(`/runs/${run_id}?step=work`);
  await panel.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Succeeded').first().waitFor();
  assert.equal(models.seen.length, 3, 'nothing was asked twice');
  const results = models.seen[2].messages.filter((message) => message.role === 'tool').map((message) => message.content);
  assert.deepEqual(results.map((text) => /Exit code 0\n--- stdout\nwoven/.test(text)), [true, true], results.join('\n'));
  await panel.getByRole('tab', { name: 'Transcript' }).click();
  const said = page.getByRole('list', { name: 'What the agent said and did' });
  await said.getByText('agreed').first().waitFor();
  await said.locator('strong', { hasText: 'woven' }).waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-transcript');
  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open(`/runs/${run_id}?step=work`);
  await phone.getByRole('list', { name: 'What the agent said and did' }).waitFor();
  await expectAccessible(phone);
  await shot(phone, 'agent-transcript-phone');
  await phone.close();
  models.close();
});
