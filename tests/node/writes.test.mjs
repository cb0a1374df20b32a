import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  call,
  converged,
  errorOf,
  newBackend,
  openDroppable,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

/** Two tabs, and documents that exist in both of them. */
async function twoTabs(transport = 'message-port', ids = ['one']) {
  const backend = newBackend();
  const tabs = openTabs(backend, 2, {transport});
  const docs = [];
  for (const id of ids) {
    const [own, sibling] = await subscribeAll(tabs, 'things', id);
    await call(own, 'create', {n: 0});
    await converged(own, sibling);
    docs.push({own, sibling});
  }
  return {backend, tabs, docs};
}

for (const transport of TRANSPORTS) {
  test(`putDoc over ${transport} calls back when the hub has the ops, server or not`, async () => {
    const backend = newBackend();
    const {tabs, drop} = await openDroppable(backend, {transport});
    const [doc, sibling] = await subscribeAll(tabs, 'things', 'one');
    await call(doc, 'create', {n: 0});
    await drop();
    doc.submitOp(ADD);
    assert.deepEqual([tabs[0].hasPendingWrites(), tabs[0].getWriteQueueSize()], [true, 1]);
    await call(tabs[0], 'putDoc', doc);
    assert.deepEqual([tabs[0].hasPendingWrites(), tabs[0].getWriteQueueSize()], [false, 0]);
    assert.equal(doc.hasWritePending(), true);
    tabs[0].close();
    await until(() => sibling.data.n === 1);
  });
}

test('a document without ops is written already', async () => {
  const {tabs, docs} = await twoTabs();
  let written = false;
  tabs[0].putDoc(docs[0].own, () => {
    written = true;
  });
  assert.equal(written, false, 'callbacks come later');
  await until(() => written);
  await call(tabs[0], 'putDocs', []);
});

for (const method of ['putDocs', 'putDocsBulk']) {
  test(`${method} calls back once, when the last of the documents is written`, async () => {
    const {tabs, docs} = await twoTabs('message-port', ['one', 'two', 'three']);
    tabs[0].setAutoFlush(false);
    for (const {own} of docs) own.submitOp(ADD);
    assert.equal(tabs[0].getWriteQueueSize(), 3);
    let answers = 0;
    tabs[0][method]([docs[0].own, docs[1].own], () => answers++);
    await until(() => answers > 0);
    assert.equal(tabs[0].getWriteQueueSize(), 1);
    await until(() => docs[0].sibling.data.n === 1 && docs[1].sibling.data.n === 1);
    assert.deepEqual([docs[2].sibling.data.n, answers], [0, 1]);
  });
}

test('without auto-flush ops stay in the tab until flushWrites', async () => {
  const {tabs, docs} = await twoTabs('message-port', ['one', 'two']);
  assert.equal(tabs[0].isAutoFlush(), true);
  tabs[0].setAutoFlush(false);
  assert.equal(tabs[0].isAutoFlush(), false);
  let answers = 0;
  for (const {own} of docs) own.submitOp(ADD, () => answers++);
  await turns(20);
  assert.deepEqual([answers, tabs[0].getWriteQueueSize()], [0, 2]);
  for (const {own, sibling} of docs) assert.deepEqual([own.data.n, sibling.data.n], [1, 0]);

  await call(tabs[0], 'flushWrites');
  assert.equal(tabs[0].hasPendingWrites(), false);
  await until(() => answers === 2 && docs.every(({sibling}) => sibling.data.n === 1));
});

test('without auto-flush, what is written before there is a hub goes once there is one', async () => {
  for (const transport of TRANSPORTS) {
    const backend = newBackend();
    const [tab, sibling] = openTabs(backend, 2, {transport});
    tab.setAutoFlush(false);
    const ids = ['one', 'two', 'three'];
    const [one, two, three] = ids.map((id) => tab.get('things', id));
    for (const doc of [one, two, three]) doc.create({n: 1});
    await call(tab, 'putDocs', [one, two]);
    assert.equal(tab.getWriteQueueSize(), 1);
    const docs = await subscribeAll([sibling], 'things', 'one');
    assert.deepEqual(docs[0].data, {n: 1});
    await call(tab, 'putDoc', three);
  }
});

test('flushWrites writes what is submitted while ops are on their way, too', async () => {
  const {tabs, docs} = await twoTabs();
  const [{own, sibling}] = docs;
  tabs[0].setAutoFlush(false);
  own.submitOp(ADD);
  const first = call(tabs[0], 'flushWrites');
  own.submitOp(ADD);
  const second = call(tabs[0], 'flushWrites');
  await Promise.all([first, second]);
  assert.equal(tabs[0].getWriteQueueSize(), 0);
  await until(() => sibling.data.n === 2);
});

test('with auto-flush again, what waited is sent', async () => {
  const {tabs, docs} = await twoTabs();
  const [{own, sibling}] = docs;
  tabs[0].setAutoFlush(false);
  own.submitOp(ADD);
  await turns(10);
  tabs[0].setAutoFlush(true);
  await until(() => sibling.data.n === 1);
});

test('doc.flush sends one document without auto-flush', async () => {
  const {tabs, docs} = await twoTabs('message-port', ['one', 'two']);
  tabs[0].setAutoFlush(false);
  for (const {own} of docs) own.submitOp(ADD);
  docs[1].own.flush();
  await until(() => docs[1].sibling.data.n === 1);
  assert.deepEqual([docs[0].sibling.data.n, tabs[0].getWriteQueueSize()], [0, 1]);
});

test('a document that is paused is written when it is resumed', async () => {
  const {tabs, docs} = await twoTabs();
  const [{own}] = docs;
  own.pause();
  own.submitOp(ADD);
  let written = false;
  tabs[0].putDoc(own, () => {
    written = true;
  });
  await turns(20);
  assert.equal(written, false);
  own.resume();
  await until(() => written);
});

test('what was paused is written without the server, too', async () => {
  const {tabs, drop} = await openDroppable(newBackend());
  const [doc, sibling] = await subscribeAll(tabs, 'things', 'one');
  await call(doc, 'create', {n: 0});
  await drop();
  doc.pause();
  doc.preventCompose = true;
  for (let i = 0; i < 3; i++) doc.submitOp(ADD);
  doc.resume();
  await call(tabs[0], 'putDoc', doc);
  assert.equal(sibling.data.n, 3);
  doc.pause();
  for (let i = 0; i < 3; i++) doc.submitOp(ADD);
  doc.resume();
  tabs[0].close();
  await until(() => tabs[1].tabs.length === 1);
  assert.equal(sibling.data.n, 6);
});

test('a callback that throws keeps no tab from leaving', async () => {
  const {tabs, drop} = await openDroppable(newBackend());
  const errors = [];
  tabs[0].on('error', (error) => errors.push(error.message));
  const doc = tabs[0].get('things', 'one');
  await call(doc, 'create', {n: 0});
  await drop();
  doc.submitOp(ADD);
  tabs[0].putDoc(doc, () => {
    throw new Error('thrown');
  });
  tabs[0].close();
  await until(() => tabs[1].tabs.length === 1);
  assert.deepEqual(errors, ['thrown']);
});

test('an op that finds no place is no longer waited for', async () => {
  const {backend, tabs, docs} = await twoTabs();
  const [{own}] = docs;
  const outside = plain(backend).get('things', 'one');
  await call(outside, 'fetch');
  // As in ShareDB, the document tells of it as well.
  own.on('error', () => {});
  tabs[0].setAutoFlush(false);
  const failed = errorOf(own, 'submitOp', ADD);
  await call(outside, 'del');
  await call(tabs[0], 'flushWrites');
  assert.equal((await failed)?.code, 'ERR_DOC_WAS_DELETED');
  assert.equal(tabs[0].hasPendingWrites(), false);
});

test('a document of another connection can not be written', async () => {
  const {tabs, docs} = await twoTabs();
  const error = await errorOf(tabs[0], 'putDocs', [docs[0].own, docs[0].sibling]);
  assert.equal(error.code, 'ERR_DOC_DOES_NOT_EXIST');
  assert.match(error.message, /things\.one/);
});

test('without a hub, nothing is written', async () => {
  const backend = newBackend();
  const [tab] = openTabs(
    {
      connect() {
        throw new Error('no server');
      },
    },
    1,
  );
  tab.on('error', () => {});
  const doc = tab.get('things', 'one');
  doc.on('error', () => {});
  doc.create({n: 0});
  const error = await errorOf(tab, 'putDoc', doc);
  assert.equal(error.code, 'ERR_TABMUX_HUB_START');
  assert.equal((await errorOf(tab, 'flushWrites'))?.code, 'ERR_TABMUX_HUB_START');
  assert.equal(backend.agentsCount, 0);
});

test('after close, nothing is written', async () => {
  const {tabs, docs} = await twoTabs();
  tabs[0].close();
  docs[0].own.submitOp(ADD);
  for (const [method, ...args] of [['flushWrites'], ['putDoc', docs[0].own]]) {
    assert.equal((await errorOf(tabs[0], method, ...args))?.code, 'ERR_TABMUX_CLOSED');
  }
});
