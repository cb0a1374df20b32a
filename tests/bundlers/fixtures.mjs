/**
 * The set-ups: what to install, build and serve. The pages are those of the README.
 *
 * - `packages`: what is installed beside tabmux and ShareDB; or `modulesOf`: the fixture that has it, and the files
 * - `type`: that of package.json
 * - `sites`: one after the other is opened in two tabs. Each has
 *   - `page`: the quick start, which gets tabmux by `import` (the default), `require` or a `global`; or the page
 *     with its `own hub`
 *   - `source`: what a page is built from, if that is a page
 *   - `build`: a command, after which `folder` is served; or `start`: one that listens on $PORT
 *   - `ofShareDB`: what ShareDB's client complains of, with or without tabmux
 *   - `html`: what the page is that is served, if nothing has built one
 * - `run`: commands that fail if something does not work, for what is no page
 *
 * A folder of the same name has what else the project consists of.
 */

const module = (script) => `<script type="module" src="${script}"></script>`;
const classic = (script) => `<script src="${script}"></script>`;

const ofOwnHub = {'reconnecting-websocket': '4.4.0', 'rich-text': '4.1.0'};

function vite(version) {
  const source = module('./page.js');
  const build = {build: 'vite build', folder: 'dist', source};
  const dev = {start: 'vite --host 127.0.0.1 --port $PORT --strictPort', source};
  return {
    packages: {vite: version, ...ofOwnHub},
    type: 'module',
    sites: [
      {name: 'build', ...build},
      {name: 'dev', ...dev},
      {name: 'own hub, build', ...build, page: 'own hub'},
      {
        name: 'own hub, dev',
        ...dev,
        page: 'own hub',
        ofShareDB: /^Module "util" has been externalized/,
      },
    ],
  };
}

const webpack = {
  build: 'webpack --mode production --entry ./page.js',
  folder: 'dist',
  html: classic('main.js'),
};

const copyWorker = 'cp node_modules/tabmux/worker.js dist/';

const esbuild = 'esbuild page.js --bundle --minify';

const rollup = 'rollup --dir dist --plugin commonjs';

const next = (bundler) => ({
  build: `next build --${bundler}`,
  start: 'next start --hostname 127.0.0.1 --port $PORT',
});

const tsc =
  'tsc page.ts hub.ts --noEmit --strict --esModuleInterop --target es2022 --lib es2022,dom';

export const fixtures = {
  'vite-4': vite('4.5.14'),
  'vite-5': vite('5.4.21'),
  'vite-6': vite('6.4.6'),
  'vite-7': vite('7.3.8'),
  'vite-8': vite('8.4.0'),
  webpack: {
    packages: {webpack: '5.113.0', 'webpack-cli': '7.3.1', ...ofOwnHub},
    sites: [
      webpack,
      {name: 'require', ...webpack, page: 'require'},
      {name: 'own hub', ...webpack, page: 'own hub'},
    ],
  },
  'webpack-module': {
    modulesOf: 'webpack',
    type: 'module',
    sites: [webpack, {name: 'own hub', ...webpack, page: 'own hub'}],
  },
  rollup: {
    packages: {
      rollup: '4.68.8',
      '@rollup/plugin-node-resolve': '16.0.3',
      '@rollup/plugin-commonjs': '29.0.3',
      ...ofOwnHub,
    },
    type: 'module',
    sites: [
      {
        build: `${rollup} --plugin node-resolve page.js && ${copyWorker}`,
        folder: 'dist',
        html: module('page.js'),
      },
      {
        name: 'own hub',
        page: 'own hub',
        // Else ShareDB's own `events` is taken for that of Node.
        build: `${rollup} --plugin 'node-resolve={preferBuiltins: false}' page.js hub.js`,
        folder: 'dist',
        html: module('page.js'),
      },
    ],
  },
  parcel: {
    // ShareDB's dependency `async` looks for `process`, and Parcel insists.
    packages: {parcel: '2.16.4', process: '0.11.10', ...ofOwnHub},
    sites: [undefined, 'own hub'].map((page) => ({
      name: page,
      page,
      source: module('./page.js'),
      build: 'parcel build --no-cache --cache-dir .parcel-cache index.html',
      folder: 'dist',
    })),
  },
  esbuild: {
    packages: {esbuild: '0.28.2', ...ofOwnHub},
    sites: [
      {
        name: 'esm',
        build: `${esbuild} --splitting --format=esm --outdir=dist && ${copyWorker}`,
        folder: 'dist',
        html: module('page.js'),
      },
      {
        name: 'iife',
        build: `${esbuild} --outdir=dist && ${copyWorker}`,
        folder: 'dist',
        html: classic('page.js'),
      },
      {
        name: 'own hub',
        page: 'own hub',
        build: `${esbuild} hub.js --splitting --format=esm --outdir=dist`,
        folder: 'dist',
        html: module('page.js'),
      },
    ],
  },
  browserify: {
    packages: {browserify: '17.0.1'},
    sites: [
      {
        page: 'require',
        build: `mkdir -p dist && browserify page.js -o dist/page.js && ${copyWorker}`,
        folder: 'dist',
        html: classic('page.js'),
      },
    ],
  },
  next: {
    packages: {next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1'},
    sites: [next('turbopack')],
  },
  'next-webpack': {modulesOf: 'next', sites: [next('webpack')]},
  'no-bundler': {
    sites: [
      {
        name: 'import map',
        folder: '.',
        html: `<script type="importmap">{"imports": {"tabmux": "/node_modules/tabmux/browser.js"}}</script>
          ${module('page.js')}`,
      },
      {
        name: 'classic script',
        page: 'global',
        folder: '.',
        html: classic('node_modules/tabmux/browser.global.js') + classic('page.js'),
      },
    ],
  },
  node: {run: ['node program.mjs', 'node program.cjs']},
  typescript: {
    packages: {typescript: '5.9.3'},
    type: 'module',
    run: [
      `${tsc} --module esnext --moduleResolution bundler`,
      `${tsc} --module node16 --moduleResolution node16`,
      `${tsc} --module esnext --moduleResolution node10`,
    ],
  },
  metadata: {
    packages: {publint: '0.3.25', '@arethetypeswrong/cli': '0.18.5'},
    run: [
      'publint run $TARBALL --strict',
      // `tabmux/url` and `tabmux/browser` are ES modules alone; two entries are no modules.
      'attw $TARBALL --ignore-rules cjs-resolves-to-esm --exclude-entrypoints ./tabmux_tab.wasm ./tabmux_hub.wasm',
    ],
  },
};

/** Those that a change is tested with. */
export const few = ['vite-5', 'vite-8', 'webpack', 'esbuild', 'next', 'metadata'];
