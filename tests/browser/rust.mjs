/**
 * Runs a Rust test program for WebAssembly in the browser that TABMUX_BROWSER names. Cargo calls
 * this as its runner; TABMUX_WASM_TEST_RUNNER is the wasm-bindgen-test-runner, which drives Chromium
 * itself but not the other browsers: to them it only serves the page that runs the tests.
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {launch} from './engines/index.mjs';
import {homeFolder, ownGroup} from './engines/processes.mjs';

const POLL_MS = 100;
// A test that hangs is to be seen before whoever runs this gives up.
const LIMIT_MS = 120_000;

const folder = homeFolder();
const runner = spawn(process.env.TABMUX_WASM_TEST_RUNNER, process.argv.slice(2), {
  detached: true,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    TMPDIR: folder.path,
    NO_HEADLESS: '1',
    WASM_BINDGEN_TEST_ADDRESS: '127.0.0.1:0',
  },
});
const ended = once(runner, 'exit');
const endRunner = ownGroup(runner);

const url = await served();
if (url) {
  const browser = await launch(process.env.TABMUX_BROWSER);
  const passed = await report(await browser.open(url));
  await browser.close();
  await endRunner();
  process.exitCode = passed ? 0 : 1;
} else {
  [process.exitCode] = await ended;
}
folder.remove();

/** Where the tests are, or nothing if the program has none for a browser. */
async function served() {
  for await (const line of createInterface({input: runner.stdout})) {
    const address = line.match(/available at (http:\S+)/);
    if (address) return address[1];
    console.log(line);
  }
}

/** Prints what the tests say, and tells whether all passed. */
async function report(tab) {
  const deadline = Date.now() + LIMIT_MS;
  let output = '';
  do {
    await sleep(POLL_MS);
    output = await tab.run(() => document.getElementById('output').textContent);
  } while (!output.includes('test result: ') && Date.now() < deadline);
  console.log(output);
  if (tab.errors?.length) console.log(tab.errors.join('\n'));
  return output.includes('test result: ok');
}
