import assert from 'node:assert/strict';
import {copyFile, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {serve} from '../bundlers/serve.mjs';
import {pkg} from '../project.mjs';
import {launch} from './engines/index.mjs';
import {eventually} from './support/eventually.mjs';

const STRICT = "script-src 'self'";
const ENOUGH = "script-src 'self' 'wasm-unsafe-eval'";

const code = `
  window.events = [];
  window.connection = tabmux.createConnection({url: location.href});
  connection.on('error', ({code, message}) => events.push({code, message}));
  connection.on('topology', ({topology, reason}) => Object.assign(window, {topology, reason}));
  window.answers = [];
  connection.get('notes', 'one').subscribe((error) => answers.push(error?.code ?? null));
  window.wentOn = true;`;

let browser;
before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});
after(() => browser?.close());

/** Opens a page under these policies. */
async function open(t, {ofPage, ofWorker = ofPage}) {
  const folder = await mkdtemp(join(tmpdir(), 'tabmux-csp-'));
  for (const name of ['browser.global.js', 'worker.js']) {
    await copyFile(join(pkg, name), join(folder, name));
  }
  const scripts = ['browser.global.js', 'page.js'].map((it) => `<script src="${it}"></script>`);
  await writeFile(join(folder, 'index.html'), `<!doctype html>${scripts.join('')}`);
  await writeFile(join(folder, 'page.js'), code);
  const server = await serve(folder, (path) => ({
    'content-security-policy': path === '/worker.js' ? ofWorker : ofPage,
  }));
  const tab = await browser.open(server.url);
  t.after(async () => {
    await tab.close();
    await server.close();
    await rm(folder, {recursive: true});
  });
  return tab;
}

test("without 'wasm-unsafe-eval' the connection says what to add, and the page goes on", async (t) => {
  const tab = await open(t, {ofPage: STRICT});
  const seen = () => tab.run(() => ({wentOn, events, answers, state: connection.state}));
  await eventually(async () => assert.equal((await seen()).answers.length, 1));
  const {wentOn, events, answers, state} = await seen();
  assert.equal(wentOn, true);
  assert.equal(state, 'stopped');
  assert.equal(events.length, 1);
  assert.equal(events[0].code, 'ERR_TABMUX_NO_WASM');
  assert.match(events[0].message, /'wasm-unsafe-eval'.*script-src/);
  assert.deepEqual(answers, ['ERR_TABMUX_NO_WASM']);
});

test("with 'wasm-unsafe-eval' all is as without a policy", async (t) => {
  const tab = await open(t, {ofPage: ENOUGH});
  await eventually(async () => assert.deepEqual(await tab.run(() => answers), [null]));
  assert.equal(await tab.run(() => topology), 'shared-worker');
});

test("a worker that came without 'wasm-unsafe-eval' is done without, and the tab says why", async (t) => {
  const tab = await open(t, {ofPage: ENOUGH, ofWorker: STRICT});
  await eventually(async () => assert.deepEqual(await tab.run(() => answers), [null]));
  assert.equal(await tab.run(() => topology), 'direct');
  assert.match(await tab.run(() => reason), /'wasm-unsafe-eval'/);
});
