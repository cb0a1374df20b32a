import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {build} from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pkg = join(root, 'pkg');
const manifest = JSON.parse(await readFile(join(pkg, 'package.json'), 'utf8'));

/** The first bytes of every WebAssembly module, in base64. */
const WASM_IN_BASE64 = 'AGFzbQ';

/** The files of the package that an entry loads, and the packages these import. */
async function loadedBy(...entries) {
  const {metafile} = await build({
    absWorkingDir: pkg,
    entryPoints: entries,
    bundle: true,
    splitting: false,
    packages: 'external',
    platform: 'neutral',
    metafile: true,
    write: false,
    outdir: 'out',
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  // `<runtime>` is esbuild itself, where code tries `require` and can do without.
  const external = imports.filter((it) => it.external && it.path !== '<runtime>');
  return {
    files: Object.keys(metafile.inputs),
    packages: [...new Set(external.map((it) => it.path))],
  };
}

async function withWasm(files) {
  const texts = await Promise.all(files.map((file) => readFile(join(pkg, file), 'utf8')));
  return files.filter((_, at) => texts[at].includes(WASM_IN_BASE64));
}

/** Runs `use` in a project where the package is installed. */
async function inProject(files, use) {
  const project = await mkdtemp(join(tmpdir(), 'tabmux-project-'));
  try {
    await mkdir(join(project, 'node_modules/@types'), {recursive: true});
    await symlink(pkg, join(project, 'node_modules/tabmux'));
    await symlink(
      join(root, 'node_modules/@types/node'),
      join(project, 'node_modules/@types/node'),
    );
    for (const [name, text] of Object.entries(files)) await writeFile(join(project, name), text);
    return await use(project);
  } finally {
    await rm(project, {recursive: true});
  }
}

async function typeCheck(options, files) {
  const tsconfig = JSON.stringify({
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: ['node'],
      skipLibCheck: false,
      ...options,
    },
  });
  await inProject({...files, 'tsconfig.json': tsconfig}, async (project) => {
    const tsc = join(root, 'node_modules/.bin/tsc');
    const checked = promisify(execFile)(tsc, ['--project', project]);
    await checked.catch(({stdout}) => assert.fail(stdout));
  });
}

const MODULE = `
  import {createConnection} from 'tabmux';
  import {defineHub} from 'tabmux/hub';
  import {init} from 'tabmux/url';
  export const functions: Function[] = [createConnection, defineHub, init];
`;

const COMMONJS = `
  import tabmux = require('tabmux');
  import hub = require('tabmux/hub');
  export const functions: Function[] = [tabmux.createConnection, hub.defineHub];
`;

test('import and require offer the same names', async () => {
  await inProject({}, async (project) => {
    const require = createRequire(join(project, 'index.js'));
    for (const [entry, file] of [
      ['tabmux', 'index.js'],
      ['tabmux/hub', 'hub.js'],
    ]) {
      const names = Object.keys(await import(join(pkg, file)));
      assert.deepEqual(Object.keys(require(entry)).sort(), names.sort());
      assert.notEqual(names.length, 0);
    }
  });
});

test('index and hub load the same one copy of the WebAssembly module', async () => {
  const modules = await loadedBy('index.js', 'hub.js');
  const both = await withWasm(modules.files);
  assert.equal(both.length, 1);
  assert.deepEqual(await withWasm((await loadedBy('index.js')).files), both);
  assert.deepEqual(await withWasm((await loadedBy('hub.js')).files), both);

  const commonjs = await loadedBy('cjs/index.cjs', 'cjs/hub.cjs');
  assert.deepEqual(await withWasm(commonjs.files), ['cjs/common.cjs']);
});

test('the url entry holds no WebAssembly and starts with the bytes it is given', async () => {
  const {files} = await loadedBy('url.js');
  assert.deepEqual(await withWasm(files), []);

  const entry = await import(join(pkg, 'url.js'));
  await entry.init(await readFile(join(pkg, 'tabmux_bg.wasm')));
});

test('worker.js is one file that imports nothing', async () => {
  assert.deepEqual(await loadedBy('worker.js'), {files: ['worker.js'], packages: []});
});

test('every package the entries import is declared', async () => {
  const entries = ['index.js', 'hub.js', 'url.js', 'cjs/index.cjs', 'cjs/hub.cjs'];
  const {packages} = await loadedBy(...entries);
  const declared = {...manifest.dependencies, ...manifest.peerDependencies};
  assert.deepEqual(
    packages.map((it) => it.split('/')[0]).filter((it) => !(it in declared)),
    [],
  );
});

test('an ECMAScript module in TypeScript finds the typings as Node would', async () => {
  await typeCheck({module: 'node16', moduleResolution: 'node16'}, {'index.mts': MODULE});
});

test('a CommonJS module in TypeScript finds the typings as Node would', async () => {
  await typeCheck({module: 'node16', moduleResolution: 'node16'}, {'index.cts': COMMONJS});
});

test('TypeScript finds the typings as a bundler would', async () => {
  await typeCheck({module: 'esnext', moduleResolution: 'bundler'}, {'index.ts': MODULE});
});
