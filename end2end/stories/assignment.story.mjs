// What counts when a task goes to whoever is best: an admin weighs the parts anew, sees whom that would choose, and puts it back.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive, join } from '../people.mjs';

const GRACE = { name: 'Grace Hopper', email: 'grace@example.org', password: 'correct horse battery staple' };

story('the parts of the score are weighed anew, tried on the queue, and put back', async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, path, { token, body });
  // A task that comes after one that nobody may have: both wait, and nothing has to be done.
  const agent = (name, expertise, more) => call('POST', '/api/v1/agents', { name, spec: { persona: 'You mend looms.', expertise, ...more } });
  await agent('anna', ['looms']);
  await agent('ben', []);
  const absent = await agent('carl', []);
  await call('PUT', `/api/v1/agents/${absent.id}/stopped`, { stopped: true });
  const first = await call('POST', '/api/v1/agents/tasks', { prompt: 'Look at the loom.', among: ['carl'] });
  await call('POST', '/api/v1/agents/tasks', { prompt: 'Mend the loom.', expertise: ['looms'], after: [first.id] });

  const ada = await visitor();
  const page = await arrive(ada, '/agents');
  await page.getByRole('link', { name: 'How tasks are assigned' }).click();
  await page.waitForURL('**/agents/assignment');
  const preview = page.getByRole('region', { name: 'What that would change' });
  await preview.getByText('Of 2 tasks none would have another agent.').waitFor();
  await preview.getByRole('row', { name: /Mend the loom.*anna.*anna/ }).waitFor();
  const save = page.getByRole('button', { name: 'Save the weights' });
  await expectAccessible(page);
  await shot(page, 'assignment');

  // What does not come to 100 is not saved, and is brought there with a press.
  await page.getByLabel('Availability').fill('50');
  await page.getByText('Together 120 %.').waitFor();
  await page.getByText('They must come to 100 %.').waitFor();
  await page.getByLabel('Success').fill('150');
  await page.getByText('Expected a number from 0 to 100.').waitFor();
  await page.getByLabel('Success').fill('15');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Bring them to 100 %' }).click();
  await page.getByText('Together 100 %.').waitFor();
  await save.click();
  await page.getByText('The weights hold for every task that is given from now on').waitFor();
  const kept = await call('GET', '/api/v1/agents/assignment');
  assert.ok(Math.abs(kept.availability - 50 / 120) < 0.001, JSON.stringify(kept));

  // And put back.
  await page.getByRole('button', { name: 'Reset to the defaults' }).click();
  await page.getByText('The weights are those that Weft comes with').waitFor();
  assert.equal(await page.getByLabel('Availability').inputValue(), '30');
  assert.equal((await call('GET', '/api/v1/agents/assignment')).availability, 0.3);

  const phone = await (await ada.again({ size: 'phone', theme: 'dark' })).open('/agents/assignment');
  await phone.getByText('Of 2 tasks none would have another agent.').waitFor();
  await expectAccessible(phone);
  await shot(phone, 'assignment-phone');

  // Whoever may not change agents sees what counts, and no form.
  const grace = await visitor();
  const theirs = await join(grace, server, GRACE, 'viewer');
  await theirs.goto('/agents/assignment');
  await theirs.getByRole('row', { name: /Expertise.*25 %/ }).waitFor();
  assert.equal(await theirs.getByRole('button', { name: 'Save the weights' }).count(), 0);
  await expectAccessible(theirs);
});
