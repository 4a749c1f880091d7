#!/usr/bin/env node
// Builds the browser half into target/site, from where the server embeds it.
//
//   node scripts/build-site.mjs [--dev]
//
// In: the library compiled for wasm32, style/main.css with what it imports, public/.
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

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const dev = process.argv.includes('--dev');
const profile = dev ? 'dev' : 'wasm-release';
const site = join(root, 'target', 'site');
const work = join(root, 'target', 'site-build', profile);

// What every browser with `light-dark()` and the rest of our CSS understands; Rust 1.95 emits most of it anyway.
const wasmFeatures = [
  '--enable-bulk-memory',
  '--enable-nontrapping-float-to-int',
  '--enable-reference-types',
  '--enable-sign-ext',
  '--enable-mutable-globals',
  '--enable-multivalue',
];
// Everything else is compressed already, or too small to be worth a second copy.
const compressible = new Set(['.js', '.wasm', '.css', '.svg', '.json', '.txt', '.webmanifest']);

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
  run('cargo', [
    'build', '--quiet', '--lib', '--features', 'hydrate',
    '--target', 'wasm32-unknown-unknown', '--profile', profile,
  ]);
  const metadata = execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], { maxBuffer: 1 << 26 });
  const { target_directory: target } = JSON.parse(metadata);
  return join(target, 'wasm32-unknown-unknown', dev ? 'debug' : profile, 'weft.wasm');
}

/** Binds and shrinks the wasm; returns the two files, as bytes, still under wasm-bindgen's names. */
function bind(wasm) {
  const tool = join(root, 'target', 'tools', 'bin', 'wasm-bindgen');
  const stamp = join(work, 'bound-from');
  const version = execFileSync(tool, ['--version'], { encoding: 'utf8' }).trim();
  const key = `${hash(readFileSync(wasm))} ${version} ${wasmFeatures.join(' ')}`;
  const bound = join(work, 'weft_bg.wasm');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== key) {
    rmSync(work, { recursive: true, force: true });
    run(tool, ['--target', 'web', '--no-typescript', '--out-name', 'weft', '--out-dir', work, wasm]);
    if (!dev) {
      say('shrinking the wasm');
      run(join(root, 'node_modules', '.bin', 'wasm-opt'), ['-Oz', ...wasmFeatures, bound, '-o', bound]);
    }
    writeFileSync(stamp, key);
  }
  return readFileSync(bound);
}

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
    const packedAlone = copies.length > 0 && extname(name) === '.wasm';
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
  const wasm = bind(compile());
  const wasmName = `weft-${hash(wasm)}.wasm`;

  // The glue finds the wasm beside itself; bundling takes in the snippets that crates bring along.
  const glue = join(work, 'weft.js');
  const named = join(work, 'weft.named.js');
  writeIfChanged(named, readFileSync(glue, 'utf8').replaceAll('weft_bg.wasm', wasmName));
  const [script] = await bundle({ entryPoints: [named], format: 'esm', platform: 'browser', target: 'es2022' });
  const jsName = `weft-${hash(script.contents)}.js`;

  const [style, ...styleAssets] = await bundle({ entryPoints: ['style/main.css'] });
  const cssName = `weft-${hash(style.contents)}.css`;

  const files = new Map([[wasmName, wasm], [jsName, script.contents], [cssName, style.contents]]);
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
  const manifest = { js: jsName, wasm: wasmName, css: cssName, files: hashed };
  const changed = writeIfChanged(join(site, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const kib = (name) => `${Math.ceil(statSync(join(site, name)).size / 1024)} KiB`;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const sizes = dev ? '' : `, wasm ${kib(`${wasmName}.br`)}, js ${kib(`${jsName}.br`)}, css ${kib(`${cssName}.br`)} in brotli`;
  say(`site ${changed ? 'built' : 'unchanged'} in ${seconds} s${sizes}`);
}

await main();
