import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {agree, create, held, leaveMark, seesMark, subscribe} from './support/documents.mjs';
import {eventually} from './support/eventually.mjs';
import {html, openStage, script} from './support/stage.mjs';

let browser;
let files;

before(async () => {
  files = {
    '/test/syntax.js': 'let hub = ;',
    '/test/bad-import.js': "import './missing.js';",
    '/test/throws.js': "throw new Error('a mistake in the script');",
    '/test/silent.js': 'onconnect = () => {};',
    '/test/throwing-hub.js': await script('throwing-hub.mjs'),
    '/quick-start.html': html('/tabmux/quick-start.js'),
    '/tabmux/quick-start.js': await script('quick-start.mjs'),
    '/url.html': html('/tabmux/url-page.js'),
    '/tabmux/url-page.js': await script('url-page.mjs'),
    '/tabmux/url-hub.js': await script('url-hub.mjs'),
  };
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

const topology = (tab) => tab.run(() => connection.topology);

/** Waits until a tab has given up its worker; returns why. */
const fellBack = (tab) =>
  eventually(async () => {
    const last = await tab.run(() => events.topology.at(-1));
    assert.equal(last?.topology, 'direct');
    return last.reason;
  });

/** Edits a document in each tab; all see all of it. */
async function workTogether(stage, tabs) {
  await create(tabs[0], 'notes');
  await Promise.all(tabs.map((tab) => subscribe(tab, 'notes')));
  for (const [at, tab] of tabs.entries()) await leaveMark(tab, 'notes', `tab ${at}`);
  for (const tab of tabs) {
    for (const at of tabs.keys()) await seesMark(tab, 'notes', `tab ${at}`);
  }
  await agree(stage, 'notes', tabs);
}

test('without a SharedWorker each tab has a hub, and a WebSocket, of its own', async (t) => {
  const stage = await openStage(t, browser);
  const options = {useSharedWorker: false};
  const tabs = [await stage.connect(options), await stage.connect(options)];
  assert.equal(await fellBack(tabs[0]), 'useSharedWorker is false');
  await workTogether(stage, tabs);
  assert.equal(stage.server.opened, 2);
});

test('the hub for the page itself may come from a script of its own', async (t) => {
  const stage = await openStage(t, browser);
  const tab = await stage.connect({hub: {local: '/test/hub.js'}});
  await workTogether(stage, [tab]);
  assert.equal(await topology(tab), 'direct');
});

for (const [fault, script, cause] of [
  ['is missing', 'missing.js', /could not be loaded/],
  ['has a syntax error', 'syntax.js', /could not be loaded/],
  ['imports what is missing', 'bad-import.js', /could not be loaded/],
  ['throws', 'throws.js', /a mistake in the script/],
  ['throws before it defines the hub', 'throwing-hub.js', /a mistake in the hub/],
]) {
  test(`where the worker's script ${fault}, the tab hosts the hub and says why`, async (t) => {
    const stage = await openStage(t, browser, files);
    const tab = await stage.connect({hub: {worker: `/test/${script}`, local: true}});
    assert.match(await fellBack(tab), cause);
    await workTogether(stage, [tab]);
    assert.deepEqual(await tab.run(() => events.error), []);
  });
}

test('where the worker does not start and there is no other hub, it is an error and nothing waits', async (t) => {
  const stage = await openStage(t, browser, files);
  const tab = await stage.connect({hub: {worker: '/test/syntax.js'}});
  const failures = await tab.run(async () => {
    const errors = await Promise.all([
      failure((callback) => doc('notes').subscribe(callback)),
      failure((callback) => doc('other').create({}, callback)),
      failure((callback) => connection.getBulk('test', ['a', 'b'], callback)),
    ]);
    errors.push(await failure((callback) => doc('notes').fetch(callback)));
    errors.push(await failure((callback) => doc('third').create({}, callback)));
    return [...errors, ...events.error];
  });
  assert.equal(failures.length, 6);
  for (const {code, message} of failures) {
    assert.equal(code, 'ERR_TABMUX_HUB_START');
    assert.match(message, /could not be loaded.*`hub\.local`/);
  }
  assert.equal(await tab.run(() => connection.state), 'stopped');
});

test('every tab hears of a hub that throws, not only the first', async (t) => {
  const stage = await openStage(t, browser, files);
  const options = {hub: {worker: '/test/throwing-hub.js', local: true}};
  const tabs = [await stage.connect(options), await stage.connect(options)];
  for (const tab of tabs) assert.match(await fellBack(tab), /a mistake in the hub/);
  await workTogether(stage, tabs);
});

test('a worker that never answers is given up', async (t) => {
  const stage = await openStage(t, browser, files);
  const tab = await stage.connect({
    hub: {worker: '/test/silent.js', local: true},
    middleware: [{layer: 'timeouts', after: 2000}, 'batching'],
  });
  assert.match(await fellBack(tab), /2000 ms/);
  await workTogether(stage, [tab]);
});

test('a hub whose connect throws is an error at the tab, and the next tab may be let in', async (t) => {
  const stage = await openStage(t, browser);
  const refused = await stage.connect({auth: 'refused'});
  const error = await refused.run(() => failure((callback) => doc('notes').subscribe(callback)));
  assert.equal(error.code, 'ERR_TABMUX_HUB_START');
  assert.match(error.message, /who are you\?/);
  assert.deepEqual(await refused.run(() => events.error), [error]);
  assert.equal(await refused.run(() => connection.state), 'stopped');
  assert.equal(stage.server.opened, 0);

  await workTogether(stage, [await stage.connect({auth: 'welcome'})]);
});

test('identities never share a hub', async (t) => {
  const stage = await openStage(t, browser);
  const [alice, alicesOther, bob] = [
    await stage.connect({identity: 'alice'}),
    await stage.connect({identity: 'alice'}),
    await stage.connect({identity: 'bob'}),
  ];
  await workTogether(stage, [alice, alicesOther, bob]);
  assert.equal(stage.server.opened, 2);
  assert.equal(await alice.run(() => connection.tabs.length), 2);
  assert.equal(await bob.run(() => connection.tabs.length), 1);

  stage.server.cut();
  await leaveMark(alice, 'notes', 'offline');
  await seesMark(alicesOther, 'notes', 'offline');
  assert(!(await held(bob, 'notes')).data.list.includes('offline'));
  stage.server.restore();
  await seesMark(bob, 'notes', 'offline');
});

for (const transport of ['message-port', 'broadcast-channel']) {
  test(`tabs outlive the process of the first, in which the worker ran, over ${transport}`, async (t) => {
    const stage = await openStage(t, browser);
    const [first, ...others] = [
      await stage.connect({transport}),
      await stage.connect({transport}),
      await stage.connect({transport}),
    ];
    await workTogether(stage, [first, ...others]);

    await stage.kill(first);
    for (const tab of others) {
      await eventually(async () => assert.equal(await tab.run(() => connection.tabs.length), 2));
      await eventually(async () => assert.equal((await held(tab, 'notes')).data?.count, 3));
    }
    await leaveMark(others[0], 'notes', 'afterwards');
    await seesMark(others[1], 'notes', 'afterwards');
    const {data} = await agree(stage, 'notes', others);
    assert.equal(data.count, 4);
    assert.equal(stage.server.sockets.size, 1);
    for (const tab of others) assert.deepEqual(await tab.run(() => events.error), []);
  });
}

test('the quick start: an address is enough', async (t) => {
  const stage = await openStage(t, browser, files);
  const tabs = [await stage.open('/quick-start.html'), await stage.open('/quick-start.html')];
  for (const tab of tabs) {
    await tab.run((url) => quickStart(url), stage.socketUrl);
    assert.equal(await topology(tab), 'shared-worker');
  }
  await tabs[0].run(() => doc.submitOp([{p: ['items', 0], li: 'bread'}]));
  await eventually(async () =>
    assert.deepEqual(await tabs[1].run(() => doc.data.items), ['bread']),
  );
  assert.equal(stage.server.opened, 1);
});

test('the WebAssembly module may be loaded by URL, in the page and in the worker', async (t) => {
  const stage = await openStage(t, browser, files);
  const tab = await stage.open('/url.html');
  await tab.run((url) => start(url), stage.socketUrl);
  await tab.run(
    () =>
      new Promise((resolve, reject) => {
        const done = (error) => (error ? reject(error) : resolve());
        connection.get('test', 'notes').create({text: 'by URL'}, done);
      }),
  );
  assert.equal(await topology(tab), 'shared-worker');
  assert.deepEqual(stage.server.log[0].create.data, {text: 'by URL'});
});

test('a mistake in the options is thrown at once, with a code', async (t) => {
  const stage = await openStage(t, browser);
  const tab = await stage.open();
  const code = async (options) =>
    (await tab.run((options) => failure(() => connect(options)), options)).code;
  const url = 'ws://127.0.0.1/';
  assert.equal(await code({url, colour: 'red'}), 'ERR_TABMUX_OPTION_UNKNOWN');
  assert.equal(await code({url, transport: 'pigeon'}), 'ERR_TABMUX_OPTION_INVALID');
  assert.equal(await code({url, codec: 'morse'}), 'ERR_TABMUX_CODEC_UNKNOWN');
  assert.equal(await code({url, middleware: ['retries']}), 'ERR_TABMUX_LAYER_MISSING');
  assert.equal(await code({}), 'ERR_TABMUX_OPTION_INVALID');
  const strings = {name: 'strings', guarantees: {carries: ['strings']}};
  const overStrings = (strings) =>
    failure(() => connect({transport: {...strings, send() {}, close() {}}, codec: 'cbor'}));
  assert.equal((await tab.run(overStrings, strings)).code, 'ERR_TABMUX_CODEC_MISMATCH');
});

test('an op on a document that does not exist is an error at the caller', async (t) => {
  const stage = await openStage(t, browser);
  const tab = await stage.connect();
  const submit = () =>
    failure((callback) => doc('nowhere').submitOp([{p: ['a'], oi: 1}], callback));
  assert.equal((await tab.run(submit)).code, 'ERR_DOC_DOES_NOT_EXIST');
  await subscribe(tab, 'nowhere');
  assert.equal((await tab.run(submit)).code, 'ERR_DOC_DOES_NOT_EXIST');
});
