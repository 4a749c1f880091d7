// The binary alone is the whole product: it starts anywhere, serves its own files, survives and ends well.

import assert from 'node:assert/strict';
import { story } from '../harness.mjs';

story('the binary alone in an empty folder starts, and starts again after a power cut', async ({ server }) => {
  await server.api('GET', '/healthz');
  await server.api('GET', '/readyz');
  await server.kill();
  const tookMs = await server.restart();
  assert.ok(tookMs < 5_000, `the second start took ${tookMs} ms`);
});

story('the first page brings hashed assets that the browser may keep for ever', async ({ server }) => {
  const page = await fetch(`${server.url}/`);
  assert.equal(page.status, 200);
  const assets = [...new Set((await page.text()).match(/\/assets\/weft-[0-9a-f]+\.(?:js|css|wasm)/g))];
  assert.deepEqual(assets.map((path) => path.split('.').pop()).sort(), ['css', 'js', 'wasm']);
  for (const path of assets) {
    const answer = await fetch(server.url + path, { headers: { 'accept-encoding': 'br' } });
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get('content-encoding'), 'br', path);
    assert.match(answer.headers.get('cache-control'), /immutable/);
    const headers = { 'accept-encoding': 'br', 'if-none-match': answer.headers.get('etag') };
    assert.equal((await fetch(server.url + path, { headers })).status, 304, path);
  }
});
