#!/usr/bin/env node
// Runs the stories, two files at a time: every end2end/stories/*.story.mjs, or those whose file name contains $STORY.
//
// Each story has a server, a database and a browser of its own and waits for them most of the time. STORIES_AT_ONCE=1 runs
// one after the other.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
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
// The long ones first, so that none of them is left alone at the end.
files.sort((one, other) => statSync(other).size - statSync(one).size);
const { status } = spawnSync(
  process.execPath,
  ['--test', `--test-concurrency=${process.env.STORIES_AT_ONCE ?? 2}`, '--test-reporter=spec', ...files],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
