/**
 * What docs/migration.md says of ShareDB's examples, with the README's server behind it. The examples
 * themselves are not here: what a diff leads to is made a page.
 */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {readmeCode, sidesOf, under} from '../docs/pages.mjs';
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

const PAGE = 'docs/migration.md';
const [, serverCode] = readmeCode('Quick start');

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

/** The examples that connect, and how the type of their documents is called. */
const EXAMPLES = {
  counter: 'json0',
  'counter-json1': 'json1',
  'counter-json1-vite': 'json1',
  leaderboard: 'json0',
  'rich-text': 'rich-text',
  textarea: 'json0',
};

const changed = (example) => sidesOf(under(PAGE, example)[0]).after;

/** The hub's module of the page, which is written down once. */
function hubCode(type) {
  const {code} = under(PAGE, 'counter-json1').find(({language}) => language === 'js');
  return type === 'rich-text' ? code.replace("from 'ot-json1'", "from 'rich-text'") : code;
}

/** Opens two tabs of an example, which do `more` beside. */
async function openExample(t, example, more = '') {
  const server = await startServerOf(t, serverCode + REGISTER_TYPES);
  const code = changed(example).replace(/'wss?:[^;,}\n]*/, `'${server.address}'`);
  assert.ok(code.includes(server.address));
  const files = {
    '/example.html': `${pageOf('/tabmux/bundle.js')}<span id="status-span"></span>`,
    '/tabmux/bundle.js': await bundleCode(`
      window.statusSpan = document.getElementById('status-span');
      ${code}
      ${more}
      window.connection = connection;`),
  };
  if (code.includes('hub.js')) {
    const hub = await bundleCode(hubCode(EXAMPLES[example]));
    // Beside the bundle, and beside the page.
    Object.assign(files, {'/tabmux/hub.js': hub, '/dist/hub.js': hub});
  }
  const stage = await openStage(t, browser, files);
  return {server, tabs: await openConnected(stage, '/example.html')};
}

for (const [example, type] of Object.entries(EXAMPLES)) {
  test(`two tabs of ShareDB's example ${example}, changed as the page says, share one socket`, async (t) => {
    const {server, tabs} = await openExample(t, example);
    await assertShared(server, tabs, SHARED[type]);
  });
}

for (const example of ['rich-text', 'rich-text-presence']) {
  test(`the example ${example} comes back as the page says, with what was typed meanwhile`, async (t) => {
    const presence = `var doc = connection.get('tests', 'shared');
      ${changed('rich-text-presence')}
      window.connect = connect;`;
    const more = example === 'rich-text' ? '' : presence;
    const {server, tabs} = await openExample(t, 'rich-text', more);
    const [first, second] = tabs;
    await assertShared(server, tabs, SHARED['rich-text']);
    await first.run(() => {
      connection.close();
      shared.submitOp({ops: [{insert: 'bread'}]});
      window.connect();
    });
    const read = () => second.run(() => JSON.stringify(shared.data));
    await eventually(async () => assert.match(await read(), /bread/));
  });
}

test('the example textarea shows the state of the connection', async (t) => {
  const {tabs} = await openExample(t, 'textarea');
  assert.equal(await tabs[0].run(() => statusSpan.innerHTML), 'Connected');
});

test('two tabs that come from @sharesync/sharedb have a store', async (t) => {
  const server = await startServerOf(t, serverCode);
  const {after} = sidesOf(under(PAGE, 'From `@sharesync/sharedb`')[0]);
  const code = `window.user = {id: 'ann'};
    ${after.replace('wss://example.com/sharedb', server.address)}
    window.connection = connection;`;
  const stage = await openStage(t, browser, {
    '/fork.html': pageOf('/tabmux/fork.js'),
    '/tabmux/fork.js': await bundleCode(code),
  });
  const tabs = await openConnected(stage, '/fork.html');
  await assertShared(server, tabs, SHARED.json0);
  const [{id, pending}] = await tabs[1].run(() => connection.store.inventory());
  assert.deepEqual([id, pending], ['shared', false]);
});
