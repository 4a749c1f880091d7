// Two people at one workflow, and leaving it in the middle: what is shown is what runs, and no edit is lost.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive, join } from '../people.mjs';

const definition = (name, value) => ({
  weft: 1,
  name,
  // Without positions, as people write files.
  steps: [
    { id: 'first', kind: 'transform', config: { value } },
    { id: 'second', kind: 'transform', config: { value: '{{ steps.first.output }}' } },
    { id: 'third', kind: 'transform', config: { value: 3 } },
  ],
  edges: [{ from: 'first', to: 'second' }, { from: 'second', to: 'third' }],
});

story('no edit is lost by leaving, and what others save is followed', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  const { id } = await call('POST', '/api/v1/workflows', definition('Shared', 1));
  const draft = async () => (await call('GET', `/api/v1/workflows/${id}`)).draft.steps[0].config.value;
  const comes = async (value, why) => {
    for (let tries = 0; (await draft()) !== value; tries += 1) {
      assert.ok(tries < 50, why);
      await page.waitForTimeout(100);
    }
  };
  const ada = await visitor();
  const page = await arrive(ada, `/workflows/${id}`);
  const field = page.getByRole('complementary', { name: 'Inspector' }).locator('#config-value');
  const edit = async (text) => {
    await field.fill(text);
    await field.blur();
  };

  // Steps that were given no place don't lie upon each other.
  await page.locator('.node').nth(2).waitFor();
  const tops = await page.locator('.node').evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().top));
  assert.equal(new Set(tops.map(Math.round)).size, 3, `three rows: ${tops}`);

  // What somebody else saves is shown, as long as nothing is edited here.
  await page.locator('.node').first().click();
  await call('PUT', `/api/v1/workflows/${id}`, definition('Shared', 2));
  await page.waitForFunction(() => document.querySelector('#config-value').value === '2');
  assert.equal(await page.locator('.save-state').innerText(), 'Saved');

  // Two presses start one run.
  const trial = page.getByRole('button', { name: 'Test run' });
  await trial.dblclick();
  await page.getByRole('region', { name: 'Test run' }).getByText('Succeeded').waitFor();
  assert.equal((await call('GET', `/api/v1/runs?workflow=${id}`)).items.length, 1);

  // Leaving at once, while one save is on its way and the next waits: the newest counts.
  let slow = true;
  await page.route('**/rpc/workflows/save_draft', async (route) => {
    if (slow) await new Promise((resolve) => setTimeout(resolve, 1_200));
    await route.continue();
  });
  await edit('10');
  await page.locator('.save-state[data-state="saving"]').waitFor();
  await page.waitForRequest('**/rpc/workflows/save_draft');
  await edit('11');
  await page.getByRole('link', { name: 'Memory' }).first().click();
  await page.waitForURL('**/memory');
  await comes(11, 'what was typed last is saved');
  slow = false;

  ada.allow(/\b409\b/); // the conflict
  // A conflict that nobody decided is kept in the tab, and decided later.
  await page.goto(`/workflows/${id}`);
  await page.locator('.node').first().click();
  await edit('20');
  await call('PUT', `/api/v1/workflows/${id}`, definition('Shared', 30));
  await page.getByText('Your draft is kept here, and not saved.').waitFor();
  await page.getByRole('link', { name: 'Memory' }).first().click();
  await page.getByText('Open it in this tab to take them up.').waitFor();
  await page.goto(`/workflows/${id}`);
  await page.getByText('They are kept in this tab.').waitFor();
  await expectAccessible(page);
  await shot(page, 'unsaved');
  await page.getByRole('button', { name: 'Take them up' }).click();
  assert.equal(await draft(), 30, 'nothing is written over unasked');
  await page.getByRole('button', { name: 'Overwrite with mine' }).click();
  await comes(20, 'mine is saved once that is decided');
  await page.locator('.save-state', { hasText: 'Saved' }).waitFor();

  // Who may only look has the canvas before them, in the middle.
  const eve = await join(await visitor(), server, { name: 'Eve', email: 'eve@example.org', password: 'a long pass phrase of eve' }, 'viewer');
  await eve.goto(`/workflows/${id}`);
  const canvas = await eve.locator('#canvas').boundingBox();
  assert.ok(canvas.width > 700, `the canvas is ${canvas.width} px wide`);
  await shot(eve, 'designer-viewer');

  // An address that leads nowhere says so.
  ada.allow(/\b404\b/);
  const lost = await page.goto('/nowhere/at/all');
  assert.equal(lost.status(), 404);
  await page.getByRole('heading', { name: 'No such page' }).waitFor();
  await expectAccessible(page);
});
