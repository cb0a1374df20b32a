import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  call,
  converged,
  newBackend,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turn,
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
async function joinWhileOthersEdit({transport, pace, at}) {
  const backend = newBackend();
  const outside = await subscribeAll(
    [1, 2, 3].map(() => plain(backend)),
    'things',
    'one',
  );
  await call(outside[0], 'create', {n: 0, words: []});
  await converged(...outside);
  const tabs = openTabs(backend, 3, {transport});
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
