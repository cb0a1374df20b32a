/**
 * What a page and its worker download: bundles the README's quick start as a user would, prints a table,
 * and fails if anything is over its budget in `budget.json`.
 *
 *     node tests/size/size.mjs
 */
import {readFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import {build} from 'esbuild';
import {readmeCode} from '../docs/pages.mjs';
import {inProject, pkg, root} from '../project.mjs';

const [quickStart] = readmeCode('Quick start');
const [importLine, connectLine] = /import .*\n\n(const connection = .*)/.exec(quickStart);
const onPlainShareDB = `
  import {Connection} from 'sharedb/lib/client';
  import ReconnectingWebSocket from 'reconnecting-websocket';
  const connection = new Connection(new ReconnectingWebSocket('wss://example.com/sharedb'));`;

const programs = {
  'page.js': quickStart,
  'url-page.js': quickStart.replace(
    importLine,
    `import {createConnection, init} from 'tabmux/url';\nawait init();\n${connectLine}`,
  ),
  'plain.js': quickStart.replace(importLine, onPlainShareDB),
};
const scripts = await inProject(programs, async (project) => {
  const {outputFiles, metafile} = await build({
    absWorkingDir: project,
    entryPoints: Object.keys(programs),
    nodePaths: [join(root, 'node_modules')],
    outdir: 'dist',
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    metafile: true,
    write: false,
  });
  const file = (name) => outputFiles.find(({path}) => basename(path) === basename(name)).contents;
  return Object.fromEntries(
    Object.keys(programs).map((name) => [name, filesOf(metafile, `dist/${name}`).map(file)]),
  );
});

/** The files that are downloaded for an entry: those that others are loaded by later are not. */
function filesOf({outputs}, entry) {
  const files = new Set([entry]);
  for (const name of files) {
    for (const {path, kind} of outputs[name].imports) {
      if (kind === 'import-statement') files.add(path);
    }
  }
  return [...files];
}

function sizeOf(files) {
  const sum = (count) => files.reduce((total, file) => total + count(file), 0);
  return {
    raw: sum((file) => file.length),
    gzip: sum((file) => gzipSync(file, {level: 9}).length),
    brotli: sum((file) => brotliCompressSync(file).length),
  };
}

const inPackage = (name) => readFile(join(pkg, name));
const [tabModule, hubModule, worker] = await Promise.all(
  ['tabmux_tab.wasm', 'tabmux_hub.wasm', 'worker.js'].map(inPackage),
);
const sizes = {
  page: sizeOf(scripts['page.js']),
  'page, by URL': sizeOf([...scripts['url-page.js'], tabModule]),
  '  script': sizeOf(scripts['url-page.js']),
  '  wasm': sizeOf([tabModule]),
  worker: sizeOf([worker]),
  '  wasm, by URL': sizeOf([hubModule]),
  'plain ShareDB': sizeOf(scripts['plain.js']),
};

const {budget, goal} = JSON.parse(await readFile(new URL('budget.json', import.meta.url), 'utf8'));
const row = (...cells) =>
  console.log(cells.map((it, at) => String(it)[at ? 'padStart' : 'padEnd'](at ? 11 : 16)).join(''));
row('', 'raw', 'gzip -9', 'brotli 11', 'budget', 'goal');
for (const [name, {raw, gzip, brotli}] of Object.entries(sizes)) {
  row(name, raw, gzip, brotli, budget[name] ?? '', goal[name] ?? '');
}
for (const [name, most] of Object.entries(budget)) {
  const {brotli} = sizes[name];
  if (brotli > most) {
    console.error(
      `${name}: ${brotli} bytes are over the budget of ${most} in tests/size/budget.json`,
    );
    process.exitCode = 1;
  }
}
