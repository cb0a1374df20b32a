import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {
  call,
  closing,
  drained,
  holdBack,
  newBackend,
  newPair,
  openStored,
  openTabs,
  plain,
  storeEventsOf,
  TRANSPORTS,
  unreachable,
  until,
} from './support.mjs';

/** A document that the server has. */
async function create(tab, id, data, collection = 'notes') {
  const doc = tab.get(collection, id);
  await call(doc, 'subscribe');
  await call(doc, 'create', data);
  return doc;
}

test('without a store, every question about it is answered with an error', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const {store} = tab;
  const asked = [
    () => store.inventory(),
    () => store.usage(),
    () => store.pin('notes', 'one'),
    () => store.persist(),
    () => store.export(),
    () => store.clear(),
  ];
  for (const ask of asked) {
    await assert.rejects(ask, (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.code, 'ERR_TABMUX_STORE_OFF');
      assert.match(error.message, /`store`/);
      return true;
    });
  }
});

test('the inventory lists the documents in the store', async () => {
  const tab = openStored(newBackend(), 'inventory');
  assert.deepEqual(await tab.store.inventory(), []);
  const before = Date.now();
  await create(tab, 'one', {n: 1});
  await create(tab, 'two', {n: 2});
  const inventory = await tab.store.inventory();
  assert.deepEqual(
    inventory.map(({collection, id}) => [collection, id]),
    [
      ['notes', 'one'],
      ['notes', 'two'],
    ],
  );
  for (const {bytes, entries, pending, pinned, used} of inventory) {
    assert.ok(bytes > 0);
    assert.ok(Number.isInteger(entries));
    assert.equal(pending, false);
    assert.equal(pinned, false);
    // The hub's clock does not follow when the system's is set.
    assert.ok(Math.abs(used - before) < 60_000, `${used} is not about ${before}`);
  }
});

test('the inventory says which documents have ops that the server does not have', async () => {
  const backend = newBackend();
  const {release} = holdBack(backend);
  const tab = openStored(backend, 'inventory of pending');
  tab.get('notes', 'one').create({n: 1});
  await call(tab, 'flushWrites');
  assert.deepEqual(
    (await tab.store.inventory()).map(({pending}) => pending),
    [true],
  );
  release();
  await drained(tab);
  assert.deepEqual(
    (await tab.store.inventory()).map(({pending}) => pending),
    [false],
  );
});

test('the usage counts what is in the store', async () => {
  const tab = openStored(newBackend(), 'usage');
  assert.deepEqual(await tab.store.usage(), {documents: 0, bytes: 0});
  await create(tab, 'one', {n: 1});
  const [{bytes}] = await tab.store.inventory();
  assert.deepEqual(await tab.store.usage(), {documents: 1, bytes});
});

test('a document is pinned until it no longer is', async () => {
  const tab = openStored(newBackend(), 'pins');
  await create(tab, 'one', {n: 1});
  const pins = async () => (await tab.store.inventory()).map(({pinned}) => pinned);
  await tab.store.pin('notes', 'one');
  assert.deepEqual(await pins(), [true]);
  await tab.store.pin('notes', 'one', false);
  assert.deepEqual(await pins(), [false]);
});

test('a document that the store is not to keep can not be pinned', async () => {
  const tab = openStored(newBackend(), 'excluded pin', {collections: ['notes']});
  await assert.rejects(tab.store.pin('drafts', 'one'), {code: 'ERR_TABMUX_STORE_EXCLUDED'});
});

test('what is no name of a document can not be pinned', async () => {
  const tab = openStored(newBackend(), 'nameless pin');
  for (const [args, says] of [
    [['notes'], /`id`.*undefined.*string/],
    [['notes', 5], /`id`.*5.*string/],
    [[null, 'one'], /`collection`.*null.*string/],
  ]) {
    await assert.rejects(tab.store.pin(...args), {
      code: 'ERR_TABMUX_OPTION_INVALID',
      message: says,
    });
  }
});

test('persist asks the browser, in the page', async (t) => {
  const tab = openStored(newBackend(), 'persist');
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  t.after(() => {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else delete globalThis.navigator;
  });
  const browser = (navigator) =>
    Object.defineProperty(globalThis, 'navigator', {value: navigator, configurable: true});
  browser({});
  assert.equal(await tab.store.persist(), false);
  browser({storage: {persist: async () => true}});
  assert.equal(await tab.store.persist(), true);
  browser({storage: {persist: async () => false}});
  assert.equal(await tab.store.persist(), false);
});

test('an export has every document with its uncommitted ops', async () => {
  const backend = newBackend();
  const tab = openStored(backend, 'export');
  await create(tab, 'one', {n: 1});
  const {release} = holdBack(backend);
  const doc = tab.get('notes', 'one');
  doc.submitSource = true;
  doc.submitOp([{p: ['n'], na: 1}], {source: 'keyboard'});
  tab.get('notes', 'two').create('text');
  tab.get('notes', 'three').create({}, () => {});
  tab.get('notes', 'three').del();
  await call(tab, 'flushWrites');
  const {identity, documents} = await tab.store.export();
  assert.equal(identity, 'export');
  const type = 'http://sharejs.org/types/JSONv0';
  assert.deepEqual(documents, [
    {
      collection: 'notes',
      id: 'one',
      version: 1,
      type,
      data: {n: 2},
      pending: [{op: [{p: ['n'], na: 1}], source: 'keyboard'}],
    },
    {
      collection: 'notes',
      id: 'three',
      pending: [{create: {type, data: {}}}, {del: true}],
    },
    {
      collection: 'notes',
      id: 'two',
      type,
      data: 'text',
      pending: [{create: {type, data: 'text'}}],
    },
  ]);
  release();
  await drained(tab);
});

test('clear wipes the store, tells every tab, and nothing is kept from then on', async () => {
  const backend = newBackend();
  const options = {identity: 'clear', store: true};
  const tabs = openTabs(backend, 2, options);
  await create(tabs[0], 'one', {n: 1});
  const told = tabs.map(storeEventsOf);
  await tabs[0].store.clear();
  await until(() => told.every((events) => events.length > 0));
  for (const events of told) assert.deepEqual(events, [['cleared', undefined]]);
  await assert.rejects(tabs[1].store.inventory(), {code: 'ERR_TABMUX_STORE_OFF'});
  await create(tabs[1], 'two', {n: 2});
  assert.deepEqual(tabs[1].get('notes', 'two').data, {n: 2});
  const next = openStored(unreachable, 'clear');
  assert.deepEqual(await next.store.inventory(), []);
});

/** The ids of the documents in the store. */
const stored = async (tab) => (await tab.store.inventory()).map(({id}) => id);

for (const [what, opener] of [
  ...TRANSPORTS.map((transport) => [
    `with a backend, over ${transport}`,
    (backend, identity) => () =>
      closing(createConnection(backend, {transport, identity, store: true})),
  ]),
  [
    'with a hub of its own in the page',
    (backend, identity) => {
      const hub = defineHub({connect: () => backend.connect(), store: true});
      return () => closing(createConnection({identity, hub: {local: () => hub}}));
    },
  ],
]) {
  test(`who logs in right after a log-out has a store again ${what}`, async () => {
    const backend = newBackend();
    const open = opener(backend, `log-in ${what}`);
    const before = [open(), open()];
    await create(before[0], 'one', {n: 1});
    await before[0].store.clear();
    for (const tab of before) tab.close();
    const after = open();
    assert.deepEqual(await stored(after), []);
    await create(after, 'two', {n: 2});
    assert.deepEqual(await stored(after), ['two']);
    await drained(after);
    assert.deepEqual(await stored(after), ['two']);
  });

  test(`as long as a tab is there after a log-out, there is no store ${what}`, async () => {
    const open = opener(newBackend(), `still there ${what}`);
    const before = [open(), open()];
    await create(before[0], 'one', {n: 1});
    await before[0].store.clear();
    before[0].close();
    await assert.rejects(open().store.inventory(), {code: 'ERR_TABMUX_STORE_OFF'});
  });
}

test('what was done between a log-out and the end of the tab reaches the server', async () => {
  const backend = newBackend();
  const options = {transport: 'message-port', identity: 'after the log-out', store: true};
  const open = () => closing(createConnection(backend, options));
  const before = open();
  const doc = await create(before, 'one', {n: 1});
  await before.store.clear();
  doc.submitOp([{p: ['n'], na: 1}]);
  before.close();
  const after = open();
  await create(after, 'two', {n: 2});
  assert.deepEqual(await stored(after), ['two']);
  const server = plain(backend).get('notes', 'one');
  await until(() => {
    server.fetch();
    return server.version === 2;
  });
});

test('a hub on transport objects has a store again once its tabs are gone after a log-out', async () => {
  const backend = newBackend();
  const definition = defineHub({connect: () => backend.connect(), store: true});
  const identity = 'logged out of a hub of transport objects';
  const open = () => {
    const [end, hubEnd] = newPair();
    closing(definition.hub(identity)).accept(hubEnd);
    return closing(createConnection({transport: end, identity}));
  };
  const before = open();
  await create(before, 'one', {n: 1});
  const hub = definition.hub(identity);
  await before.store.clear();
  before.close();
  await until(() => hub.connection.state === 'closed');
  const after = open();
  await create(after, 'two', {n: 2});
  assert.deepEqual(await stored(after), ['two']);
});

test('a store that is cleared already can be cleared again, by any tab', async () => {
  const tabs = openTabs(newBackend(), 2, {identity: 'cleared twice', store: true});
  await create(tabs[0], 'one', {n: 1});
  await Promise.all(tabs.map((tab) => tab.store.clear()));
  await tabs[1].store.clear();
});

test('clear refuses to lose ops that the server does not have, and names their documents', async () => {
  const tab = openStored(unreachable, 'clear of pending');
  tab.get('notes', 'one').create({n: 1});
  tab.get('notes', 'two').create({n: 1});
  await call(tab, 'flushWrites');
  await assert.rejects(tab.store.clear(), (error) => {
    assert.equal(error.code, 'ERR_TABMUX_STORE_PENDING');
    assert.match(error.message, /notes.*one.*notes.*two/);
    return true;
  });
  assert.equal((await tab.store.inventory()).length, 2);
  await tab.store.clear({force: true});
  const next = openStored(unreachable, 'clear of pending');
  assert.deepEqual(await next.store.inventory(), []);
});

for (const [options, says] of [
  [{force: 1}, /`force`.* is 1;/],
  [{force: null}, /`force`.* is null;/],
  [null, /`clear` is given null;/],
  [true, /`clear` is given true;/],
]) {
  test(`clear refuses ${JSON.stringify(options)}, which says neither yes nor no`, async () => {
    const tab = openStored(newBackend(), 'clear options');
    await create(tab, 'one', {n: 1});
    await assert.rejects(tab.store.clear(options), (error) => {
      assert.equal(error.code, 'ERR_TABMUX_OPTION_INVALID');
      assert.match(error.message, says);
      return true;
    });
    assert.equal((await tab.store.inventory()).length, 1);
    await tab.store.clear({force: undefined});
  });
}

test('of many documents with such ops, clear names some', async () => {
  const tab = openStored(unreachable, 'clear of many');
  for (let n = 10; n < 40; n++) tab.get('notes', `n${n}`).create({n});
  await call(tab, 'flushWrites');
  await assert.rejects(tab.store.clear(), {message: /notes\.n10, .*notes\.n19, 20 more:/});
});

test('a tab that has left asks nothing more', async () => {
  const tab = openStored(newBackend(), 'left');
  await tab.store.inventory();
  const asked = tab.store.export();
  tab.close();
  await assert.rejects(asked, {code: 'ERR_TABMUX_CLOSED'});
  await assert.rejects(tab.store.export(), {code: 'ERR_TABMUX_CLOSED'});
});
