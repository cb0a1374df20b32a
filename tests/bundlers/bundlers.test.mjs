/**
 * The README's quick start in each set-up that people have, built from the packed package, in two tabs.
 *
 *     cargo xtask bundlers [set-up ...]
 */
import assert from 'node:assert/strict';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {launch} from '../browser/engines/index.mjs';
import {eventually} from '../browser/support/eventually.mjs';
import {few, fixtures} from './fixtures.mjs';
import {page, sources} from './pages.mjs';
import {command, install, pack, start, write} from './projects.mjs';
import {freePort, serve} from './serve.mjs';

const names = namesIn(process.env.TABMUX_SETUPS) ?? few;
const folders = new Map();
let browser;
let packed;

function namesIn(list) {
  if (!list) return undefined;
  if (list === 'all') return Object.keys(fixtures);
  const unknown = list.split(',').find((name) => !Object.hasOwn(fixtures, name));
  if (unknown) {
    throw new Error(`no set-up ${unknown}: there are ${Object.keys(fixtures).join(', ')}`);
  }
  return list.split(',');
}

before(async () => {
  [packed, browser] = await Promise.all([pack(), launch('chromium')]);
  const needed = new Set(names.flatMap((name) => [fixtures[name].modulesOf ?? name, name]));
  for (const name of needed) folders.set(name, install(name, fixtures[name], packed.tarball));
  await Promise.all(folders.values());
});
after(() => browser?.close());

test('what is published weighs less than 1.5 MB', () => {
  assert.ok(packed.size < 1_500_000, `${packed.size} bytes`);
});

for (const name of names) {
  const {sites = [], run = []} = fixtures[name];
  for (const site of sites) {
    test([name, site.name].filter(Boolean).join(', '), async (t) => {
      await inTwoTabs(t, await folders.get(name), site);
    });
  }
  for (const line of run) {
    test(`${name}: ${line}`, async () => {
      await command(await folders.get(name), line, {TARBALL: packed.tarball});
    });
  }
}

/** Builds and serves a site: an edit crosses from tab to tab, over one WebSocket, and nobody complains. */
async function inTwoTabs(t, folder, site) {
  const {build, start: line, folder: served, html, ofShareDB} = site;
  await write(folder, sources(site));
  if (build) await command(folder, build);
  if (html) await writeFile(join(folder, served, 'index.html'), page(html));
  const server = await serve(served && join(folder, served));
  t.after(() => server.close());
  let {url} = server;
  let started;
  if (line) {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    started = await start(folder, line, url, {PORT: port, SERVER: server.socketUrl});
    t.after(() => started.end());
  }
  const address = `${url}?server=${encodeURIComponent(server.socketUrl)}`;
  const tabs = [await browser.open(address), await browser.open(address)];
  t.after(() => Promise.all(tabs.map((tab) => tab.close())));
  const complaints = () =>
    tabs
      .flatMap(({errors, warnings}) => [...errors, ...warnings])
      .filter((it) => !ofShareDB?.test(it));
  const shows = (tab) => tab.run(() => document.body.innerText);
  for (const tab of tabs) {
    await eventually(async () =>
      assert.match(await shows(tab), /"items":\[\]/, complaints().join('\n')),
    );
  }
  assert.deepEqual(complaints(), []);
  for (const tab of tabs) {
    assert.equal(await tab.run(() => window.doc.connection.topology), 'shared-worker');
  }
  // Both tabs create the document; the one that comes second must have heard so.
  await tabs[0].run(() => new Promise((resolve) => window.doc.whenNothingPending(resolve)));
  await tabs[0].run(() => window.doc.submitOp([{p: ['items', 0], li: 'bread'}]));
  await eventually(async () => assert.match(await shows(tabs[1]), /"items":\["bread"\]/));
  assert.equal(server.opened, 1);
  assert.deepEqual(complaints(), []);
  if (started) assert.ok(started.isRunning(), started.output());
}
