import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  call,
  converged,
  newBackend,
  openDroppable,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turn,
  turns,
  until,
} from './support.mjs';

const EDITS = 30;

/** What passes between one edit and the next. */
const paces = {
  'in one tick after the other': () => new Promise((resolve) => process.nextTick(resolve)),
  'in one run of microtasks': () => Promise.resolve(),
  'in one turn after the other': () => turn(),
};

/** Subscribes two tabs, and has a third fetch, while three other clients edit the document. */
async function joinWhileOthersEdit({transport, pace, at, store}) {
  const backend = newBackend();
  const outside = await subscribeAll(
    [1, 2, 3].map(() => plain(backend)),
    'things',
    'one',
  );
  await call(outside[0], 'create', {n: 0, words: []});
  await converged(...outside);
  const tabs = openTabs(backend, 3, {transport, store});
  await until(() => tabs.every((tab) => tab.state === 'connected'));
  const docs = tabs.map((tab) => tab.get('things', 'one'));
  const asked = [];
  for (let edit = 0; edit < EDITS; edit++) {
    for (const doc of outside) {
      doc.submitOp([
        {p: ['n'], na: 1},
        {p: ['words', 0], li: edit},
      ]);
    }
    if (edit === at) asked.push(call(docs[0], 'subscribe'));
    if (edit === at + 3) asked.push(call(docs[1], 'subscribe'));
    if (edit === at + 6) asked.push(call(docs[2], 'fetch'));
    await pace();
  }
  await Promise.all(asked);
  await converged(...outside, docs[0], docs[1]);
  await call(docs[2], 'fetch');
  assert.deepEqual(docs[2].data, outside[0].data);
  assert.equal(docs[2].data.n, EDITS * outside.length);
  for (const it of [...tabs, ...outside.map((doc) => doc.connection)]) it.close();
}

for (const transport of TRANSPORTS) {
  for (const [name, pace] of Object.entries(paces)) {
    test(`tabs that come over ${transport} while others edit ${name} miss nothing and double nothing`, async () => {
      for (let at = 0; at < 12; at++) await joinWhileOthersEdit({transport, pace, at});
    });
  }
}

let stores = 0;

/** A store of its own, whose every transaction takes some turns. */
function slowStore() {
  const late = async (bytes) => {
    await turns(3);
    return bytes;
  };
  stores += 1;
  return {name: `slow ${stores}`, encryption: {encrypt: late, decrypt: late}};
}

for (const [name, pace] of Object.entries(paces)) {
  test(`tabs of a hub with a slow store that come while others edit ${name} miss nothing and double nothing`, async () => {
    for (let at = 0; at < 12; at++) {
      await joinWhileOthersEdit({transport: 'direct', pace, at, store: slowStore()});
    }
  });
}

test('what another client adds to a document right after creating it is there once, for who fetched it before', async () => {
  const backend = newBackend();
  const [here, late] = openTabs(backend, 2).map((tab) => tab.get('things', 'one'));
  await call(here, 'subscribe');
  await call(late, 'fetch');
  const theirs = plain(backend).get('things', 'one');
  await call(theirs, 'create', {words: []});
  await call(theirs, 'submitOp', [{p: ['words', 0], li: 'one'}]);
  await until(() => here.data?.words.length === 1);
  await call(late, 'fetch');
  for (const doc of [here, late]) assert.deepEqual(doc.data, {words: ['one']});
});

test('what a tab adds to a document right after creating it is there once, for who fetched it before', async () => {
  const {tabs, drop, restore} = await openDroppable(newBackend());
  const [here, late] = tabs.map((tab) => tab.get('things', 'one'));
  await call(here, 'subscribe');
  await call(late, 'fetch');
  await drop();
  here.create({words: []});
  await turns(3);
  // ShareDB makes it a part of the creation, which the hub has told of already.
  here.submitOp([{p: ['words', 0], li: 'one'}]);
  await turns(3);
  await restore();
  await call(here, 'whenNothingPending');
  await call(late, 'fetch');
  for (const doc of [here, late]) assert.deepEqual(doc.data, {words: ['one']});
});
