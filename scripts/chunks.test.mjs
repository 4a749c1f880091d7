import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadersOfPacks, pack, readChunks } from './chunks.mjs';

/** As the cutter writes it: a chunk that two groups share, an empty one, and the loader of a group. */
const LOADERS = `import { initSync } from "./weft.js";
/* door, home */
const __chunk_0 = makeLoad(() => {
    const src = fetch(new URL("./chunk_0.wasm", import.meta.url));
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
}
, []);
/* home, runs */
const __chunk_1 = makeLoad(() => async (_imp) => ({}), []);
/* door, runs */
const __chunk_2 = makeLoad(() => {
    const src = fetch(new URL("./chunk_2.wasm", import.meta.url));
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
}
, []);
export const __wasm_split_load_door = wrapAsyncCb(makeLoad(() => {
    const src = fetch(new URL("./split_door.wasm", import.meta.url));
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
}
, [__chunk_0, __chunk_2]));
`;
const sizes = { 'chunk_0.wasm': 10, 'chunk_2.wasm': 20, 'split_door.wasm': 30 };

test('which chunk is for which groups is read from the loaders, and empty ones are none', () => {
  assert.deepEqual(readChunks(LOADERS, (file) => sizes[file] ?? 0), [
    { file: 'chunk_0.wasm', groups: ['door', 'home'], size: 10 },
    { file: 'chunk_2.wasm', groups: ['door', 'runs'], size: 20 },
    { file: 'split_door.wasm', groups: ['door'], size: 30 },
  ]);
});

test('every chunk is in one pack, which each group that needs the chunk loads', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const chunks = Array.from({ length: 31 }, (_, n) => ({
    file: `${n + 1}.wasm`,
    groups: names.filter((_, bit) => ((n + 1) >> bit) & 1),
    size: 1 + ((n * 37) % 11),
  }));
  for (const most of [1, 4, 31, 100]) {
    const packs = pack(chunks, most);
    assert.equal(packs.length, Math.min(most, 31));
    assert.deepEqual(packs.flatMap(({ files }) => files).sort(), chunks.map(({ file }) => file).sort());
    for (const { file, groups } of chunks) {
      const [{ groups: loading }] = packs.filter(({ files }) => files.includes(file));
      for (const group of groups) assert.ok(loading.includes(group), `${group} needs ${file}`);
    }
  }
});

test('what costs the groups least is put together first', () => {
  const chunks = [
    { file: 'small.wasm', groups: ['a', 'b'], size: 1 },
    { file: 'large.wasm', groups: ['a'], size: 1000 },
    { file: 'other.wasm', groups: ['b'], size: 900 },
  ];
  // The small one makes `b` load nothing more beside its own, and `a` one byte.
  assert.deepEqual(pack(chunks, 2).map(({ files }) => files), [['large.wasm'], ['other.wasm', 'small.wasm']]);
});

test('the loaders take their parts out of packs', () => {
  const places = { 'chunk_0.wasm': { pack: 'weft-1.bin', from: 0, to: 10 } };
  const named = loadersOfPacks(LOADERS, (file) => places[file]);
  assert.ok(named.includes('const src = part("./weft-1.bin", 0, 10);'));
  assert.ok(named.includes('const src = fetch(new URL("./chunk_2.wasm", import.meta.url));'), 'what is in no pack stays');
});
