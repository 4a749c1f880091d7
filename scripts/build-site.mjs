#!/usr/bin/env node
// Builds the browser half into target/site, from where the server embeds it.
//
//   node scripts/build-site.mjs [--dev]
//
// In: the library compiled for wasm32, cut into the chunks that src/ui/chunks.rs names, style/main.css with what it imports, public/.
// Out: files named by their content (weft-1a2b3c4d5e.js), their .br and .gz copies, and manifest.json, which tells
// the server the names. Release also shrinks the wasm; --dev leaves out everything that only saves bytes.
// Every step is skipped when its input is the one it last ran on, and a file that is right is not touched:
// cargo takes a touched file for a change.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants as zlib, gzip } from 'node:zlib';
import { build } from 'esbuild';
import { loadersOfPacks, pack, readChunks } from './chunks.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

// The cutter must understand what the macros of this crate wrote: they are released together.
const SPLIT_VERSION = /^name = "wasm_split_helpers"\nversion = "(.+)"$/m.exec(readFileSync('Cargo.lock', 'utf8'))[1];
const dev = process.argv.includes('--dev');
const profile = dev ? 'dev' : 'wasm-release';
const site = join(root, 'target', 'site');
const work = join(root, 'target', 'site-build', profile);

// Everything else is compressed already, or too small to be worth a second copy.
const compressible = new Set(['.js', '.wasm', '.bin', '.css', '.svg', '.json', '.txt', '.webmanifest']);

const say = (text) => console.log(`==> ${text}`);
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 10);

function fail(text) {
  console.error(`build-site: ${text}`);
  process.exit(1);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) fail(`${command} did not start: ${error.message}`);
  if (status !== 0) fail(`${basename(command)} failed`);
}

/** Writes through a rename, so that nobody (a cargo at work, a hard link) sees half a file. */
function write(path, bytes) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

function writeIfChanged(path, bytes) {
  const changed = !existsSync(path) || !readFileSync(path).equals(Buffer.from(bytes));
  if (changed) write(path, bytes);
  return changed;
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** Compiles the library and returns where cargo put it. Cargo itself knows what is fresh. */
function compile() {
  // With relocations: they tell the cutter what a function refers to.
  run('cargo', [
    'rustc', '--quiet', '--lib', '--crate-type', 'cdylib', '--features', 'hydrate',
    '--target', 'wasm32-unknown-unknown', '--profile', profile, '--', '-Clink-args=--emit-relocs',
  ]);
  const metadata = execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], { maxBuffer: 1 << 26 });
  const { target_directory: target } = JSON.parse(metadata);
  return join(target, 'wasm32-unknown-unknown', dev ? 'debug' : profile, 'weft.wasm');
}

/** Cuts, binds and shrinks the wasm; what comes out stands in `work`, still under the tools' names. */
async function bind(wasm) {
  const tool = (name) => join(root, 'target', 'tools', 'bin', name);
  const stamp = join(work, 'bound-from');
  const scripts = ['build-site.mjs', 'shrink.mjs'].map((name) => readFileSync(join(root, 'scripts', name), 'utf8')).join('');
  const version = (name) => execFileSync(tool(name), ['--version'], { encoding: 'utf8' }).trim();
  const key = `${hash(readFileSync(wasm))} ${version('wasm-bindgen')} ${SPLIT_VERSION} ${hash(scripts)}`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  rmSync(work, { recursive: true, force: true });
  run(tool('wasm-split-cli'), [wasm, work, '--target', 'web', '--out-name', 'weft']);
  // The chunks share the table of functions that the linker made.
  const options = ['--target', 'web', '--no-typescript', '--keep-lld-exports', '--out-name', 'weft', '--out-dir', work];
  run(tool('wasm-bindgen'), [...options, join(work, 'weft.wasm')]);
  rmSync(join(work, 'weft.wasm'));
  if (!dev) {
    say('shrinking the wasm');
    const { shrink } = await import('./shrink.mjs');
    for (const name of [...chunkNames(), 'weft_bg.wasm']) write(join(work, name), shrink(readFileSync(join(work, name))));
  }
  writeFileSync(stamp, key);
}

/** What was cut off the main wasm. */
const chunkNames = () => readdirSync(work).filter((name) => /^(split|chunk)_.*\.wasm$/.test(name)).sort();

/** Bundles one entry with esbuild; returns its outputs, the entry's first. */
async function bundle(options) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    write: false,
    minify: !dev,
    legalComments: 'none',
    logLevel: 'warning',
    assetNames: '[name]-[hash]',
    loader: { '.svg': 'file', '.png': 'file', '.webp': 'file', '.woff2': 'file' },
    outdir: join(work, 'bundle'),
    ...options,
  }).catch(() => fail('bundling failed, see above'));
  const isEntry = (file) => ['.js', '.css'].includes(extname(file.path));
  return outputFiles.sort((a, b) => Number(isEntry(b)) - Number(isEntry(a)));
}

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/** The compressed copies of a file: name and how to make it. */
function copiesOf(name, bytes) {
  if (dev || !compressible.has(extname(name))) return [];
  const params = { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return [
    { name: `${name}.br`, make: () => brotli(bytes, { params }) },
    { name: `${name}.gz`, make: () => deflate(bytes, { level: 9 }) },
  ];
}

/** Makes target/site hold exactly `files` (and their copies): what is right stays, what is old goes. */
async function publish(files) {
  const wanted = new Set(['manifest.json']);
  for (const [name, bytes] of files) {
    const copies = copiesOf(name, bytes);
    // The wasm is half the site; its plain form is unpacked by the server for the few that take no encoding.
    const packedAlone = copies.length > 0 && ['.wasm', '.bin'].includes(extname(name));
    const changed = !packedAlone && writeIfChanged(join(site, name), bytes);
    for (const part of [...(packedAlone ? [] : [name]), ...copies.map((copy) => copy.name)]) wanted.add(part);
    const missing = copies.filter((copy) => changed || !existsSync(join(site, copy.name)));
    await Promise.all(missing.map(async (copy) => write(join(site, copy.name), await copy.make())));
  }
  for (const name of filesIn(site)) {
    if (!wanted.has(name)) rmSync(join(site, name));
  }
}

async function main() {
  const started = Date.now();
  say(`compiling the browser half (${dev ? 'dev' : 'release'})`);
  await bind(compile());
  const wasm = readFileSync(join(work, 'weft_bg.wasm'));
  const wasmName = `weft-${hash(wasm)}.wasm`;
  const files = new Map([[wasmName, wasm]]);

  // What was cut off comes in packs.
  const loaders = readFileSync(join(work, '__wasm_split.js'), 'utf8');
  const sizeOf = (file) => statSync(join(work, file), { throwIfNoEntry: false })?.size ?? 0;
  const places = {};
  const chunks = {};
  for (const { groups, files: parts } of pack(readChunks(loaders, sizeOf))) {
    const bytes = Buffer.concat(parts.map((file) => readFileSync(join(work, file))));
    const name = `weft-${hash(bytes)}.bin`;
    files.set(name, bytes);
    for (const group of groups) (chunks[group] ??= []).push(name);
    let from = 0;
    for (const file of parts) {
      places[file] = { pack: name, from, to: from + sizeOf(file) };
      from += sizeOf(file);
    }
  }
  const named = join(work, 'named');
  writeIfChanged(join(named, '__wasm_split.js'), loadersOfPacks(loaders, (file) => places[file]));

  // The glue finds the wasm beside itself; bundling takes in the snippets that crates bring along.
  const glue = readFileSync(join(work, 'weft.js'), 'utf8').replaceAll('weft_bg.wasm', wasmName);
  writeIfChanged(join(named, 'weft.js'), glue.replaceAll('./snippets/', '../snippets/'));
  // Each function that a chunk brings is imported by itself, under the one name of the module.
  const logOverride = { 'duplicate-object-key': 'silent' };
  const [script] = await bundle({ entryPoints: [join(named, 'weft.js')], format: 'esm', platform: 'browser', target: 'es2022', logOverride });
  const jsName = `weft-${hash(script.contents)}.js`;

  const [style, ...styleAssets] = await bundle({ entryPoints: ['style/main.css'] });
  const cssName = `weft-${hash(style.contents)}.css`;

  files.set(jsName, script.contents);
  files.set(cssName, style.contents);
  for (const asset of styleAssets) files.set(basename(asset.path), asset.contents);

  // public/NAME is served as /NAME; public/assets/NAME under a name by content, for ever.
  const hashed = {};
  for (const path of filesIn('public')) {
    const bytes = readFileSync(join('public', path));
    if (dirname(path) === 'assets') {
      const extension = extname(path);
      hashed[basename(path)] = `${basename(path, extension)}-${hash(bytes)}${extension}`;
      files.set(hashed[basename(path)], bytes);
    } else if (dirname(path) === '.') {
      files.set(join('root', path), bytes);
    } else {
      fail(`public/${path}: files stand in public/ or public/assets/, not deeper`);
    }
  }

  await publish(files);
  const manifest = { js: jsName, wasm: wasmName, css: cssName, chunks, files: hashed };
  const changed = writeIfChanged(join(site, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const kib = (name) => `${Math.ceil(statSync(join(site, name)).size / 1024)} KiB`;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const sizes = dev ? '' : `, wasm ${kib(`${wasmName}.br`)}, js ${kib(`${jsName}.br`)}, css ${kib(`${cssName}.br`)} in brotli`;
  say(`site ${changed ? 'built' : 'unchanged'} in ${seconds} s${sizes}`);
}

await main();
