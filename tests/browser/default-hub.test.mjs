import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {freePort} from '../bundlers/serve.mjs';
import {launch} from './engines/index.mjs';
import {eventually} from './support/eventually.mjs';
import {html, openStage, script} from './support/stage.mjs';

let browser;
let files;

before(async () => {
  files = {
    '/quick-start.html': html('/tabmux/quick-start.js'),
    '/elsewhere.html': html('/quick-start.js'),
    '/tabmux/quick-start.js': await script('quick-start.mjs'),
  };
  files['/quick-start.js'] = files['/tabmux/quick-start.js'];
  browser = await launch(process.env.TABMUX_BROWSER);
});
after(() => browser?.close());

/** A tab that has the document of the quick start. */
async function connected(stage, url, options, path = '/quick-start.html') {
  const tab = await stage.open(path);
  await keepWarnings(tab);
  await tab.run((url, options) => quickStart(url, options), url, options);
  return tab;
}

/** Not every engine tells what is on the console. */
const keepWarnings = (tab) =>
  tab.run(() => {
    window.warnings = [];
    console.warn = (text) => warnings.push(text);
  });

const tabCount = (tab) => tab.run(() => connection.tabs.length);

for (const store of [false, true]) {
  test(`a token in the address makes no second hub, store: ${store}`, async (t) => {
    const stage = await openStage(t, browser, files);
    const tabs = [
      await connected(stage, `${stage.socketUrl}?token=one`, {store}),
      await connected(stage, `${stage.socketUrl}?token=two`, {store}),
    ];
    for (const tab of tabs) {
      await eventually(async () => assert.equal(await tabCount(tab), 2));
      assert.deepEqual(await tab.run(() => storeErrors), []);
    }
    assert.equal(stage.server.opened, 1);
  });

  test(`another server, and another identity, has a hub of its own, store: ${store}`, async (t) => {
    const stage = await openStage(t, browser, files);
    const {socketUrl} = stage;
    const tabs = [
      await connected(stage, socketUrl, {store}),
      await connected(stage, socketUrl.replace('127.0.0.1', 'localhost'), {store}),
      await connected(stage, socketUrl, {store, identity: 'ann'}),
    ];
    for (const tab of tabs) {
      assert.equal(await tabCount(tab), 1);
      assert.deepEqual(await tab.run(() => storeErrors), []);
    }
    assert.equal(stage.server.opened, 3);
  });
}

test('a server that is not there is told once on the console', async (t) => {
  const stage = await openStage(t, browser, files);
  const url = `ws://127.0.0.1:${await freePort()}/sharedb`;
  const tab = await stage.open('/quick-start.html');
  await keepWarnings(tab);
  await tab.run((url) => {
    quickStart(`${url}?token=secret`);
    window.codes = [];
    connection.on('connection error', ({code}) => codes.push(code));
  }, url);
  await eventually(async () => assert.ok((await tab.run(() => codes.length)) > 1));
  const warnings = await tab.run(() => warnings);
  assert.equal(warnings.length, 1);
  assert.ok(warnings[0].startsWith(`tabmux: no connection to the server at ${url}: `), warnings[0]);
  assert.ok((await tab.run(() => codes)).every((code) => code === 'ERR_TABMUX_NO_SERVER'));
});

test('what is no address of a WebSocket is refused', async (t) => {
  const stage = await openStage(t, browser, files);
  const tab = await stage.open('/quick-start.html');
  const refused = (url) =>
    tab.run((url) => quickStart(url).then(String, ({message}) => message), url);
  assert.match(await refused('ftp://example.com/'), /`url` is "ftp:/);
  assert.match(await refused('http://'), /`url` is "http:/);
});

test('where the worker is missing, the tab says where it looked; another place can be named', async (t) => {
  const stage = await openStage(t, browser, files);
  const lost = await connected(stage, stage.socketUrl, {}, '/elsewhere.html');
  assert.equal(await lost.run(() => connection.topology), 'direct');
  const [warning] = await lost.run(() => warnings);
  assert.ok(warning.includes(`looked for at ${stage.server.url}/worker.js`), warning);
  assert.match(warning, /copy node_modules\/tabmux\/worker\.js there/);

  const options = {worker: '/tabmux/worker.js'};
  const found = await connected(stage, stage.socketUrl, options, '/elsewhere.html');
  assert.equal(await found.run(() => connection.topology), 'shared-worker');
  assert.deepEqual(await found.run(() => warnings), []);
});
