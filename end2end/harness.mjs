// The stage for browser stories: a server of its own, people with browsers, and what must never happen meanwhile.
//
//   import { story, expectAccessible, shot } from '../harness.mjs';
//   story('an owner signs in', async ({ server, visitor }) => {
//     const ada = await visitor();
//     await ada.open(await server.setupPath());
//     …
//   });
//
// Every story gets the release binary, copied alone into an empty folder, on a free port and an empty database. It
// fails for what it asserts, and also for any console error, uncaught exception, violation of the content policy,
// failed or outgoing request, and for a server that does not end when asked. `visitor.allow(/…/)` names an expected one.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { Server } from './server.mjs';

const output = join(dirname(fileURLToPath(import.meta.url)), 'output');

const SIZES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
};

const CHROMIUM_FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function chromiumPath() {
  const names = [process.env.WEFT_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean);
  const folders = process.env.PATH.split(':');
  const path = names.flatMap((name) => (name.includes('/') ? [name] : folders.map((folder) => join(folder, name))));
  const found = path.find((candidate) => existsSync(candidate));
  assert.ok(found, 'no Chromium found: scripts/setup chromium installs it, or set WEFT_CHROMIUM');
  return found;
}

/**
 * Registers a story. Options: `env` for the server, `timeoutMs` (default 180 s).
 *
 * The body gets `server` (server.mjs), and `visitor(options)`, which lets one more person come with a browser.
 */
export function story(name, ...rest) {
  const body = rest.pop();
  const { env = {}, timeoutMs = 180_000 } = rest.pop() ?? {};
  const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').slice(0, 80);

  test(name, { timeout: timeoutMs }, async () => {
    mkdirSync(output, { recursive: true });
    const visitors = [];
    let browser;
    let server;
    try {
      server = await Server.start({ env });
      const visitor = async (options = {}) => {
        browser ??= await chromium.launch({ executablePath: chromiumPath(), headless: true, args: CHROMIUM_FLAGS });
        const person = await Visitor.arrive(browser, server, options);
        visitors.push(person);
        return person;
      };
      await body({ server, visitor });
      const problems = visitors.flatMap((person) => person.unexpected());
      assert.deepEqual(problems, [], 'nothing may go wrong in the browser while the story runs');
      await server.stop();
    } catch (error) {
      await keepEvidence(slug, visitors, server);
      throw error;
    } finally {
      await browser?.close();
      await server?.discard();
    }
  });
}

/** What a person needs who looks at a failed story: pictures, what the browsers said, and the server's log. */
async function keepEvidence(slug, visitors, server) {
  const pages = visitors.flatMap((person) => person.pages());
  for (const [index, page] of pages.entries()) {
    const path = join(output, `${slug}.failed-${index + 1}.png`);
    await page.screenshot({ path, timeout: 5_000 }).catch(() => {});
    console.error(`    page at the failure: ${page.url()}, picture: ${path}`);
  }
  for (const problem of visitors.flatMap((person) => person.unexpected())) console.error(`    ${problem}`);
  if (server && existsSync(server.logPath)) {
    const kept = join(output, `${slug}.server.log`);
    writeFileSync(kept, readFileSync(server.logPath));
    console.error(`    server log: ${kept}`);
  }
}

/** One person with a browser profile: cookies, a window size, a colour scheme. */
export class Visitor {
  #server;
  #context;
  #options;
  #problems = [];
  #allowed = [];
  #elsewhere = [];

  /** Options: `size` 'desktop' | 'phone', `theme` 'light' | 'dark', `storageState` of another visitor. */
  static async arrive(browser, server, { size = 'desktop', theme = 'light', storageState, ...more } = {}) {
    assert.ok(SIZES[size], `unknown size '${size}', expected desktop or phone`);
    const person = new Visitor();
    person.#server = server;
    person.#options = { browser, size, theme };
    person.#context = await browser.newContext({
      baseURL: server.url,
      colorScheme: theme,
      locale: 'en-GB',
      timezoneId: 'Europe/London',
      reducedMotion: 'reduce',
      storageState,
      ...SIZES[size],
      ...more,
    });
    person.#context.setDefaultTimeout(15_000);
    person.#context.on('page', (page) => person.#watch(page));
    return person;
  }

  /**
   * Opens a page at a path of the server, in a new tab, and waits until it is awake. `asleepMs` lets the program come
   * that much later, as on a slow line, and returns as soon as the page is there.
   */
  async open(path = '/', { asleepMs } = {}) {
    const page = await this.#context.newPage();
    if (asleepMs === undefined) {
      await page.goto(path);
    } else {
      await page.route('**/*.wasm', async (route) => {
        await pause(asleepMs);
        await route.continue();
      });
      await page.asleep.goto(path, { waitUntil: 'commit' });
    }
    return page;
  }

  /** The same person, signed in alike, at another size or in another theme. Watched together with this one. */
  async again(options) {
    const storageState = await this.#context.storageState();
    const { browser, size, theme } = this.#options;
    const other = await Visitor.arrive(browser, this.#server, { size, theme, ...options, storageState });
    other.#problems = this.#problems;
    other.#allowed = this.#allowed;
    this.#elsewhere.push(other);
    return other;
  }

  /** The browser context, for what this class does not offer. */
  get context() {
    return this.#context;
  }

  /** Every open page of this person, at whatever size. */
  pages() {
    return [...this.#context.pages(), ...this.#elsewhere.flatMap((other) => other.pages())];
  }

  /** Expects problems that match, such as the 401 of a wrong password. They don't fail the story any more. */
  allow(pattern) {
    this.#allowed.push(pattern);
  }

  /** What went wrong so far and was not expected. */
  unexpected() {
    return this.#problems.filter((problem) => !this.#allowed.some((pattern) => pattern.test(problem)));
  }

  #watch(page) {
    // Whoever opens a page waits until it is awake; what is done before is a story of its own.
    page.asleep = { goto: page.goto.bind(page), reload: page.reload.bind(page) };
    for (const move of ['goto', 'reload']) {
      page[move] = async (...how) => {
        const answer = await page.asleep[move](...how);
        if (answer?.headers()['content-type']?.startsWith('text/html')) await awake(page);
        return answer;
      };
    }
    const report = (kind, text) => this.#problems.push(`${kind}: ${text} (on ${new URL(page.url(), this.#server.url).pathname})`);
    page.on('console', (message) => {
      // Content policy violations and failed loads are reported here too.
      if (message.type() === 'error') report('console', `${message.text()} [${message.location().url}]`);
    });
    page.on('pageerror', (error) => report('exception', error.stack ?? String(error)));
    page.on('crash', () => report('crash', 'the page crashed'));
    page.on('request', (request) => {
      const { protocol, host } = new URL(request.url());
      const own = host === new URL(this.#server.url).host;
      if (!own && protocol !== 'data:' && protocol !== 'blob:') report('outgoing request', request.url());
    });
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText;
      // A navigation away ends what was still loading; that is the browser's business.
      if (reason !== 'net::ERR_ABORTED') report('failed request', `${request.method()} ${request.url()}: ${reason}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 500) report('server error', `${response.status()} ${response.url()}`);
    });
  }
}

/**
 * Fails unless axe-core finds nothing against WCAG 2.2 AA and its best practices in what the page shows.
 * `within` narrows it to a selector, such as an open dialog.
 */
export async function expectAccessible(page, { within, without = [] } = {}) {
  // Evaluated through the debugger, so the page's own content policy stays in force.
  await page.evaluate(`typeof axe === 'undefined' && (() => {${axe.source}})()`);
  const violations = await page.evaluate(
    async ([include, exclude]) => {
      const context = { include: include ? [include] : [['html']], exclude: exclude.map((selector) => [selector]) };
      const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      const found = await globalThis.axe.run(context, { runOnly: tags, resultTypes: ['violations'] });
      return found.violations.map(({ id, impact, help, nodes }) => ({
        rule: `${id} (${impact}): ${help}`,
        where: nodes.slice(0, 5).map((node) => `${node.target.join(' ')} — ${node.failureSummary.replaceAll(/\s+/g, ' ')}`),
        more: Math.max(0, nodes.length - 5),
      }));
    },
    [within, without],
  );
  const lines = violations.flatMap(({ rule, where, more }) => [rule, ...where.map((at) => `    ${at}`), ...(more ? [`    and ${more} more`] : [])]);
  assert.equal(lines.length, 0, `accessibility of ${page.url()}:\n${lines.join('\n')}`);
}

/** Waits until the program runs the page: everything on it listens. */
export async function awake(page) {
  await page.locator('html[data-awake]').waitFor({ state: 'attached', timeout: 60_000 });
}

/** Saves a picture as end2end/output/NAME.png. */
export async function shot(page, name, options = {}) {
  mkdirSync(output, { recursive: true });
  await page.screenshot({ path: join(output, `${name}.png`), animations: 'disabled', ...options });
}
