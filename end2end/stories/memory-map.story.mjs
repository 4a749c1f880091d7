// Somebody looks at the memory as a map, chooses what lies together, and opens an entry.

import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

story('the memory is a map, and what is chosen on it is chosen in the list', {}, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const put = (key, content, tags) => server.api('PUT', `/api/v1/memory/notes/${key}`, { token, body: { content, tags } });
  for (const n of [1, 2, 3, 4, 5, 6]) {
    await put(`loom-${n}`, `The loom in the attic needs thread number ${n} before the winter`, ['loom']);
    await put(`soup-${n}`, `Soup with bread and herbs for lunch, recipe number ${n}`, ['kitchen']);
  }

  for (const [size, theme] of [['desktop', 'light'], ['desktop', 'dark'], ['phone', 'light']]) {
    const ada = size === 'desktop' && theme === 'light' ? await visitor() : await visitor({ size, theme });
    const page = await arrive(ada, '/memory/map?ns=notes');
    await page.getByRole('img', { name: /Map of 12 entries/ }).waitFor();
    await page.getByText('Near means that they share rare words').waitFor();
    await page.getByRole('list', { name: 'Colours' }).getByText('kitchen').waitFor();
    await expectAccessible(page);
    await shot(page, `memory-map-${size}-${theme}`);
    await page.close();
  }

  const ada = await visitor();
  const page = await arrive(ada, '/memory/map?ns=notes');
  const list = page.getByRole('complementary', { name: 'Entries of the map' });
  await list.getByRole('checkbox', { name: 'Choose loom-1' }).check();
  await list.getByRole('heading', { name: '1 chosen' }).waitFor();
  await list.getByRole('button', { name: 'Only chosen' }).click();
  await list.getByRole('checkbox', { name: 'Choose soup-1' }).waitFor({ state: 'detached' });
  await list.getByRole('button', { name: 'Clear' }).click();
  await list.getByRole('heading', { name: '12 entries' }).waitFor();

  // A lasso around everything.
  await page.getByRole('button', { name: 'Lasso' }).click();
  const { x, y, width, height } = await page.getByRole('img', { name: /Map of 12 entries/ }).boundingBox();
  await page.mouse.move(x + 2, y + 2);
  await page.mouse.down();
  for (const [across, down] of [[0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]) await page.mouse.move(x + across * width, y + down * height, { steps: 4 });
  await page.mouse.up();
  await list.getByRole('heading', { name: '12 chosen' }).waitFor();

  // By keys alone.
  await page.getByRole('region', { name: /^Map: arrow keys/ }).focus();
  await page.keyboard.press('+');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Escape');
  await list.getByRole('heading', { name: '12 entries' }).waitFor();
  await page.getByRole('button', { name: 'Age', exact: true }).click();
  await page.getByRole('list', { name: 'Colours' }).getByText('under a day').waitFor();
  // An agent writes: its point appears by itself, and what is chosen stays so.
  await list.getByRole('checkbox', { name: 'Choose soup-1' }).check();
  await put('loom-7', 'The loom in the attic needs thread number 7 before the winter', ['loom']);
  await page.getByRole('img', { name: /Map of 13 entries/ }).waitFor();
  await list.getByRole('heading', { name: '1 chosen' }).waitFor();
  await list.getByRole('checkbox', { name: 'Choose loom-7' }).waitFor();
  await page.getByRole('button', { name: 'Lay it out anew' }).click();
  await page.getByRole('button', { name: 'Lay it out anew' }).waitFor({ state: 'detached' });
  await list.getByRole('link', { name: 'loom-1' }).click();
  await page.getByRole('complementary', { name: 'Entry' }).getByText('The loom in the attic needs thread number 1').waitFor();
});
