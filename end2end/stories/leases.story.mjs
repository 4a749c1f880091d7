// Two agents want the same thing: the second waits, says for what and for whom, and goes on when a person ends the lease of the first.

import assert from 'node:assert/strict';
import { scripted } from '../models.mjs';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('an agent waits for what another has, and a person ends that', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  const release = { kind: 'name', name: 'The release' };
  const models = await scripted([
    { tool: 'lease_take', input: release },
    { tool: 'ask_person', input: { question: 'Shall I release?' } },
    { tool: 'lease_take', input: release },
    { words: 'Released.' },
  ]);
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  await call('POST', '/api/v1/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: models.url, models: [{ id: 'big' }] });
  const agent = (name) => call('POST', '/api/v1/agents', { name, spec: { persona: 'You release.', tools: ['lease_take', 'ask_person'] } });
  const [anna, ben] = [await agent('anna'), await agent('ben')];
  await call('POST', `/api/v1/agents/${anna.id}/tasks`, { prompt: 'Release it.' });

  // The board follows: who has it stands there, and then who waits for it, and why.
  const ada = await visitor();
  const page = await arrive(ada, '/agents');
  const leases = page.getByRole('region', { name: 'Who has what, and who waits for it' });
  await leases.getByRole('row', { name: /Has it/ }).getByText('“the release”').waitFor();
  const asked = async () => (await call('GET', '/api/v1/approvals')).items.length > 0;
  for (let look = 0; look < 300 && !(await asked()); look += 1) await page.waitForTimeout(50);
  const { run_id: second } = await call('POST', `/api/v1/agents/${ben.id}/tasks`, { prompt: 'Release it too.' });
  const waits = leases.getByRole('row', { name: /Waits/ });
  await waits.getByText('anna has “the release”').waitFor();
  await expectAccessible(page);
  await shot(page, 'agent-leases');
  const { items } = await call('GET', '/api/v1/agents/leases');
  assert.deepEqual(items.map((lease) => [lease.agent_name, lease.is_held]), [['anna', true], ['ben', false]]);

  // Its run says the same.
  await page.goto(`/runs/${second}`);
  await page.getByRole('region', { name: 'Why is it waiting?' }).getByText('Waits for a lease on “the release”: anna has').waitFor();
  const { items: why } = await call('GET', `/api/v1/runs/${second}/waiting`);
  assert.equal(why[0].code, 'lease');

  await page.goto('/agents');
  await leases.getByRole('row', { name: /Has it/ }).getByRole('button', { name: 'End the lease' }).click();
  await waits.waitFor({ state: 'detached' });
  await page.goto(`/runs/${second}?step=work`);
  await page.locator('.page-head').getByText('Succeeded').waitFor();
  await page.getByRole('list', { name: 'What the agent said and did' }).getByText('Released.').waitFor();
  models.close();
});
