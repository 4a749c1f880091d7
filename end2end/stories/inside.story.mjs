// A model of this machine makes vectors: it is chosen from the list, tried, and an entry is found by what it means, by no provider.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive } from '../people.mjs';

const HIDDEN = 8;
const INNER = 4;
const PLACES = 32;
/** Each word with its row of the table: pairs of numbers at the place of what it means. */
const WORDS = [
  ['[PAD]', null], ['[UNK]', null], ['[CLS]', 4], ['[SEP]', null],
  ['car', 0], ['automobile', 0], ['cake', 2], ['dessert', 2],
];

/** A BERT encoder of one block whose layers add nothing: a text means the mean of its words, and most words mean nothing. */
function tensors() {
  const zeros = (...shape) => [shape, () => 0];
  const norm = () => [[HIDDEN], (at) => (at === 4 || at === 5 ? 0.05 : 1)];
  const word = (at) => {
    const matter = WORDS[Math.floor(at / HIDDEN)][1];
    return matter === null ? 0 : at % HIDDEN === matter ? 1 : at % HIDDEN === matter + 1 ? -1 : 0;
  };
  const dense = (name, into, from) => ({ [`${name}.weight`]: zeros(into, from), [`${name}.bias`]: zeros(into) });
  const normed = (name) => ({ [`${name}.weight`]: norm(), [`${name}.bias`]: zeros(HIDDEN) });
  const layer = 'encoder.layer.0';
  return {
    'embeddings.word_embeddings.weight': [[WORDS.length, HIDDEN], word],
    'embeddings.position_embeddings.weight': zeros(PLACES, HIDDEN),
    'embeddings.token_type_embeddings.weight': zeros(2, HIDDEN),
    ...normed('embeddings.LayerNorm'),
    ...dense(`${layer}.attention.self.query`, HIDDEN, HIDDEN),
    ...dense(`${layer}.attention.self.key`, HIDDEN, HIDDEN),
    ...dense(`${layer}.attention.self.value`, HIDDEN, HIDDEN),
    ...dense(`${layer}.attention.output.dense`, HIDDEN, HIDDEN),
    ...normed(`${layer}.attention.output.LayerNorm`),
    ...dense(`${layer}.intermediate.dense`, INNER, HIDDEN),
    ...dense(`${layer}.output.dense`, HIDDEN, INNER),
    ...normed(`${layer}.output.LayerNorm`),
  };
}

/** Writes a model into its folder. */
function writeModel(folder) {
  const [header, numbers] = [{}, []];
  for (const [name, [shape, number]] of Object.entries(tensors())) {
    const begin = numbers.length * 4;
    const count = shape.reduce((product, side) => product * side, 1);
    for (let at = 0; at < count; at += 1) numbers.push(number(at));
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, numbers.length * 4] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, at) => data.writeFloatLE(number, at * 4));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, text, data]));
  writeFileSync(join(folder, 'vocab.txt'), WORDS.map(([word]) => word).join('\n'));
  writeFileSync(join(folder, 'README.md'), '---\nlanguage: en\n---\nA model for a story.\n');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({
    model_type: 'bert', hidden_size: HIDDEN, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: INNER,
    vocab_size: WORDS.length, max_position_embeddings: PLACES, type_vocab_size: 2, hidden_act: 'gelu', layer_norm_eps: 1e-12,
  }));
}

story('a model of this machine makes vectors, and an entry is found by what it means', { env: { WEFT_EMBEDDERS: 'models' } }, async ({ server, visitor }) => {
  const models = join(server.folder, 'models');
  writeModel(join(models, 'tiny'));
  writeModel(join(models, 'broken'));
  writeFileSync(join(models, 'broken', 'model.safetensors'), 'no header');
  await server.setUp();
  const token = await server.token();
  const call = (method, path, body) => server.api(method, `/api/v1${path}`, { token, body });
  await call('PUT', '/memory/life/ride', { content: 'We bought a new car' });
  await call('PUT', '/memory/life/food', { content: 'She baked a cake' });

  const ada = await visitor();
  const page = await arrive(ada, '/memory/embedder');
  await page.getByText('That needs no model.').waitFor();
  await page.getByLabel('Vectors come from').selectOption('local');
  await page.getByText('8 numbers a vector, reads 32 tokens').waitFor();
  await page.getByText('languages: en').waitFor();
  await page.getByText('expected a header of at most').waitFor();
  await page.getByRole('button', { name: 'Embed it' }).click();
  await page.getByText(/^local\/tiny made a vector of 8 numbers in/).waitFor();
  await expectAccessible(page);
  await shot(page, 'inside-tried');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('2 of 2 entries have their vector').waitFor();
  await page.getByText('Whole', { exact: true }).waitFor();
  await expectAccessible(page);
  await shot(page, 'inside-whole');

  await page.goto(`${server.url}/memory?q=automobile`);
  await page.getByRole('link', { name: 'ride' }).click();
  await page.getByText('Shares no word with the question; found by what it means').waitFor();
  await page.getByText('By its vector it means nearly what was asked').waitFor();
  await expectAccessible(page);
  await shot(page, 'inside-found');

  const calls = await call('GET', '/gateway/calls');
  assert.deepEqual(calls.items, [], 'nobody was asked');
  for (const [size, theme] of [['desktop', 'dark'], ['phone', 'light']]) {
    const other = await (await ada.again({ size, theme })).open('/memory/embedder');
    await other.getByLabel('Vectors come from').waitFor();
    await expectAccessible(other);
    await shot(other, `inside-${size}-${theme}`);
  }
});
