// What ShareDB's own tests look at inside its classes, as an application sees it. The lines of
// tests/conformance/exempt.txt name these tests, and some of the other files.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  call,
  closing,
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

/** The same test on connections of ShareDB's own, and on tabs over the transport between threads. */
function onBoth(name, body) {
  test(`${name}: ShareDB's connection`, (t) => body((backend) => closing(backend.connect()), t));
  test(`${name}: a tab`, (t) =>
    body((backend) => openTabs(backend, 1, {transport: 'message-port'})[0], t));
}

/** What the server is asked, as messages of ShareDB's protocol. */
function askedOf(backend) {
  const asked = [];
  backend.use('receive', ({data}, next) => {
    asked.push(data.a);
    next();
  });
  return asked;
}

const count = (list, value) => list.filter((it) => it === value).length;

test('an error of the socket is the event "connection error" of every tab', async () => {
  const backend = newBackend();
  const {tabs, upstream} = await openDroppable(backend);
  const heard = tabs.map(() => []);
  for (const [at, tab] of tabs.entries()) {
    tab.on('connection error', (error) => heard[at].push(error));
    tab.on('error', (error) => heard[at].push(error));
  }
  upstream.socket.onerror(new Error('no route'));
  await until(() => heard.every(({length}) => length > 0));
  for (const [error, ...rest] of heard) {
    assert(error instanceof Error);
    assert.equal(error.message, 'no route');
    assert.deepEqual(rest, []);
  }
});

test('an error of the connection to the server is the event "error" of every tab', async () => {
  const backend = newBackend();
  const {tabs, upstream} = await openDroppable(backend);
  const heard = tabs.map(() => []);
  for (const [at, tab] of tabs.entries()) tab.on('error', (error) => heard[at].push(error));
  upstream.handleMessage({a: 'hs', error: {code: 'ERR_NO_ENTRY', message: 'Not today'}});
  await until(() => heard.every(({length}) => length > 0));
  for (const errors of heard) {
    assert.deepEqual(
      errors.map(({code, message}) => [code, message]),
      [['ERR_NO_ENTRY', 'Not today']],
    );
  }
});

test('a ping that the server refuses is an error of the tab that sent it, once', async () => {
  const backend = newBackend();
  const [first, second] = openTabs(backend, 2);
  await until(() => first.canSend && second.canSend);
  backend.use('receive', ({data}, next) => {
    next(data.a === 'pp' ? {code: 'ERR_NO_PING', message: 'No pings'} : undefined);
  });
  const heard = [[], []];
  first.on('error', (error) => heard[0].push(error.code));
  second.on('error', (error) => heard[1].push(error.code));
  first.ping();
  await until(() => heard[0].length > 0);
  await turns(10);
  assert.deepEqual(heard, [['ERR_NO_PING'], []]);
});

test('the server counts one client while there are tabs, and none once the last has closed', async () => {
  const backend = newBackend();
  const tabs = openTabs(backend, 3);
  await until(() => tabs.every((tab) => tab.state === 'connected'));
  assert.equal(backend.agentsCount, 1);
  for (const tab of tabs) tab.close();
  await until(() => backend.agentsCount === 0);
});

/** A document that has just failed to apply an op, and is being loaded anew. */
async function rollingBack(connect) {
  const backend = newBackend({presence: true});
  const connection = connect(backend);
  const [doc] = await subscribeAll([connection], 'things', 'one');
  await call(doc, 'create', [{insert: 'text'}], 'rich-text');
  const failed = new Promise((resolve) => {
    doc.once('before op', () => {
      throw new Error('a listener failed');
    });
    doc.submitOp([{insert: 'more '}], (error) => resolve(error.message));
  });
  return {connection, doc, failed};
}

onBoth('an op for a document that is loaded anew is refused', async (connect) => {
  const {doc, failed} = await rollingBack(connect);
  const refused = await errorOf(doc, 'submitOp', [{insert: 'more '}]);
  assert.equal(refused.code, 'ERR_DOC_IN_HARD_ROLLBACK');
  assert.equal(await failed, 'a listener failed');
  await call(doc, 'submitOp', [{insert: 'and '}]);
  assert.deepEqual(doc.data.ops, [{insert: 'and text'}]);
});

onBoth('presence in a document that is loaded anew is refused', async (connect) => {
  const {connection, failed} = await rollingBack(connect);
  const local = connection.getDocPresence('things', 'one').create('ann');
  const refused = await errorOf(local, 'submit', {index: 1, length: 0});
  assert.equal(refused.code, 'ERR_DOC_IN_HARD_ROLLBACK');
  await failed;
  await call(local, 'submit', {index: 1, length: 0});
});

for (const method of ['fetchSnapshot', 'fetchSnapshotByTimestamp']) {
  onBoth(`a request of ${method} is pending until it is answered`, async (connect) => {
    const backend = newBackend();
    const connection = connect(backend);
    await call(connection.get('things', 'one'), 'create', {n: 0});
    const snapshot = call(connection, method, 'things', 'one', null);
    let waited = false;
    connection.whenNothingPending(() => {
      waited = true;
    });
    assert.equal(connection.hasPending(), true);
    assert.equal((await snapshot).data.n, 0);
    assert.equal(connection.hasPending(), false);
    await until(() => waited);
  });
}

test('a snapshot is asked for once on each connection to the server, and answered once', async () => {
  const backend = newBackend();
  const {tabs, drop, restore} = await openDroppable(backend);
  const asked = askedOf(backend);
  let held;
  backend.use('readSnapshots', (_context, next) => {
    held ??= next;
    if (held !== next) next();
  });
  let answers = 0;
  tabs[0].fetchSnapshot('things', 'one', null, () => answers++);
  await until(() => held);
  assert.equal(count(asked, 'nf'), 1);
  await drop();
  await restore();
  await until(() => answers === 1);
  held();
  await turns(10);
  assert.deepEqual([count(asked, 'nf'), answers], [2, 1]);
});

onBoth(
  'presences of a document listen to it while they live, without a warning',
  async (connect, t) => {
    const backend = newBackend({presence: true});
    const connection = connect(backend);
    const warnings = [];
    const warn = (warning) => warnings.push(warning);
    process.on('warning', warn);
    t.after(() => process.off('warning', warn));
    const [doc] = await subscribeAll([connection], 'things', 'one');
    await call(doc, 'create', [{insert: 'text'}], 'rich-text');
    const listeners = () =>
      ['op', 'create', 'del', 'load', 'destroy'].map((it) => doc.listenerCount(it));
    const before = listeners();
    const presence = connection.getDocPresence('things', 'one');
    for (let at = 0; at < 20; at++) {
      await call(presence.create(`caret ${at}`), 'submit', {index: 0, length: 0});
    }
    assert(doc.listenerCount('op') > 0);
    await call(doc, 'submitOp', [{insert: 'more '}]);
    await call(presence, 'destroy');
    assert.deepEqual([listeners(), warnings], [before, []]);
  },
);

const malformed = {
  'whose collection is a number': {c: 1},
  'whose version is negative': {v: -1},
  'without an id': {id: undefined},
};
for (const [what, change] of Object.entries(malformed)) {
  onBoth(`a presence message by hand ${what} is refused`, async (connect) => {
    const backend = newBackend({presence: true});
    const connection = connect(backend);
    await call(connection.get('things', 'one'), 'create', {n: 0});
    const answers = [];
    connection.on('receive', ({data}) => {
      if (data.error) answers.push(data.error.code);
    });
    const ch = 'things.one';
    const message = {a: 'p', ch, id: 'ann', p: {}, pv: 1, c: 'things', d: 'one', v: 1, t: 'json0'};
    connection.send({...message, ...change});
    await until(() => answers.length > 0);
    assert.deepEqual(answers, ['ERR_MESSAGE_BADLY_FORMED']);
  });
}

onBoth(
  'presence of others that can not be transformed is an error, and the next is taken',
  async (connect) => {
    const backend = newBackend({presence: true});
    const [doc] = await subscribeAll([connect(backend)], 'things', 'one');
    const outside = plain(backend);
    await call(doc, 'create', [{insert: 'text'}], 'rich-text');
    const presence = doc.connection.getDocPresence('things', 'one');
    await call(presence, 'subscribe');
    const errors = [];
    presence.on('error', (error) => errors.push(error.code));
    let asked = 0;
    outside.on('receive', ({data}) => {
      if (data.a === 'pr') asked += 1;
    });
    const [ch, c, d] = [presence.channel, 'things', 'one'];
    await call(outside.getDocPresence(c, d), 'subscribe');
    // Of no type, and older than the document: it is asked for again, and then overtaken by an op.
    outside.send({a: 'p', ch, id: 'eve', p: {index: 0}, pv: 1, c, d: null, v: 0, t: null});
    await until(() => asked === 1);
    const [other] = await subscribeAll([plain(backend)], c, d);
    await call(other, 'submitOp', [{insert: 'more '}]);
    await until(() => doc.version === 2);
    outside.send({a: 'p', ch, id: 'eve', p: {index: 0}, pv: 2, c, d: null, v: 1, t: null});
    await until(() => errors.length > 0);
    assert.deepEqual(errors, ['ERR_DOC_TYPE_NOT_RECOGNIZED']);
    const local = outside.getDocPresence(c, d).create('bob');
    await call(outside.get(c, d), 'subscribe');
    await call(local, 'submit', {index: 2, length: 0});
    await until(() => presence.remotePresences.bob);
    assert.deepEqual(Object.keys(presence.remotePresences), ['bob']);
  },
);

test('presence that is asked for while the server is away is asked for once, when it is back', async () => {
  const backend = newBackend({presence: true});
  const {tabs, drop, restore} = await openDroppable(backend);
  const asked = askedOf(backend);
  const outside = plain(backend).getPresence('room');
  await call(outside, 'subscribe');
  await call(tabs[0].get('things', 'one'), 'create', [{insert: 'text'}], 'rich-text');
  const [watched] = await subscribeAll([plain(backend)], 'things', 'one');
  const ofDoc = watched.connection.getDocPresence('things', 'one');
  await call(ofDoc, 'subscribe');
  asked.length = 0;
  await drop();

  const presence = tabs[0].getPresence('room');
  const done = [
    call(presence, 'subscribe'),
    call(presence.create('ann'), 'submit', 1),
    call(tabs[0].getDocPresence('things', 'one').create('caret'), 'submit', {index: 1, length: 0}),
  ];
  await turns(10);
  assert.deepEqual([asked, presence.subscribed], [[], false]);
  await restore();
  await Promise.all(done);
  await until(() => outside.remotePresences.ann && ofDoc.remotePresences.caret);
  assert.equal(count(asked, 'ps'), 1);
});

onBoth('a presence that is subscribed to again is not asked for again', async (connect) => {
  const backend = newBackend({presence: true});
  const asked = askedOf(backend);
  const presence = connect(backend).getPresence('room');
  presence.subscribe();
  await Promise.all([call(presence, 'subscribe'), call(presence, 'subscribe')]);
  await call(presence, 'subscribe');
  presence.subscribe();
  await turns(10);
  assert.equal(count(asked, 'ps'), 1);
});

onBoth('a presence that was destroyed can be had anew', async (connect) => {
  const backend = newBackend({presence: true});
  const connection = connect(backend);
  const presence = connection.getPresence('room');
  await call(presence, 'subscribe');
  await call(presence.create('ann'), 'submit', 1);
  await call(presence, 'destroy');
  const own = [presence.localPresences, presence.remotePresences].map(Object.keys);
  assert.deepEqual(own, [[], []]);
  const next = connection.getPresence('room');
  assert.notEqual(next, presence);
  await call(next, 'subscribe');
  await call(plain(backend).getPresence('room').create('eve'), 'submit', 2);
  await until(() => next.remotePresences.eve === 2);
});

test('a subscription to presence that the server refuses after it was away is an error event', async () => {
  const backend = newBackend({presence: true});
  const {tabs, drop, restore} = await openDroppable(backend);
  const presence = tabs[0].getPresence('room');
  await call(presence, 'subscribe');
  const local = presence.create('ann');
  await call(local, 'submit', 1);
  await drop();
  backend.use('receive', ({data}, next) => {
    const refused = ['p', 'ps'].includes(data.a);
    next(refused ? {code: 'ERR_NO_ENTRY', message: 'Not today'} : undefined);
  });
  const errors = [];
  presence.on('error', (error) => errors.push(['subscribe', error.code]));
  local.on('error', (error) => errors.push(['submit', error.code]));
  await restore();
  await until(() => errors.length >= 2);
  assert.deepEqual(errors.sort(), [
    ['submit', 'ERR_NO_ENTRY'],
    ['subscribe', 'ERR_NO_ENTRY'],
  ]);
});

test('a listener that throws while presence is told is an error of the connection', async () => {
  const backend = newBackend({presence: true});
  const [first, second] = openTabs(backend, 2);
  const presence = second.getPresence('room');
  await call(presence, 'subscribe');
  presence.once('receive', () => {
    throw new Error('a listener failed');
  });
  const failed = new Promise((resolve) => second.once('error', resolve));
  const local = first.getPresence('room').create('ann');
  await call(local, 'submit', 1);
  assert.equal((await failed).message, 'a listener failed');
  await call(local, 'submit', 2);
  await until(() => presence.remotePresences.ann === 2);
});

onBoth('an op by hand that is none is refused', async (connect) => {
  const backend = newBackend();
  const [doc] = await subscribeAll([connect(backend)], 'things', 'one');
  await call(doc, 'create', {n: 0});
  const failed = new Promise((resolve) => doc.once('error', resolve));
  doc.connection.send({a: 'op', c: 'things', d: 'one', v: 1, seq: 900, x: {}, op: 'no list'});
  assert.equal((await failed).code, 'ERR_OT_OP_BADLY_FORMED');
  await call(doc, 'submitOp', ADD);
  assert.equal(doc.data.n, 1);
});
