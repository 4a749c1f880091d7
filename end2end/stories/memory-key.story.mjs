// Somebody looks under which key the memory rests, and makes a new one while entries can be read.

import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('a new key takes over while everything can be read', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  for (const key of ['one', 'two', 'three']) {
    await call('PUT', `/memory/notes/${key}`, { content: `The ${key} loom stands by the window` });
  }
  const ada = await visitor();
  const page = await arrive(ada, '/memory/health');
  const card = page.getByRole('region', { name: 'Encryption' });
  await card.getByText('All of the 3 entries are under key 1.').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-key');
  await card.getByRole('button', { name: 'Make a new key' }).click();
  await card.getByText('All of the 3 entries are under key 2.').waitFor();
  await card.getByText('1 older key is kept until nothing is under it any more.').waitFor();
  await page.goto(`${server.url}/memory?q=loom`);
  await page.getByRole('link', { name: 'two', exact: true }).waitFor();
});
