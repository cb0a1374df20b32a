/**
 * Runs ShareDB's own tests in a browser: writes a report to a file, as mocha's reporter `json` does.
 *
 *     node tests/conformance/browser/run.mjs --browser chromium --output report.json
 */
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {build} from 'esbuild';
import {startServer} from '../../../examples/demo/server.mjs';
import {launch} from '../../browser/engines/index.mjs';

const {values} = parseArgs({
  options: {
    browser: {type: 'string'},
    transport: {type: 'string', default: 'message-port'},
    codec: {type: 'string', default: 'structured-clone'},
    grep: {type: 'string', default: ''},
    output: {type: 'string'},
  },
});

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const modules = here('../sharedb-7.0.0/node_modules/');
const sharedb = `${modules}sharedb`;
/** Those of its packages that the root of the repository has as well. */
const shared = ['sharedb', 'ot-json0', 'ot-json1', 'rich-text'];

/** Bundles the script of this text, in which everything speaks of the ShareDB under test. */
async function bundle(contents) {
  const {outputFiles} = await build({
    stdin: {contents, resolveDir: here('.')},
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
    define: {global: 'globalThis'},
    nodePaths: [modules],
    alias: {
      tabmux: here('../../../pkg/page.js'),
      'tabmux/hub': here('../../../pkg/hub.js'),
      ...Object.fromEntries(shared.map((name) => [name, modules + name])),
      stream: 'readable-stream',
    },
  });
  return outputFiles[0].text;
}

const clientTests = (await readdir(`${sharedb}/test/client`, {recursive: true}))
  .filter((file) => file.endsWith('.js'))
  .sort();
const tests = ['setup.js', ...clientTests.map((file) => `client/${file}`), 'db-memory.js'];
const imports = ['./process.mjs', './page.mjs', ...tests.map((test) => `sharedb/test/${test}`)];
const {transport, codec, grep} = values;
// On a busy machine a page may stand still for longer than the 2 seconds mocha waits by default.
const options = JSON.stringify({ui: 'bdd', timeout: 5000, grep});
/** After this the process ends, and the browser with it. */
const LONGEST_RUN_MS = 540_000;

const server = await startServer({
  files: {
    '/tests.html': `<!doctype html><title>tests</title>
      <script src="/mocha.js"></script>
      <script>mocha.setup(${options.replaceAll('<', '\\u003c')})</script>
      <script type="module" src="/page.mjs"></script>`,
    '/mocha.js': await readFile(`${modules}mocha/mocha.js`, 'utf8'),
    '/page.mjs': await bundle(imports.map((path) => `import '${path}';`).join('\n')),
    '/hub.js': await bundle("import './hub.mjs';"),
  },
});
const browser = await launch(values.browser);
const limit = setTimeout(() => {
  console.error(`The tests did not end within ${LONGEST_RUN_MS} ms`);
  process.exit(1);
}, LONGEST_RUN_MS);
try {
  const tab = await browser.open(
    `${server.url}/tests.html?${new URLSearchParams({transport, codec})}`,
  );
  await tab.front();
  const report = await tab
    .run(() => runTests())
    .catch((error) => {
      throw new Error([error.message, ...(tab.errors ?? [])].join('\n'));
    });
  await writeFile(values.output, JSON.stringify(report, null, 1));
} finally {
  clearTimeout(limit);
  await browser.close();
  await server.close();
}
