// F31: a listener or a callback throws. The others are called all the same, and all goes on.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {
  call,
  closing,
  converged,
  errorOf,
  newBackend,
  openDroppable,
  openTabs,
  plain,
  subscribeAll,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

/** What a connection's `error` events tell from here on. */
function errorsOf(connection) {
  const errors = [];
  connection.on('error', (error) => errors.push(error.message));
  return errors;
}

/** Listeners of the event: one that throws, one that throws as well, and one that notes the call. */
function listen(emitter, event, calls) {
  for (const nth of ['first', 'second']) {
    emitter.on(event, () => {
      throw new Error(`${nth} of ${event}`);
    });
  }
  emitter.on(event, () => calls.push(event));
}

/** What each of the two that throw adds to the connection's errors. */
const bothOf = (...events) =>
  events.flatMap((event) => [`first of ${event}`, `second of ${event}`]);

function thrower(message) {
  return () => {
    throw new Error(message);
  };
}

test('each listener of an event is called, and what they throw is an error of the connection', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const errors = errorsOf(tab);
  const doc = tab.get('things', 'one');
  const calls = [];
  for (const event of ['load', 'no write pending', 'nothing pending']) listen(doc, event, calls);
  await call(doc, 'subscribe');
  await turns(5);
  assert.deepEqual(calls, ['load', 'no write pending', 'nothing pending']);
  assert.deepEqual(errors, bothOf('load', 'no write pending', 'nothing pending'));
});

test('what a listener throws in a call of the application is thrown out of that call', () => {
  const [tab] = openTabs(newBackend(), 1);
  const calls = [];
  tab.on('doc', thrower('not this one'));
  tab.on('doc', (doc) => calls.push(doc));
  assert.throws(() => tab.get('things', 'one'), {message: 'not this one'});
  assert.deepEqual(calls, [tab.get('things', 'one')]);
});

test('if several listeners throw in a call of the application, it throws all of it', () => {
  const [tab] = openTabs(newBackend(), 1);
  listen(tab, 'doc', []);
  assert.throws(
    () => tab.get('things', 'one'),
    ({message, errors}) => {
      assert.equal(message, 'first of doc; second of doc');
      assert.deepEqual(
        errors.map((error) => error.message),
        bothOf('doc'),
      );
      return true;
    },
  );
});

test('if several listeners of an op throw, the first is why it is rolled back, and no error is lost', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const errors = errorsOf(tab);
  const doc = tab.get('things', 'one');
  await call(doc, 'create', {n: 0});
  const calls = [];
  listen(doc, 'op', calls);
  const error = await errorOf(doc, 'submitOp', ADD);
  assert.deepEqual([calls, error.message, errors], [['op'], 'first of op', ['second of op']]);
  assert.deepEqual(doc.data, {n: 0});
});

test('an error that nobody listens for is thrown, as by any emitter', () => {
  const [tab] = openTabs(newBackend(), 1);
  const doc = tab.get('things', 'one');
  assert.throws(() => doc.del(), {code: 'ERR_DOC_DOES_NOT_EXIST'});
  doc.once('error', () => {});
  doc.del();
});

test('each callback that waits for the same is called, and the document goes on', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const errors = errorsOf(tab);
  const doc = tab.get('things', 'one');
  const calls = [];
  for (const method of ['fetch', 'subscribe', 'unsubscribe']) {
    doc[method](thrower(`first ${method}`));
    doc[method](thrower(`second ${method}`));
    await new Promise((resolve) => doc[method](resolve));
    calls.push(method);
  }
  await call(doc, 'create', {n: 0});
  // Composed to one op.
  doc.submitOp(ADD, thrower('first op'));
  doc.submitOp(ADD, thrower('second op'));
  await call(doc, 'submitOp', ADD);
  assert.deepEqual(doc.data, {n: 3});
  await turns(5);
  const what = [...calls, 'op'];
  assert.deepEqual(
    errors,
    what.flatMap((name) => [`first ${name}`, `second ${name}`]),
  );
});

test('a document whose "destroy" listener throws is gone, and the callback is called', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const errors = errorsOf(tab);
  const doc = tab.get('things', 'one');
  await call(doc, 'subscribe');
  listen(doc, 'destroy', []);
  await call(doc, 'destroy');
  await turns(5);
  assert.equal(tab.getExisting('things', 'one'), undefined);
  assert.deepEqual(errors, bothOf('destroy'));
});

test('a query whose listeners throw is ready, calls back, and follows its results', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const other = plain(backend);
  await call(other.get('things', 'one'), 'create', {n: 1});
  const errors = errorsOf(tab);
  const calls = [];
  let query;
  await new Promise((resolve) => {
    query = tab.createSubscribeQuery('things', {}, null, resolve);
    listen(query, 'ready', calls);
  });
  for (const event of ['insert', 'remove', 'changed']) listen(query, event, calls);
  assert.equal(query.ready, true);
  await call(other.get('things', 'two'), 'create', {n: 2});
  await until(() => calls.includes('changed'));
  assert.deepEqual(calls, ['ready', 'insert', 'changed']);
  await call(other.get('things', 'one'), 'del');
  await until(() => calls.length === 5);
  await turns(5);
  assert.deepEqual(
    query.results.map(({id}) => id),
    ['two'],
  );
  assert.deepEqual(errors, bothOf('ready', 'insert', 'changed', 'remove', 'changed'));
});

test('a snapshot is handed over though the listener of a wait for it throws', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const errors = errorsOf(tab);
  await until(() => tab.state === 'connected');
  let callsBack = 0;
  const answered = call(tab, 'fetchSnapshot', 'things', 'one', null);
  tab.fetchSnapshot('things', 'two', null, thrower('a snapshot'));
  tab.whenNothingPending(() => {
    callsBack += 1;
  });
  assert.equal((await answered).v, 0);
  await until(() => callsBack === 1);
  assert.deepEqual(errors, ['a snapshot']);
});

test('presence goes on though its listeners and callbacks throw', async () => {
  const backend = newBackend({presence: true});
  const [tab] = openTabs(backend, 1);
  const errors = errorsOf(tab);
  const [mine, theirs] = [tab, plain(backend)].map((it) => it.getPresence('channel'));
  const calls = [];
  listen(mine, 'receive', calls);
  await call(mine, 'subscribe');
  const local = theirs.create('cursor');
  for (const value of [1, 2]) await call(local, 'submit', value);
  await until(() => calls.length === 2);
  assert.deepEqual({...mine.remotePresences}, {cursor: 2});
  await turns(5);
  assert.deepEqual(errors, bothOf('receive', 'receive'));
});

test('a connection whose state listeners throw changes its state in full, and comes back', async () => {
  const {tabs, drop, restore} = await openDroppable(newBackend());
  const [tab, sibling] = tabs;
  const errors = errorsOf(tab);
  const calls = [];
  const docs = await subscribeAll(tabs, 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  for (const event of ['disconnected', 'connected', 'state']) listen(tab, event, calls);
  await drop();
  assert.deepEqual([docs[0].subscribed, calls], [false, ['disconnected', 'state']]);
  await restore();
  await until(() => docs[0].subscribed);
  await call(docs[1], 'submitOp', ADD);
  await converged(...docs);
  assert.equal(sibling.state, 'connected');
  assert.ok(calls.includes('connected'));
  for (const message of bothOf('disconnected', 'connected', 'state')) {
    assert.ok(errors.includes(message), message);
  }
});

test('a connection whose state listeners throw closes', async () => {
  const backend = newBackend();
  const [tab, sibling] = openTabs(backend, 2);
  const errors = errorsOf(tab);
  await until(() => sibling.tabs.length === 2 && tab.state === 'connected');
  listen(tab, 'closed', []);
  tab.close();
  await until(() => sibling.tabs.length === 1);
  await turns(5);
  assert.deepEqual(errors, bothOf('closed'));
});

test('a message is sent and taken though listeners of "send" and "receive" throw', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const errors = errorsOf(tab);
  const [doc, outside] = await subscribeAll([tab, plain(backend)], 'things', 'one');
  await call(doc, 'create', {n: 0});
  tab.on('receive', thrower('receive'));
  await call(outside, 'fetch');
  await call(outside, 'submitOp', ADD);
  await converged(doc, outside);
  tab.on('send', thrower('send'));
  let pongs = 0;
  tab.on('pong', () => {
    pongs += 1;
  });
  assert.throws(() => tab.ping(), {message: 'send'});
  await until(() => pongs === 1);
  await turns(5);
  assert.ok(errors.length >= 2 && errors.every((message) => message === 'receive'));
});

test("listeners of the hub's own connection that throw keep nothing from the tabs", async () => {
  const backend = newBackend();
  const upstream = backend.connect();
  const calls = [];
  for (const event of ['connecting', 'connected', 'disconnected', 'state', 'send', 'receive']) {
    listen(upstream, event, calls);
  }
  listen(upstream.get('things', 'one'), 'op', calls);
  const tabs = openTabs({connect: () => upstream}, 2);
  const [errors] = tabs.map(errorsOf);
  await until(() => tabs.every((tab) => tab.state === 'connected'));
  const docs = await subscribeAll([...tabs, plain(backend)], 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  for (const doc of docs) await call(doc, 'submitOp', ADD);
  await converged(...docs);
  assert.deepEqual(docs[0].data, {n: 3});
  upstream.socket.close('lost');
  await until(() => tabs.every((tab) => tab.state === 'disconnected'));
  assert.equal(docs[0].subscribed, false);
  backend.connect(upstream);
  await until(() => tabs.every((tab) => tab.state === 'connected'));
  await call(docs[2], 'submitOp', ADD);
  await converged(...docs);
  for (const message of bothOf('op', 'connected', 'disconnected', 'state', 'receive')) {
    assert.ok(errors.includes(message), message);
  }
});

test('each listener of a hub is called, whatever the others throw', () => {
  const backend = newBackend();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const calls = [];
  listen(hub, 'joined', calls);
  assert.throws(() => hub.emit('joined', 'a tab'), {message: 'first of joined; second of joined'});
  assert.deepEqual(calls, ['joined']);
});
