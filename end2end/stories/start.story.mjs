// The binary alone is the whole product: it starts anywhere, serves its own files, survives and ends well.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { story } from '../harness.mjs';

story('the binary alone in an empty folder starts, and starts again after a power cut', async ({ server }) => {
  await server.api('GET', '/healthz');
  await server.api('GET', '/readyz');
  await server.kill();
  const tookMs = await server.restart();
  assert.ok(tookMs < 5_000, `the second start took ${tookMs} ms`);
});

/** What the first page may bring in all, in brotli. */
const FIRST_LOAD_KIB = 350;

/** The bytes of a file as it is sent; `fetch` unpacks them. */
const compressed = (url) => new Promise((resolve, reject) => {
  get(url, { headers: { 'accept-encoding': 'br' } }, (answer) => {
    let size = 0;
    answer.on('data', (bytes) => { size += bytes.length; }).on('end', () => resolve(size)).on('error', reject);
  }).on('error', reject);
});

story('the first page brings hashed assets that the browser may keep for ever', async ({ server }) => {
  const page = await fetch(`${server.url}/`);
  assert.equal(page.status, 200);
  const text = await page.text();
  const assets = [...new Set(text.match(/\/assets\/weft-[0-9a-f]+\.(?:js|css|wasm)/g))];
  assert.deepEqual(assets.map((path) => path.split('.').pop()).sort(), ['css', 'js', 'wasm']);
  const packs = [...text.matchAll(/<link rel="preload" href="(\/assets\/weft-[0-9a-f]+\.bin)"/g)].map(([, path]) => path);
  assert.ok(packs.length > 0, 'the page names the chunks that it needs');
  let load = 0;
  for (const path of [...assets, ...packs]) {
    const answer = await fetch(server.url + path, { headers: { 'accept-encoding': 'br' } });
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get('content-encoding'), 'br', path);
    assert.match(answer.headers.get('cache-control'), /immutable/);
    load += await compressed(server.url + path);
    const headers = { 'accept-encoding': 'br', 'if-none-match': answer.headers.get('etag') };
    assert.equal((await fetch(server.url + path, { headers })).status, 304, path);
  }
  assert.ok(load < FIRST_LOAD_KIB * 1024, `the log-in page is ${Math.ceil(load / 1024)} KiB in all`);
});
