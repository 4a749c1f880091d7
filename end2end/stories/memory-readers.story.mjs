// Somebody wants to know who was given an entry, and what of the memory a run was given.

import { setTimeout as pause } from 'node:timers/promises';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('an entry says who read it, and a run what it was given', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('PUT', '/memory/notes/loom', { content: 'The loom has 20 shafts.' });
  const find = { id: 'find', kind: 'memory_search', name: 'Find', config: { query: 'loom', namespace: 'notes' } };
  const { id } = await call('POST', '/workflows', { weft: 1, name: 'Look', steps: [find], edges: [] });
  await call('POST', `/workflows/${id}/publish`);
  const { id: run } = await call('POST', `/workflows/${id}/execute?wait_ms=20000`, { inputs: {} });
  // What is read is written down about a second later.
  const giveUp = Date.now() + 30_000;
  while ((await call('GET', '/memory/notes/loom/readers')).items.length === 0) {
    if (Date.now() > giveUp) throw new Error('nobody became a reader');
    await pause(200);
  }

  const ada = await visitor();
  const page = await arrive(ada, '/memory?ns=notes&key=loom');
  const by = page.getByRole('region', { name: 'Read by' });
  await by.getByText('“loom”, place 1').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-readers');
  await by.getByRole('link', { name: 'a run' }).click();
  await page.waitForURL(`**/runs/${run}*`);

  await page.goto(`${server.url}/runs/${run}?step=find`);
  await page.getByText('Memory that it was given').click();
  await page.getByText('found by “loom” at place 1').waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'loom', exact: true }).click();
  await page.getByRole('complementary', { name: 'Entry' }).getByText('The loom has 20 shafts.').waitFor();
});
