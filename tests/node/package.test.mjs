import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {test} from 'node:test';
import {build} from 'esbuild';
import {inProject, pkg} from '../project.mjs';

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
