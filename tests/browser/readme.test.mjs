import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {readmeCode} from '../docs/pages.mjs';
import {launch} from './engines/index.mjs';
import {eventually} from './support/eventually.mjs';
import {
  assertShared,
  bundleCode,
  openConnected,
  pageOf,
  REGISTER_TYPES,
  SHARED,
  startServerOf,
} from './support/from-docs.mjs';
import {openStage} from './support/stage.mjs';

const [browserCode, serverCode] = readmeCode('Quick start');
const [hubCode, pageCode] = readmeCode('With your own hub');

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

/** Opens a page of the README in two tabs, with the README's server behind it. */
async function openTwoTabs(t, code, files = {}) {
  const server = await startServerOf(t, serverCode + REGISTER_TYPES);
  const connected = code.replace('ws://localhost:8080', server.address);
  assert.notEqual(connected, code);
  // Beside the package, where the worker is found.
  const stage = await openStage(t, browser, {
    '/readme.html': pageOf('/tabmux/readme.js'),
    '/tabmux/readme.js': await bundleCode(`${connected}\nObject.assign(window, {connection});`),
    ...files,
  });
  return {server, tabs: await openConnected(stage, '/readme.html')};
}

test("two tabs with the README's quick start share one socket of the README's server", async (t) => {
  const render = 'window.render = (data) => { window.shown = JSON.stringify(data); };';
  const {server, tabs} = await openTwoTabs(t, `${render}\n${browserCode}`);
  const shows = (expected) =>
    eventually(async () => {
      for (const tab of tabs) assert.equal(await tab.run(() => window.shown), expected);
    });
  await shows('{"items":[]}');
  // Both tabs create the document; the one that comes second must have heard so.
  await tabs[0].run(async () => {
    const doc = connection.get('notes', 'shopping');
    await new Promise((resolve) => doc.whenNothingPending(resolve));
    doc.submitOp([{p: ['items', 0], li: 1}]);
  });
  await shows('{"items":[1]}');
  await assertShared(server, tabs, SHARED.json0);
});

test("two tabs with the README's own hub share one socket, and documents of another type", async (t) => {
  const known = `const [token, user] = ['secret', {id: 'ann'}];`;
  const files = {'/tabmux/hub.js': await bundleCode(hubCode)};
  const {server, tabs} = await openTwoTabs(t, `${known}\n${pageCode}`, files);
  await assertShared(server, tabs, SHARED['rich-text']);
});
