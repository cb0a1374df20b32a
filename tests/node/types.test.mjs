import assert from 'node:assert/strict';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {test} from 'node:test';
import json1 from 'ot-json1';
import textUnicode from 'ot-text-unicode';
import Backend from 'sharedb';
import {Connection} from 'sharedb/lib/client/index.js';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {
  call,
  closing,
  converged,
  drained,
  errorOf,
  newBackend,
  newPair,
  numbers,
  openTabs,
  plain,
  subscribeAll,
  turn,
  until,
} from './support.mjs';

const {types} = Backend;

/** A list of words, which clients hold in a class of its own. An op inserts a word at a place. */
class Words {
  constructor(list) {
    this.list = list;
  }

  toJSON() {
    return this.list;
  }
}

const words = {
  name: 'words',
  uri: 'https://tabmux.example/types/words',
  create: (list) => list ?? [],
  deserialize: (list) => new Words(list),
  serialize: ({list}) => list,
  apply: (data, {at, word}) =>
    data instanceof Words
      ? new Words(data.list.toSpliced(at, 0, word))
      : data.toSpliced(at, 0, word),
  transform: ({at, word}, other, side) => {
    const isAfter = at > other.at || (at === other.at && side === 'right');
    return {at: isAfter ? at + 1 : at, word};
  },
};

/** A number that ops add to: a type with no more than it must have. */
const tally = {
  name: 'tally',
  uri: 'https://tabmux.example/types/tally',
  create: (count) => count ?? 0,
  apply: (count, added) => count + added,
  transform: (added) => added,
};

for (const type of [json1.type, textUnicode.type, words, tally]) types.register(type);

/** For each type: what a document starts with, and an edit of its data that puts `mark` somewhere. */
const KINDS = {
  json0: [{list: []}, ({list}, at, mark) => [{p: ['list', at % (list.length + 1)], li: mark}]],
  json1: [
    {list: []},
    ({list}, at, mark) => json1.insertOp(['list', at % (list.length + 1)], mark),
    json1.type.uri,
  ],
  'text-unicode': [
    'text 🙂',
    (text, at, mark) => textUnicode.insert(at % ([...text].length + 1), mark),
    textUnicode.type.uri,
  ],
  'rich-text': [
    [{insert: 'text'}],
    (delta, at, mark) => ({
      ops: [
        {retain: at % (delta.length() + 1)},
        at % 2 ? {insert: mark, attributes: {bold: true}} : {insert: mark},
      ].filter(({retain}) => retain !== 0),
    }),
  ],
  words: [['one'], ({list}, at, mark) => ({at: at % (list.length + 1), word: mark})],
  tally: [0, (_count, at) => at],
};

function openHub(options) {
  return closing(defineHub(options).hub());
}

/** A tab of the hub. */
function tabOf(hub, options) {
  const [transport, hubEnd] = newPair();
  hub.accept(hubEnd);
  return closing(createConnection({transport, ...options}));
}

/** Two tabs, whose types were registered in each of the ways there are. */
const REGISTRATIONS = {
  'registered with ShareDB in the modules of page and hub': (backend) => {
    const hub = openHub({connect: () => backend.connect()});
    return [tabOf(hub), tabOf(hub)];
  },
  'given to tabs and hub as `types`': (backend) => openTabs(backend, 2, {types}),
};

for (const [name, [data, edit, uri = name]] of Object.entries(KINDS)) {
  for (const [how, open] of Object.entries(REGISTRATIONS)) {
    test(`tabs and an outsider edit a document of the type ${name} at once, ${how}`, async () => {
      const backend = newBackend();
      const docs = await subscribeAll([...open(backend), plain(backend)], 'things', 'one');
      await call(docs[0], 'create', data, uri);
      await converged(...docs);
      const random = numbers(1);
      const total = 60;
      const marks = Array.from({length: total}, (_, at) => String.fromCodePoint(0x4e00 + at));
      let sum = 0;
      for (const mark of marks) {
        const doc = docs[Math.floor(random() * docs.length)];
        const at = Math.floor(random() * 1000);
        sum += at;
        doc.submitOp(edit(doc.data, at, mark));
        if (random() < 0.3) await turn();
      }
      await converged(...docs);
      if (name === 'tally') assert.equal(docs[0].data, sum);
      else {
        const text = JSON.stringify(docs[0].data);
        for (const mark of marks) assert.equal(text.split(mark).length, 2, `${mark} is there once`);
      }
      if (name === 'words') assert.ok(docs[1].data instanceof Words);
    });
  }
}

/** ShareDB once more, with json0 alone. */
function shareDBWithoutTypes() {
  const require = createRequire(import.meta.url);
  const isShareDB = (file) => file.includes('/node_modules/sharedb/');
  const loaded = Object.keys(require.cache).filter(isShareDB);
  const kept = loaded.map((file) => [file, require.cache[file]]);
  for (const file of loaded) delete require.cache[file];
  const fresh = require('sharedb');
  const client = require('sharedb/lib/client');
  for (const file of Object.keys(require.cache).filter(isShareDB)) delete require.cache[file];
  for (const [file, module] of kept) require.cache[file] = module;
  fresh.logger.setMethods({info() {}, warn() {}});
  return {Backend: fresh, ...client};
}

/** A connection to a server of another copy of ShareDB. */
function connectionOf(SomeConnection, backend) {
  const none = {readyState: 3, close() {}, send() {}};
  return backend.connect(new SomeConnection(none));
}

const NOT_RECOGNIZED = 'ERR_DOC_TYPE_NOT_RECOGNIZED';

/** That the tab is as good as before: it makes another document, which the server gets. */
async function assertWorks(tab, backend) {
  const doc = tab.get('things', 'another');
  await call(doc, 'create', {n: 1});
  await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
  await drained(tab);
  const stored = backend.connect().get('things', 'another');
  await call(stored, 'fetch');
  assert.deepEqual(stored.data, {n: 2});
}

test('a type that the tab lacks is an error where a document is created', async () => {
  const backend = newBackend();
  const tab = tabOf(openHub({connect: () => backend.connect()}), {
    types: shareDBWithoutTypes().types,
  });
  const doc = tab.get('things', 'one');
  assert.equal((await errorOf(doc, 'create', 0, 'tally')).code, NOT_RECOGNIZED);
  assert.deepEqual([doc.type, doc.hasPending()], [null, false]);
  await assertWorks(tab, backend);
});

test('a document of a type that the tab lacks is an error event, and tabs that have it go on', async () => {
  const backend = newBackend();
  const hub = openHub({connect: () => backend.connect()});
  const [tab, sibling] = [tabOf(hub, {types: shareDBWithoutTypes().types}), tabOf(hub)];
  const [other] = await subscribeAll([sibling], 'things', 'one');
  await call(other, 'create', 0, 'tally');
  const doc = tab.get('things', 'one');
  const heard = once(doc, 'error');
  await call(doc, 'subscribe');
  assert.equal((await heard)[0].code, NOT_RECOGNIZED);
  await call(other, 'submitOp', 5);
  assert.deepEqual([other.data, other.version], [5, 2]);
  assert.equal(doc.type, null);
  await assertWorks(tab, backend);
});

/** A hub whose ShareDB has json0 alone. */
function openHubWithoutTypes(backend) {
  const without = shareDBWithoutTypes();
  const connect = () => connectionOf(without.Connection, backend);
  return openHub({connect, types: without.types});
}

test('a type that the hub lacks is an error where a document is created', async () => {
  const backend = newBackend();
  const tab = tabOf(openHubWithoutTypes(backend));
  const doc = tab.get('things', 'one');
  assert.equal((await errorOf(doc, 'create', 0, 'tally')).code, NOT_RECOGNIZED);
  await until(() => !doc.hasPending());
  assert.deepEqual([doc.type, doc.data], [null, undefined]);
  await assertWorks(tab, backend);
});

test('a document of a type that the hub lacks is an error event', async () => {
  const backend = newBackend();
  await call(plain(backend).get('things', 'one'), 'create', 7, 'tally');
  const tab = tabOf(openHubWithoutTypes(backend));
  const doc = tab.get('things', 'one');
  const heard = once(doc, 'error');
  doc.subscribe();
  assert.equal((await heard)[0].code, NOT_RECOGNIZED);
  await assertWorks(tab, backend);
});

test('a type that the server lacks is the error of the server', async () => {
  const backend = new (shareDBWithoutTypes().Backend)();
  const hub = openHub({connect: () => connectionOf(Connection, backend)});
  const [tab, sibling] = [tabOf(hub), tabOf(hub)];
  const [doc, other] = await subscribeAll([tab, sibling], 'things', 'one');
  const shareDBs = connectionOf(Connection, backend).get('things', 'plain');
  const expected = await errorOf(shareDBs, 'create', 0, 'tally');
  assert.equal(expected.code, 'ERR_OT_OP_BADLY_FORMED');
  const error = await errorOf(doc, 'create', 0, 'tally');
  assert.deepEqual([error.code, error.message], [expected.code, expected.message]);
  await until(() => doc.type === null && other.type === null);
  await converged(doc, other);
  await assertWorks(tab, backend);
});
