import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  call,
  converged,
  drained,
  newBackend,
  openDroppable,
  plain,
  stateEventsOf,
  subscribeAll,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

test('while the server is away tabs see each other, and then all is committed exactly once', async () => {
  const backend = newBackend();
  const {tabs, drop, restore} = await openDroppable(backend);
  const docs = await subscribeAll(tabs, 'things', 'one');
  const [outside] = await subscribeAll([plain(backend)], 'things', 'one');
  await call(docs[0], 'create', {n: 0, words: []});
  await converged(...docs, outside);

  await drop();
  let answers = 0;
  for (const [at, doc] of docs.entries()) {
    for (let i = 0; i < 3; i++) {
      doc.submitOp([{p: ['words', 0], li: `${at}-${i}`}], () => answers++);
      doc.submitOp(ADD, () => answers++);
      await turns(5);
    }
  }
  await until(() => docs[0].data.n === 6 && docs[1].data.n === 6);
  assert.deepEqual(docs[0].data, docs[1].data);
  assert.deepEqual([answers, outside.data.n], [0, 0]);
  for (const doc of docs) assert.equal(doc.hasWritePending(), true);
  await call(outside, 'submitOp', [{p: ['n'], na: 100}]);

  await restore();
  await converged(...docs, outside);
  assert.equal(outside.data.n, 106);
  assert.deepEqual([...outside.data.words].sort(), ['0-0', '0-1', '0-2', '1-0', '1-1', '1-2']);
  assert.equal(answers, 12);
});

test('documents made, edited and deleted while the server is away reach it afterwards', async () => {
  const backend = newBackend();
  const {tabs, drop, restore} = await openDroppable(backend);
  const [first, second] = await subscribeAll(tabs, 'things', 'one');
  await drop();
  const done = [call(first, 'create', {n: 1})];
  await until(() => second.data?.n === 1);
  done.push(call(second, 'submitOp', ADD));
  await until(() => first.data.n === 2);
  done.push(call(first, 'del'));
  await until(() => second.type === null);
  done.push(call(second, 'create', {n: 7}));
  await until(() => first.data?.n === 7);
  await restore();
  await Promise.all(done);
  const outside = plain(backend).get('things', 'one');
  await call(outside, 'fetch');
  await converged(first, second, outside);
  assert.deepEqual(outside.data, {n: 7});
});

test('what is asked for while the server is away is answered afterwards', async () => {
  const backend = newBackend();
  await call(plain(backend).get('things', 'one'), 'create', {n: 0});
  const {tabs, drop, restore} = await openDroppable(backend);
  await drop();
  let answers = 0;
  const asked = [
    call(tabs[0].get('things', 'one'), 'subscribe'),
    call(tabs[1].get('things', 'one'), 'fetch'),
    call(tabs[1], 'getBulk', 'things', ['one', 'two']),
  ];
  for (const it of asked) it.then(() => answers++);
  await turns(20);
  assert.equal(answers, 0);
  await restore();
  await Promise.all(asked);
  assert.deepEqual(tabs[0].get('things', 'one').data, {n: 0});
  assert.deepEqual(tabs[1].get('things', 'one').data, {n: 0});
});

test('an op whose acknowledgement was lost with the connection is not applied again', async () => {
  const backend = newBackend();
  const {tabs, restore, upstream} = await openDroppable(backend);
  const [doc, sibling] = await subscribeAll(tabs, 'things', 'one');
  await call(doc, 'create', {n: 0});
  let dropped = false;
  backend.use('afterWrite', (_context, next) => {
    if (!dropped) upstream.socket.close('lost');
    dropped = true;
    next();
  });
  let answers = 0;
  doc.submitOp(ADD, () => answers++);
  await until(() => tabs.every((tab) => tab.state === 'disconnected'));
  sibling.submitOp(ADD);
  await restore();
  await converged(doc, sibling);
  const outside = plain(backend).get('things', 'one');
  await call(outside, 'fetch');
  assert.deepEqual([answers, outside.data.n, outside.version, doc.version], [1, 2, 3, 3]);
});

test('the states of the connection to the server reach the tabs', async () => {
  const {tabs, drop, restore, upstream} = await openDroppable(newBackend());
  const [tab] = tabs;
  const [doc] = await subscribeAll(tabs, 'things', 'one');
  const events = stateEventsOf(tab);
  await drop();
  assert.equal(doc.subscribed, false);
  await restore();
  await drained(tab);
  assert.deepEqual(
    events.map(({name, args, canSend}) => [name, args[0], canSend]),
    [
      ['disconnected', 'lost', false],
      ['state', 'disconnected', false],
      ['connecting', undefined, false],
      ['state', 'connecting', false],
      ['connected', undefined, true],
      ['state', 'connected', true],
    ],
  );
  assert.equal(doc.subscribed, true);
  assert.deepEqual([tab.id, tabs[1].id], [upstream.id, upstream.id]);
});
