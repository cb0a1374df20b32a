/**
 * The set-ups: what to install, build and serve. The pages are the README's quick start.
 *
 * - `packages`: what is installed beside tabmux and ShareDB; or `modulesOf`: the fixture that has it
 * - `type`: that of package.json
 * - `page`: how the page's code gets tabmux: by `import` (the default), `require`, `browser` or `global`
 * - `sites`: one after the other is opened in two tabs. `build` is a command; then a folder is served, or
 *   `start`, a command that listens on $PORT. `html` is what that folder has no page for
 * - `run`: commands that fail if something does not work, for what is no page
 */

const module = (script) => `<script type="module" src="${script}"></script>`;
const classic = (script) => `<script src="${script}"></script>`;

const vite = (version) => ({
  packages: {vite: version},
  type: 'module',
  html: module('./page.js'),
  sites: [
    {name: 'build', build: 'vite build', folder: 'dist'},
    {name: 'dev', start: 'vite --host 127.0.0.1 --port $PORT --strictPort'},
  ],
});

const copyWorker = 'cp node_modules/tabmux/worker.js dist/';

const tsc =
  'tsc page.ts hub.ts --noEmit --strict --esModuleInterop --target es2022 --lib es2022,dom';

const next = {packages: {next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1'}};

export const fixtures = {
  'vite-4': vite('4.5.14'),
  'vite-5': vite('5.4.21'),
  'vite-6': vite('6.4.6'),
  'vite-7': vite('7.3.8'),
  'vite-8': vite('8.4.0'),
  webpack: {
    packages: {webpack: '5.113.0', 'webpack-cli': '7.3.1'},
    sites: [
      {
        build: 'webpack --mode production --entry ./page.js',
        folder: 'dist',
        html: classic('main.js'),
      },
    ],
  },
  'webpack-require': {
    modulesOf: 'webpack',
    page: 'require',
    sites: [
      {
        build: 'webpack --mode production --entry ./page.js',
        folder: 'dist',
        html: classic('main.js'),
      },
    ],
  },
  'webpack-module': {
    modulesOf: 'webpack',
    type: 'module',
    sites: [
      {
        build: 'webpack --mode production --entry ./page.js',
        folder: 'dist',
        html: classic('main.js'),
      },
    ],
  },
  rollup: {
    packages: {
      rollup: '4.68.8',
      '@rollup/plugin-node-resolve': '16.0.3',
      '@rollup/plugin-commonjs': '29.0.3',
    },
    type: 'module',
    sites: [
      {
        build: `rollup page.js --dir dist --plugin node-resolve --plugin commonjs && ${copyWorker}`,
        folder: 'dist',
        html: module('page.js'),
      },
    ],
  },
  parcel: {
    // ShareDB's dependency `async` looks for it, and Parcel insists.
    packages: {parcel: '2.16.4', process: '0.11.10'},
    html: module('./page.js'),
    sites: [{build: 'parcel build --no-cache index.html', folder: 'dist'}],
  },
  esbuild: {
    packages: {esbuild: '0.28.2'},
    sites: [
      {
        name: 'esm',
        build: `esbuild page.js --bundle --minify --splitting --format=esm --outdir=dist && ${copyWorker}`,
        folder: 'dist',
        html: module('page.js'),
      },
      {
        name: 'iife',
        build: `esbuild page.js --bundle --outdir=dist && ${copyWorker}`,
        folder: 'dist',
        html: classic('page.js'),
      },
    ],
  },
  browserify: {
    packages: {browserify: '17.0.1'},
    page: 'require',
    sites: [
      {
        build: `mkdir -p dist && browserify page.js -o dist/page.js && ${copyWorker}`,
        folder: 'dist',
        html: classic('page.js'),
      },
    ],
  },
  next: {
    ...next,
    sites: [{build: 'next build', start: 'next start --hostname 127.0.0.1 --port $PORT'}],
  },
  'no-bundler': {
    html: `<script type="importmap">{"imports": {"tabmux": "/node_modules/tabmux/browser.js"}}</script>
      ${module('page.js')}`,
    sites: [{name: 'import map', folder: '.'}],
  },
  'classic-script': {
    page: 'global',
    html: `${classic('node_modules/tabmux/browser.global.js')}${classic('page.js')}`,
    sites: [{folder: '.'}],
  },
  node: {
    packages: {ws: '8.23.0'},
    run: ['node program.mjs', 'node program.cjs'],
  },
  typescript: {
    packages: {typescript: '5.9.3'},
    type: 'module',
    run: [
      `${tsc} --module esnext --moduleResolution bundler`,
      `${tsc} --module node16 --moduleResolution node16`,
      `${tsc} --module esnext --moduleResolution node10`,
    ],
  },
};

/** Those that a change is tested with. */
export const few = ['vite-5', 'vite-8', 'webpack', 'esbuild', 'next'];
