#!/usr/bin/env node
// Runs the stories, one after the other: every end2end/stories/*.story.mjs, or those whose file name contains $STORY.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.env.STORY ?? '';
const stories = readdirSync(join(here, 'stories')).filter((name) => name.endsWith('.story.mjs')).sort();
const chosen = stories.filter((name) => name.includes(wanted));
if (chosen.length === 0) {
  console.error(`no story is named '${wanted}'; there are: ${stories.map((name) => name.replace('.story.mjs', '')).join(', ')}`);
  process.exit(2);
}
rmSync(join(here, 'output'), { recursive: true, force: true });
const files = chosen.map((name) => join(here, 'stories', name));
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
