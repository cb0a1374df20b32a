import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {test} from 'node:test';
import {build} from 'esbuild';
import {inProject, pkg} from '../project.mjs';

const manifest = JSON.parse(await readFile(join(pkg, 'package.json'), 'utf8'));

/** How a WebAssembly module begins that is part of a script; see xtask/src/wasm_text.rs. */
const WASM_AS_TEXT = ' !#%&()*+,-./0123456789:;=>?@ABC';

/** The files of the package that entries load at once, and the packages that all files import. */
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
  const files = new Set(entries);
  for (const file of files) {
    const inside = metafile.inputs[file].imports.filter((it) => !it.external);
    for (const it of inside) if (it.kind !== 'dynamic-import') files.add(it.path);
  }
  return {files: [...files], packages: [...new Set(external.map((it) => it.path))]};
}

/** Which of the files that entries load at once hold a WebAssembly module. */
async function wasmLoadedBy(...entries) {
  const {files} = await loadedBy(...entries);
  const texts = await Promise.all(files.map((file) => readFile(join(pkg, file), 'utf8')));
  return files.filter((_, at) => texts[at].includes(WASM_AS_TEXT)).sort();
}

test('import and require offer the same names', async () => {
  await inProject({}, async (project) => {
    const require = createRequire(join(project, 'index.js'));
    for (const [entry, file] of [
      ['tabmux', 'index.js'],
      ['tabmux', 'page.js'],
      ['tabmux/hub', 'hub.js'],
    ]) {
      const names = Object.keys(await import(join(pkg, file)));
      assert.deepEqual(Object.keys(require(entry)).sort(), names.sort());
      assert.notEqual(names.length, 0);
    }
  });
});

test('a page loads one WebAssembly module and a hub another; in Node index loads all', async () => {
  const page = await wasmLoadedBy('page.js');
  const hub = await wasmLoadedBy('hub.js');
  assert.equal(page.length, 1);
  assert.equal(hub.length, 1);
  assert.notDeepEqual(page, hub);
  assert.deepEqual(await wasmLoadedBy('page.js', 'hub.js'), [...page, ...hub].sort());
  const all = await wasmLoadedBy('index.js');
  assert.ok([...page, ...hub].every((it) => all.includes(it)));
  assert.equal(all.length, 3, 'the third has the codec cbor');
  assert.deepEqual(await wasmLoadedBy('cjs/index.cjs', 'cjs/hub.cjs'), [], 'they read the files');
});

test('a page loads the codec cbor once it is named', async (t) => {
  const {createConnection} = await import(join(pkg, 'page.js'));
  const frame = new Promise((send) => {
    const connection = createConnection({transport: {send, close() {}}, codec: 'cbor'});
    t.after(() => connection.close());
  });
  assert.ok((await frame) instanceof Uint8Array);
});

test('the url entries hold no WebAssembly and start with the bytes they are given', async () => {
  for (const [file, wasm] of [
    ['url.js', 'tabmux_tab.wasm'],
    ['hub-url.js', 'tabmux_hub.wasm'],
  ]) {
    assert.deepEqual(await wasmLoadedBy(file), []);
    const entry = await import(join(pkg, file));
    await entry.init(await readFile(join(pkg, wasm)));
  }
});

test('a bundle for Node has index, one for a page has the entry without a hub', async () => {
  await inProject({'main.js': "export * from 'tabmux';"}, async (project) => {
    const entryFor = async (platform) => {
      const {metafile} = await build({
        absWorkingDir: project,
        entryPoints: ['main.js'],
        bundle: true,
        platform,
        format: 'esm',
        external: Object.keys({...manifest.dependencies, ...manifest.peerDependencies}),
        preserveSymlinks: true,
        metafile: true,
        write: false,
      });
      return metafile.inputs['main.js'].imports[0].path;
    };
    assert.equal(await entryFor('node'), 'node_modules/tabmux/index.js');
    assert.equal(await entryFor('browser'), 'node_modules/tabmux/page.js');
    assert.equal(await entryFor('neutral'), 'node_modules/tabmux/page.js');
  });
});

test('worker.js is one file that imports nothing', async () => {
  assert.deepEqual(await loadedBy('worker.js'), {files: ['worker.js'], packages: []});
});

test('every package the entries import is declared', async () => {
  const esm = ['index.js', 'page.js', 'url.js', 'hub.js', 'hub-url.js'];
  const entries = [...esm, 'cjs/index.cjs', 'cjs/hub.cjs'];
  const {packages} = await loadedBy(...entries);
  const declared = {...manifest.dependencies, ...manifest.peerDependencies, 'node:fs': 'of Node'};
  assert.deepEqual(
    packages.map((it) => it.split('/')[0]).filter((it) => !(it in declared)),
    [],
  );
});

test('every link of the README leads somewhere from within the package', async () => {
  const readme = await readFile(join(pkg, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^)]*)\)/g)].map(([, link]) => link);
  assert.ok(links.length > 0);
  assert.deepEqual(
    links.filter((link) => !/^(#|https:)/.test(link)),
    [],
  );
});

test('the page without a bundler has the same names as a module and as a global', async () => {
  const browser = await import(join(pkg, 'browser.js'));
  const {cameFrom, ...global} = globalThis.tabmux;
  assert.equal(typeof cameFrom, 'function');
  assert.deepEqual(Object.keys(global).sort(), Object.keys(browser).sort());
  const names = Object.keys(await import(join(pkg, 'page.js')));
  assert.deepEqual(
    names.filter((name) => !(name in browser)),
    [],
  );
});
