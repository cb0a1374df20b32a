/**
 * `node run.mjs <folder of the WebAssembly module> [--json]`: measures in Chromium and prints the
 * figures. Ends with 1 if the cost of an op grows with the document.
 */
import {once} from 'node:events';
import {createServer} from 'node:http';
import {join, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import {build} from 'esbuild';
import {bundle, packageFolder} from '../../examples/demo/bundle.mjs';
import {startServer} from '../../examples/demo/server.mjs';
import {launch} from '../../tests/browser/engines/index.mjs';
import {table} from './table.mjs';

/** How much dearer an op may be in a larger document. */
const MAX_RATIO = 1.3;
const ATTEMPTS = 2;

const {values, positionals} = parseArgs({
  options: {json: {type: 'boolean', default: false}},
  allowPositionals: true,
});
const server = await serve({
  '/page.js': await script(resolve(positionals[0])),
  '/hub.js': await bundle(join(import.meta.dirname, 'hub.mjs')),
});

let report;
for (let attempt = 0; attempt < ATTEMPTS && !report?.ok; attempt++) {
  const figures = await measure(`http://127.0.0.1:${server.address().port}/`);
  const ratio = (what) => {
    const ratios = [figures.opBySize, figures.opFromTab].flatMap(({tabmux}) => {
      const {'1 KB': small, ...others} = tabmux;
      return Object.values(others).map((it) => it[what] / small[what]);
    });
    return Math.max(...ratios);
  };
  const ratios = {median: ratio('median'), mean: ratio('mean')};
  const ok = Object.values(ratios).every((ratio) => ratio <= MAX_RATIO);
  report = {ok, ratios, maxRatio: MAX_RATIO, ...figures};
}
server.close();
console.log(values.json ? JSON.stringify(report, null, 2) : table(report));
process.exitCode = report.ok ? 0 : 1;

/** What the page runs, in one file. */
async function script(wasm) {
  const {outputFiles} = await build({
    entryPoints: [join(import.meta.dirname, 'page.mjs')],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    write: false,
    loader: {'.wasm': 'binary'},
    alias: {
      tabmux: `${packageFolder}page.js`,
      'tabmux-bench-store': join(wasm, 'store.js'),
      'tabmux-bench-store.wasm': join(wasm, 'store_bg.wasm'),
    },
  });
  return outputFiles[0].text;
}

async function serve(scripts) {
  const server = createServer(({url}, response) => {
    const [type, body] = Object.hasOwn(scripts, url)
      ? ['text/javascript', scripts[url]]
      : ['text/html', '<!doctype html><script type="module" src="/page.js"></script>'];
    response.writeHead(200, {
      'Content-Type': type,
      // A page on its own may read the time to 5 µs, others to 100 µs.
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

/** Measures in a browser and with a ShareDB server of its own, whose databases go with them. */
async function measure(url) {
  const sharedb = await startServer();
  const browser = await launch('chromium');
  const tab = await browser.open(url);
  await tab.front();
  const figures = await tab.run(
    (server) => measure(server),
    `ws://127.0.0.1:${sharedb.port}/sharedb`,
  );
  await browser.close();
  await sharedb.close();
  return figures;
}
