// Somebody has a model summarize a namespace: sees what it costs, keeps it, and goes back and forth between both.

import { expectAccessible, shot, story } from '../harness.mjs';
import { modelServer } from '../models.mjs';
import { arrive } from '../people.mjs';

story('a namespace is summarized by a model, and the originals stay', { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('PUT', '/memory/notes/loom', { content: 'The loom has 20 shafts.' });
  await call('PUT', '/memory/notes/thread', { content: 'The thread is red.' });

  const ada = await visitor();
  const page = await arrive(ada, '/memory?ns=notes');
  const dialog = page.getByRole('dialog', { name: 'Summarize entries' });
  await page.getByRole('button', { name: 'Summarize', exact: true }).click();
  await dialog.getByText('Without one nothing can be summarized.').waitFor();
  await dialog.getByRole('link', { name: 'Add a provider' }).waitFor();
  await dialog.getByText('Nobody can be asked').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  const models = await modelServer();
  const { id } = await call('POST', '/providers', { name: 'acme', kind: 'open_ai_compatible', base_url: `${models.url}/v1`, models: [{ id: 'big' }] });
  await call('POST', `/providers/${id}/prices`, { model: 'big', input: 3_000_000, output: 15_000_000 });
  await page.reload();
  await page.getByRole('button', { name: 'Summarize', exact: true }).click();
  await dialog.getByText('1 call of acme/big').waitFor();
  await dialog.getByLabel('Model').fill('acme/big');
  await dialog.getByRole('button', { name: 'Estimate' }).click();
  await dialog.getByText('1 call of acme/big').waitFor();
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByRole('region', { name: 'Preview' }).getByText('A loom.').waitFor();
  await expectAccessible(page);
  await shot(page, 'memory-summary');
  await dialog.getByRole('button', { name: 'Summarize' }).click();
  await page.getByText('Kept the summary as summary').waitFor();
  const entry = page.getByRole('complementary', { name: 'Entry' });
  await entry.getByRole('region', { name: 'Made of' }).getByRole('link', { name: 'loom' }).click();
  await entry.getByText('The loom has 20 shafts.').waitFor();
  await entry.getByRole('region', { name: 'Summarized in' }).getByRole('link', { name: 'summary' }).click();
  await entry.getByText('A loom.').waitFor();
  await expectAccessible(page);
  await models.close();
});
