// How smooth the map of the memory stays with many entries: seeds them, opens the map, and measures frames and long tasks.
//
//   node end2end/map-speed.mjs [--binary FILE] [--entries 10000] [--most-ms 50] [--json]
//
// The entries are of twenty matters, each with words of its own, so that the map has clouds. They are drawn by their words: no model is
// asked. Frames are those that the browser gives to the page; a long task is one that keeps it from answering for more than 50 ms.
// With --most-ms the measurement fails where the 95th percentile of the frames of anything but loading is longer.

import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    binary: { type: 'string' },
    entries: { type: 'string', default: '10000' },
    'most-ms': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
if (values.binary) process.env.WEFT_BINARY = values.binary;
const count = Number(values.entries);
const most = values['most-ms'] === undefined ? undefined : Number(values['most-ms']);
if (!Number.isInteger(count) || count < 1 || (most !== undefined && !(most > 0))) {
  console.error('expected a whole number of --entries above 0, and --most-ms above 0');
  process.exit(2);
}

const { story } = await import('./harness.mjs');
const { arrive } = await import('./people.mjs');

const MATTERS = 20;
const AT_ONCE = 16;

/** Always the same numbers, that look like chance. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The text of an entry: words of its matter, some of another's, and a few of its own. */
function text(number, roll) {
  const word = (matter) => `m${matter}w${Math.floor(roll() * 30)}`;
  const own = number % MATTERS;
  const words = Array.from({ length: 24 }, (_, at) => word(at % 6 === 5 ? Math.floor(roll() * MATTERS) : own));
  return `Note ${number} of matter ${own}: ${words.join(' ')}`;
}

async function seed(server, token) {
  const roll = dice(7);
  let next = 0;
  const work = async () => {
    for (;;) {
      const number = next++;
      if (number >= count) return;
      const body = { content: text(number, roll), tags: [`matter-${number % MATTERS}`] };
      await server.api('PUT', `/api/v1/memory/speed/entry-${number}`, { token, body });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Notes every frame and every long task of the page from its beginning. */
function watch() {
  window.frames_seen = [];
  window.long_tasks = [];
  new PerformanceObserver((list) => window.long_tasks.push(...list.getEntries().map((entry) => ({ at: entry.startTime, ms: entry.duration }))))
    .observe({ type: 'longtask', buffered: true });
  let last = performance.now();
  const frame = (now) => {
    window.frames_seen.push({ at: now, ms: now - last });
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

const rounded = (ms) => Math.round(ms * 10) / 10;

/** What the page saw since a moment of its own. */
async function since(page, from) {
  const { frames, tasks } = await page.evaluate((from) => ({
    frames: window.frames_seen.filter((frame) => frame.at > from).map((frame) => frame.ms),
    tasks: window.long_tasks.filter((task) => task.at > from).map((task) => task.ms),
  }), from);
  const sorted = [...frames].sort((a, b) => a - b);
  const at = (share) => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return {
    frames: frames.length, p50_ms: at(0.5), p95_ms: at(0.95), longest_ms: at(1),
    long_tasks: tasks.length, long_tasks_ms: rounded(tasks.reduce((sum, ms) => sum + ms, 0)),
  };
}

story(`the map of ${count} entries`, { timeoutMs: 1_800_000 }, async ({ server, visitor }) => {
  await server.setUp();
  const token = await server.token();
  const began = Date.now();
  await seed(server, token);
  console.error(`seeded in ${Math.round((Date.now() - began) / 1000)} s`);
  const answers = [];
  for (let time = 0; time < 3; time += 1) {
    const from = performance.now();
    await server.api('GET', '/api/v1/memory/map?namespace=speed', { token });
    answers.push(rounded(performance.now() - from));
  }

  const ada = await visitor({ reducedMotion: 'no-preference' });
  ada.context.setDefaultTimeout(120_000);
  await ada.context.addInitScript(watch);
  const page = await arrive(ada, '/memory');
  const report = { entries: count, server_ms: answers };
  const shown = Math.min(count, 10_000).toLocaleString('en-GB');
  const from = Date.now();
  await page.goto('/memory/map?ns=speed');
  const drawn = page.getByRole('img', { name: new RegExp(`Map of ${shown} entries`) });
  await drawn.waitFor();
  report.until_drawn_ms = Date.now() - from;
  report.loading = await since(page, 0);
  const part = async (name, act) => {
    const at = await page.evaluate(() => performance.now());
    await act();
    report[name] = await since(page, at);
  };
  const { x, y, width, height } = await drawn.boundingBox();
  const point = (across, down) => [x + across * width, y + down * height];
  await part('refining', () => page.waitForTimeout(4_000));
  await part('pointing', async () => {
    await page.mouse.move(...point(0.2, 0.2));
    await page.mouse.move(...point(0.8, 0.8), { steps: 80 });
  });
  await part('moving', async () => {
    await page.mouse.move(...point(0.3, 0.3));
    await page.mouse.down();
    await page.mouse.move(...point(0.7, 0.6), { steps: 60 });
    await page.mouse.move(...point(0.3, 0.3), { steps: 60 });
    await page.mouse.up();
  });
  await part('zooming', async () => {
    for (let turn = 0; turn < 30; turn += 1) await page.mouse.wheel(0, turn < 15 ? -120 : 120);
  });
  await part('encircling', async () => {
    await page.getByRole('button', { name: 'Lasso' }).click();
    await page.mouse.move(...point(0.02, 0.02));
    await page.mouse.down();
    for (const corner of [[0.98, 0.02], [0.98, 0.98], [0.02, 0.98]]) await page.mouse.move(...point(...corner), { steps: 30 });
    await page.mouse.up();
    await page.getByRole('heading', { name: / chosen$/ }).waitFor();
  });
  await part('the_list', async () => {
    const list = page.getByRole('complementary', { name: 'Entries of the map' });
    await list.hover();
    for (let turn = 0; turn < 40; turn += 1) await page.mouse.wheel(0, 600);
  });
  console.log(values.json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
  const slow = Object.entries(report).filter(([name, seen]) => name !== 'loading' && seen?.p95_ms > most).map(([name]) => name);
  if (slow.length > 0) throw new Error(`frames of more than ${most} ms while ${slow.join(', ')}`);
});
