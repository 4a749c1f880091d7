// The chunks that the cutter makes of the wasm, put together to files that are worth a request.
//
// The cutter makes one chunk for each set of groups of pages that share a piece of code: hundreds, most of a kilobyte or
// two. Here they become a few packs, so that each group fetches little that it doesn't need.

/** How many packs there are at most: some ten of them are fetched for a page. */
const MOST_PACKS = 28;
/** What a byte costs that a group fetches without need; the log-in page is where most first loads are. */
const WEIGHTS = { door: 3 };

/**
 * Reads the loaders that the cutter wrote: which chunk is for which groups. `sizeOf(file)` in bytes; chunks without a
 * file are empty.
 */
export function readChunks(loaders, sizeOf) {
  const chunks = [];
  for (const [, groups, load] of loaders.matchAll(/^\/\* (.*) \*\/\nconst __chunk_\d+ = makeLoad\(([^]*?), \[\]\);$/gm)) {
    const [, file] = /"\.\/(\w+\.wasm)"/.exec(load) ?? [];
    if (file) chunks.push({ file, groups: groups.split(', ') });
  }
  for (const [, group] of loaders.matchAll(/^export const __wasm_split_load_(\w+) =/gm)) {
    chunks.push({ file: `split_${group}.wasm`, groups: [group] });
  }
  return chunks.map((chunk) => ({ ...chunk, size: sizeOf(chunk.file) })).filter(({ size }) => size > 0);
}

/** Puts chunks together, those first that cost the groups the fewest bytes more. Returns `[{ groups, files }]`. */
export function pack(chunks, most = MOST_PACKS) {
  const names = [...new Set(chunks.flatMap(({ groups }) => groups))].sort();
  const weights = names.map((name) => WEIGHTS[name] ?? 1);
  const maskOf = (groups) => groups.reduce((mask, group) => mask | (1 << names.indexOf(group)), 0);
  const weigh = (mask) => weights.reduce((sum, weight, n) => sum + ((mask >> n) & 1 ? weight : 0), 0);
  const bySet = new Map();
  for (const { file, groups, size } of chunks) {
    const mask = maskOf(groups);
    const found = bySet.get(mask) ?? { mask, size: 0, files: [] };
    found.size += size;
    found.files.push(file);
    bySet.set(mask, found);
  }
  const packs = [...bySet.values()].sort((a, b) => a.mask - b.mask);
  const cost = (a, b) => a.size * weigh(b.mask & ~a.mask) + b.size * weigh(a.mask & ~b.mask);
  while (packs.length > most) {
    let best = { cost: Infinity };
    for (let a = 0; a < packs.length; a += 1) {
      for (let b = a + 1; b < packs.length; b += 1) {
        const more = cost(packs[a], packs[b]);
        if (more < best.cost) best = { cost: more, a, b };
      }
    }
    const [taken] = packs.splice(best.b, 1);
    const kept = packs[best.a];
    packs[best.a] = { mask: kept.mask | taken.mask, size: kept.size + taken.size, files: [...kept.files, ...taken.files] };
  }
  return packs.map(({ mask, files }) => ({ groups: names.filter((_, n) => (mask >> n) & 1), files: files.sort() }));
}

/**
 * The loaders, fetching from packs: `placeOf(file)` says in which and from where to where. A pack that did not come is
 * asked for again by the next who needs it.
 */
export function loadersOfPacks(loaders, placeOf) {
  const fetched = `const packs = {};
const part = async (pack, from, to) => {
  packs[pack] ??= fetch(new URL(pack, import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(\`\${pack}: \${answer.status}\`);
    return answer.arrayBuffer();
  });
  const bytes = await packs[pack].catch((error) => {
    delete packs[pack];
    throw error;
  });
  return new Response(bytes.slice(from, to), { headers: { 'content-type': 'application/wasm' } });
};
`;
  const named = loaders.replace(/fetch\(new URL\("\.\/(\w+\.wasm)", import\.meta\.url\)\)/g, (whole, file) => {
    const place = placeOf(file);
    return place ? `part("./${place.pack}", ${place.from}, ${place.to})` : whole;
  });
  return fetched + named;
}
