// People decide: two of two must agree and the one who started the run is not among them; what was filled in goes on with it.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive, join } from '../people.mjs';

const GRACE = { name: 'Grace Hopper', email: 'grace@example.org', password: 'a compiler of sentences' };
const ALAN = { name: 'Alan Turing', email: 'alan@example.org', password: 'a machine of states' };

const definition = {
  weft: 1,
  name: 'Ship a release',
  inputs: { type: 'object', required: ['tag'], properties: { tag: { type: 'string' } } },
  steps: [
    {
      id: 'sign_off',
      kind: 'approval',
      name: 'Sign off',
      config: {
        title: 'Publish release {{ inputs.tag }}?',
        text: 'It will upload **11 packages**. A package can only be withdrawn, never replaced.',
        required: 2,
        four_eyes: true,
        deadline_ms: 4 * 3600 * 1000,
        form: {
          type: 'object',
          required: ['channel', 'share'],
          properties: {
            channel: { title: 'Channel', enum: ['stable', 'candidate'] },
            share: { title: 'Share of users', type: 'integer', minimum: 1, maximum: 100, description: 'Percent, 1 to 100.' },
            notes: { title: 'Notes', type: 'string', format: 'multiline' },
            announce: { title: 'Announce it', type: 'boolean' },
          },
        },
      },
      position: { x: 40, y: 40 },
    },
    { id: 'publish', kind: 'transform', name: 'Publish', config: { value: { to: '{{ steps.sign_off.output.form.channel }}' } }, position: { x: 40, y: 168 } },
  ],
  edges: [{ from: 'sign_off', to: 'publish', port: 'approved' }],
  output: { published_to: '{{ steps.publish.output.to }}', votes: '{{ steps.sign_off.output.votes }}' },
};

/** Stores and publishes a workflow that asks for one quick answer; returns a function that starts a run of it. */
async function quickQuestion(server) {
  const token = await server.token();
  const body = { weft: 1, name: 'Ask quickly', steps: [{ id: 'ask', kind: 'approval', config: { title: 'Go on?' } }], output: '{{ steps.ask.output.decision }}' };
  const workflow = await server.api('POST', '/api/v1/workflows', { token, body });
  await server.api('POST', `/api/v1/workflows/${workflow.id}/publish`, { token });
  return () => server.api('POST', `/api/v1/workflows/${workflow.id}/execute`, { token, body: { inputs: {} } });
}

const badge = (page) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Approvals/ }).locator('.count');

story('two of two sign a release off, and who started it can not', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  const owners = await arrive(ada, '/approvals');
  await owners.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
  await expectAccessible(owners);
  const [grace, alan] = [await visitor(), await visitor({ theme: 'dark' })];
  const graces = await join(grace, server, GRACE);
  const alans = await join(alan, server, ALAN);

  // Ada starts it, and sees that the answer is not hers to give.
  await owners.goto('/workflows');
  await owners.getByRole('button', { name: 'Import' }).click();
  const dialog = owners.getByRole('dialog', { name: 'Import a workflow' });
  await dialog.getByLabel('Text of the file').fill(JSON.stringify(definition));
  await dialog.getByRole('button', { name: 'Import the workflow' }).click();
  await owners.waitForURL(/\/workflows\/[0-9a-f-]{36}$/);
  // The inspector is made from the table of kinds: it asks for what the step asks.
  await owners.locator('.node', { hasText: 'Sign off' }).click();
  await owners.locator('.inspector').getByText('How many must agree').waitFor();
  await expectAccessible(owners);
  await shot(owners, 'approval-designer');
  await owners.goto('/workflows');
  await owners.getByRole('button', { name: 'Actions for Ship a release' }).click();
  await owners.getByRole('menuitem', { name: 'Run…' }).click();
  await owners.getByRole('dialog', { name: 'Run a workflow' }).getByLabel('Tag').fill('2.8.0');
  await owners.getByRole('button', { name: 'Start the run' }).click();
  await owners.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
  await owners.locator('.asked', { hasText: 'Publish release 2.8.0?' }).waitFor();
  await owners.locator('.gantt-row', { hasText: 'Sign off' }).getByText(/waits for anybody.*0 of 2 approvals/).waitFor();
  await owners.locator('.gantt-row', { hasText: 'Sign off' }).click();
  const panel = owners.getByRole('tabpanel', { name: 'Question' });
  await panel.getByText(/You started this run/).waitFor();
  assert.equal(await panel.getByRole('button', { name: 'Approve' }).count(), 0);
  await expectAccessible(owners);
  await shot(owners, 'approval-run');

  // Grace is told without a reload, and answers in the inbox.
  await badge(graces).getByText('1').waitFor();
  await graces.getByRole('region', { name: 'Needs you' }).getByRole('link', { name: 'Answer Publish release 2.8.0?' }).click();
  await graces.waitForURL(/\/approvals\/[0-9a-f-]{36}$/);
  const question = graces.locator('form.case');
  await question.getByRole('heading', { name: 'Publish release 2.8.0?' }).waitFor();
  await question.getByText('11 packages').waitFor();
  await question.getByText('0 of 2 approvals').waitFor();
  await expectAccessible(graces);
  await shot(graces, 'approvals');
  await question.getByRole('button', { name: 'Approve' }).click();
  await question.getByText('this is required').first().waitFor();
  await question.getByLabel('Channel').selectOption('stable');
  await question.getByLabel('Share of users').fill('500');
  grace.allow(/\b422\b/);
  await question.getByRole('button', { name: 'Approve' }).click();
  await question.locator('.field', { hasText: 'Share of users' }).locator('[aria-invalid="true"]').waitFor();
  await question.getByLabel('Share of users').fill('50');
  await question.getByLabel('Comment').fill('Tests are green.');
  await question.getByRole('button', { name: 'Approve' }).click();
  await graces.getByText(/Your answer counts, 1 of 2 approvals/).waitFor();
  await graces.getByText('You have answered.').waitFor();
  await badge(graces).waitFor({ state: 'detached' });

  // Alan sees what she said; what he has typed stays while he looks.
  await alans.goto('/approvals');
  const his = alans.locator('form.case');
  await his.getByText('Tests are green.').waitFor();
  await expectAccessible(alans);
  await his.getByLabel('Channel').selectOption('candidate');
  await his.getByLabel('Share of users').fill('20');
  await alans.locator('#content').click({ position: { x: 5, y: 5 } });
  await alans.keyboard.press('a');
  await shot(alans, 'approvals-dark');
  await alans.keyboard.press('Enter');
  await alans.getByText('Approved: Publish release 2.8.0?').waitFor();
  await alans.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
  await alans.getByRole('link', { name: 'Decided' }).click();
  await alans.getByText('Approved by Grace Hopper, Alan Turing').first().waitFor();
  await expectAccessible(alans);
  await shot(alans, 'approvals-decided');

  // The run went on with what was filled in, under Ada's eyes.
  await owners.locator('.page-head .status').getByText('Succeeded').waitFor({ timeout: 30_000 });
  const id = new URL(owners.url()).pathname.split('/').pop();
  const run = await server.api('GET', `/api/v1/runs/${id}`, { token: await server.token() });
  assert.equal(run.output.published_to, 'candidate');
  assert.deepEqual(run.output.votes.map((vote) => [vote.by, vote.form.share]), [['Grace Hopper', 50], ['Alan Turing', 20]]);
});

story('an answer is given, handed over and moved through on a phone and by keys', { timeoutMs: 300_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const ask = await quickQuestion(server);
  for (let run = 0; run < 3; run += 1) await ask();
  const grace = await visitor({ size: 'phone' });
  const phone = await join(grace, server, GRACE);
  const tabs = phone.getByRole('navigation', { name: 'Sections' });
  await tabs.getByRole('link', { name: 'Approvals 3 for you' }).click();
  await phone.waitForURL(/\/approvals$/);
  await phone.getByRole('link', { name: 'Go on?' }).nth(2).waitFor();
  await expectAccessible(phone);
  await shot(phone, 'approvals-phone-list');
  await phone.getByRole('link', { name: 'Go on?' }).first().click();
  const question = phone.locator('form.case');
  await question.getByRole('button', { name: 'Approve' }).waitFor();
  await expectAccessible(phone);
  await shot(phone, 'approvals-phone');
  const wider = await phone.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `the page scrolls sideways by ${wider} px`);
  const buttons = await question.locator('.decide').boundingBox();
  const foot = await tabs.boundingBox();
  assert.ok(buttons.y + buttons.height <= foot.y + 1, 'the buttons stand above the tabs');

  // Rejected with a reason: back in the list, the next has the focus.
  await question.getByLabel('Comment').fill('Not on a Friday.');
  await question.getByRole('button', { name: 'Reject' }).click();
  await phone.getByText('Rejected: Go on?').waitFor();
  await phone.waitForURL(/\/approvals$/);
  await tabs.getByRole('link', { name: 'Approvals 2 for you' }).waitFor();
  await phone.waitForFunction(() => document.activeElement?.closest('.inbox-item') !== null);

  // What the tabs have no room for is behind the last of them.
  await tabs.getByRole('button', { name: 'More' }).click();
  const more = phone.getByRole('dialog', { name: 'More' });
  await more.getByRole('link', { name: 'Agents' }).waitFor();
  await expectAccessible(phone);
  await shot(phone, 'more-phone');
  await more.getByRole('link', { name: 'Memory' }).click();
  await phone.waitForURL(/\/memory$/);
  await more.waitFor({ state: 'hidden' });
  assert.equal(await tabs.getByRole('button', { name: 'More' }).getAttribute('aria-current'), 'page');

  // On a desk: J and K move, and the question is handed over to who started it.
  const page = await (await grace.again({ size: 'desktop' })).open('/approvals');
  await page.locator('.inbox-item[aria-current="true"]').waitFor();
  // The list moves at once, the question beside it when it has been read: it is another run's then.
  for (const [key, row] of [['j', 1], ['k', 0]]) {
    const run = await page.locator('form.case a[href^="/runs/"]').first().getAttribute('href');
    await page.keyboard.press(key);
    await page.locator('.inbox-item').nth(row).and(page.locator('[aria-current="true"]')).waitFor();
    await page.locator(`form.case a[href^="/runs/"]:not([href="${run}"])`).first().waitFor();
  }
  await page.locator('form.case').getByRole('button', { name: 'Hand over to…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Hand over' });
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await dialog.getByText(/choose a person/).waitFor();
  await expectAccessible(page, { within: 'dialog[open]' });
  await dialog.getByLabel('Person').selectOption({ label: 'By e-mail address…' });
  await dialog.getByLabel('E-mail address').fill('nobody@example.org');
  grace.allow(/\b422\b/);
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await dialog.getByText(/expected the e-mail address of a person/).waitFor();
  await shot(page, 'approvals-hand-over');
  await dialog.getByLabel('Person').selectOption({ label: 'Ada Lovelace, ada@example.org' });
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await page.getByText('ada@example.org may answer too').waitFor();
});
