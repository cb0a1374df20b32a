import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import Backend from 'sharedb';
import {Recorder, sameAsShareDB} from './recorder.mjs';
import {
  CODECS,
  call,
  converged,
  errorOf,
  newBackend,
  openTabs,
  plain,
  slowDown,
  subscribeAll,
  TRANSPORTS,
  turn,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];
/** json0 throws on it, because there is no such path. */
const BAD = [{p: ['missing', 'member'], oi: 1}];

/**
 * Without `error` events: to ShareDB an op may lose its ground once by the op of another and once more
 * by the server's answer, of which it tells by the callback and by an event; a tab tells it once.
 */
function toldOnce(log) {
  return log.filter(({what}) => what !== 'error');
}

function withoutPending(log) {
  return log.map(({pending, writePending, ...rest}) => rest);
}

/** The server refuses every op for which `refuses` holds. */
function refuse(backend, error, refuses = () => true) {
  backend.use('submit', (context, next) => {
    const answer = refuses(context) ? error : undefined;
    setImmediate(() => next(answer));
  });
}

/** True the first time, then false. */
function firstTime() {
  let times = 0;
  return () => times++ === 0;
}

sameAsShareDB('an op before the creation is an error', async ({app, doc}) => {
  await app.call('submitOp', ADD);
  doc.submitOp(ADD);
  await app.call('subscribe');
  await app.call('submitOp', ADD);
});

sameAsShareDB('an op on a deleted document is an error', async ({app, doc}) => {
  await app.call('create', {n: 0});
  await app.call('del');
  await app.call('submitOp', ADD);
  await app.call('del');
  doc.submitOp(ADD);
  doc.del();
});

sameAsShareDB('the creation of a document that exists is an error', async ({app, doc}) => {
  await app.call('create', {n: 0});
  await app.call('create', {n: 1});
  doc.create({n: 2});
});

sameAsShareDB(
  'the creation of a document that another client has created is an error, and that one is loaded',
  async ({app, outside}) => {
    await call(outside, 'create', {n: 'theirs'});
    await app.call('create', {n: 'mine'});
  },
);

sameAsShareDB(
  'of two creations at once the second is an error',
  async ({app, outside}) => {
    await app.call('subscribe');
    const theirs = call(outside, 'create', {n: 'theirs'});
    await Promise.all([app.call('create', {n: 'mine'}), theirs]);
  },
  toldOnce,
);

sameAsShareDB(
  'an edit of a document that another client deletes meanwhile is an error',
  async ({app, outside}) => {
    await app.call('subscribe');
    await app.call('create', {n: 0});
    await call(outside, 'fetch');
    const theirs = call(outside, 'del');
    await Promise.all([app.call('submitOp', ADD), theirs]);
  },
  toldOnce,
);

sameAsShareDB(
  'an edit of a document that was deleted and created again meanwhile is an error',
  async ({app, outside}) => {
    await call(outside, 'create', {n: 0});
    await app.call('fetch');
    await call(outside, 'del');
    await call(outside, 'create', {n: 5});
    await app.call('submitOp', ADD);
    await app.call('fetch');
  },
);

sameAsShareDB('a document the server does not let one read is an error', async (all) => {
  const {app, doc, backend, outside} = all;
  await call(outside, 'create', {n: 0});
  backend.use('readSnapshots', (_context, next) => {
    setImmediate(() => next({code: 'ERR_MINE', message: 'Not yours'}));
  });
  await app.call('fetch');
  await app.call('subscribe');
  for (const method of ['fetch', 'subscribe']) {
    doc[method]();
    await once(doc, 'error');
  }
});

sameAsShareDB('a document the server hides silently is neither there nor an error', async (all) => {
  const {app, backend, outside} = all;
  await call(outside, 'create', {n: 0});
  let hidden = true;
  backend.use('readSnapshots', (context, next) => {
    if (hidden) for (const it of context.snapshots) context.rejectSnapshotReadSilent(it, 'Hidden');
    next();
  });
  await app.call('fetch');
  await app.call('subscribe');
  hidden = false;
  await app.call('subscribe');
});

for (const [type, data, edit] of [
  ['json0', {n: 0}, ADD],
  ['rich-text', [{insert: 'text'}], {ops: [{insert: 'more '}]}],
]) {
  const created = async (app) => {
    await app.call('subscribe');
    await app.call('create', data, type);
  };

  sameAsShareDB(
    `a ${type} op that the server refuses is rolled back and called back for with the server's code`,
    async ({app, doc, backend}) => {
      await created(app);
      refuse(backend, {code: 'ERR_MINE', message: 'Not today'});
      await app.call('submitOp', edit);
      doc.submitOp(edit);
      await once(doc, 'error');
    },
  );

  sameAsShareDB(
    `a ${type} op that the server refuses takes no other op with it`,
    async ({app, doc, backend}) => {
      await created(app);
      const first = firstTime();
      refuse(backend, {code: 'ERR_MINE', message: 'Not today'}, () => !first());
      doc.preventCompose = true;
      await Promise.all([app.call('submitOp', edit), app.call('submitOp', edit)]);
    },
  );

  sameAsShareDB(
    `a ${type} op that the server refuses by ERR_OP_SUBMIT_REJECTED is rolled back without an error`,
    async ({app, doc, backend}) => {
      await created(app);
      refuse(backend, {code: 'ERR_OP_SUBMIT_REJECTED', message: 'Rejected'});
      await app.call('submitOp', edit);
      doc.submitOp(edit);
    },
  );

  sameAsShareDB(
    `the ops after a ${type} op that was refused by ERR_OP_SUBMIT_REJECTED fare as in ShareDB`,
    async ({app, doc, backend}) => {
      await created(app);
      refuse(backend, {code: 'ERR_OP_SUBMIT_REJECTED', message: 'Rejected'}, firstTime());
      doc.preventCompose = true;
      await Promise.all([app.call('submitOp', edit), app.call('submitOp', edit)]);
    },
    withoutPending,
  );

  test(`a ${type} op that the server refuses is rolled back in all tabs`, async () => {
    const backend = newBackend();
    const docs = await subscribeAll(openTabs(backend, 3), 'things', 'one');
    await call(docs[0], 'create', data, type);
    await converged(...docs);
    refuse(backend, {code: 'ERR_MINE', message: 'Not today'});
    const before = JSON.stringify(docs[0].data);
    const siblings = docs.slice(1).map((doc) => new Recorder(doc));
    assert.equal((await errorOf(docs[0], 'submitOp', edit)).code, 'ERR_MINE');
    await converged(...docs);
    assert.equal(JSON.stringify(docs[0].data), before);
    for (const sibling of siblings) {
      assert.equal(sibling.events.includes('op'), true, 'the op was there');
      assert.equal(sibling.events.includes('error'), false, 'only its author hears of the error');
    }
  });
}

sameAsShareDB('an op that the type throws on has the document loaded anew', async ({app, doc}) => {
  await app.call('subscribe');
  await app.call('create', {n: 0});
  await app.call('submitOp', BAD);
  await app.call('submitOp', ADD);
  doc.submitOp(BAD);
  await once(doc, 'error');
  await app.call('submitOp', ADD);
});

test('an op that the type throws on, of a document that the server does not have yet, is answered at once', async () => {
  const backend = newBackend();
  const upstream = backend.connect();
  const [tab] = openTabs({connect: () => upstream}, 1, {store: {kind: 'memory'}});
  await until(() => tab.state === 'connected');
  upstream.socket.close('lost');
  await until(() => tab.state === 'disconnected');
  const doc = tab.get('things', 'one');
  const created = call(doc, 'create', {n: 0});
  await call(tab, 'putDoc', doc);
  assert.match((await errorOf(doc, 'submitOp', BAD)).message, /./);
  assert.deepEqual([doc.data, doc.version], [{n: 0}, null]);
  backend.connect(upstream);
  await created;
});

test('ops that are typed while the server refuses one of a type without invert are all answered', async () => {
  const backend = newBackend();
  refuse(backend, {code: 'ERR_MINE', message: 'Not today'}, ({op}) => 'op' in op);
  const [tab] = openTabs(backend, 1);
  const doc = tab.get('things', 'one');
  await call(doc, 'subscribe');
  await call(doc, 'create', [{insert: 'text'}], 'rich-text');
  slowDown(backend);
  let [typed, refused] = [0, 0];
  const type = () => {
    typed += 1;
    doc.submitOp([{insert: 'x'}], (error) => {
      refused += error ? 1 : 0;
    });
  };
  for (let turns = 0; turns < 50; turns++) {
    if (doc.type) type();
    await turn();
  }
  await until(
    () => refused === typed,
    () => `of ${typed} ops ${refused} were refused`,
  );
});

sameAsShareDB('an op that the type throws on takes the ops of its tick with it', async ({app}) => {
  await app.call('subscribe');
  await app.call('create', {n: 0});
  await Promise.all([ADD, BAD, ADD].map((op) => app.call('submitOp', op)));
  await app.call('submitOp', ADD);
});

sameAsShareDB('ops of a wrong shape are errors', async ({app}) => {
  await app.call('create', {n: 0});
  for (const op of [null, undefined, 5, {}, [null], [{}], [{p: 'n'}], [{p: ['n'], nope: 1}]]) {
    await app.call('submitOp', op);
  }
  await app.call('submitOp', [{p: ['__proto__', 'polluted'], oi: 1}]);
  assert.equal({}.polluted, undefined);
  await app.call('submitOp', ADD);
});

test('a document that a sibling has created meanwhile can not be created', async () => {
  const backend = newBackend();
  const [first, second] = openTabs(backend, 2).map((tab) => tab.get('things', 'one'));
  const created = call(first, 'create', {n: 'first'});
  const error = await errorOf(second, 'create', {n: 'second'});
  await created;
  assert.equal(error.code, 'ERR_DOC_ALREADY_CREATED');
  assert.deepEqual(second.data, {n: 'first'});
  await call(second, 'submitOp', [{p: ['m'], oi: 1}]);
  await call(first, 'fetch');
  await converged(first, second);
});

test('an unknown type is an error that names it, and the document can still be created', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const doc = tab.get('things', 'one');
  const error = await errorOf(doc, 'create', {}, 'no-such-type');
  assert.equal(error.code, 'ERR_DOC_TYPE_NOT_RECOGNIZED');
  assert.match(error.message, /no-such-type.*another copy of ShareDB.*`types`/);

  const heard = once(doc, 'error');
  doc.create({}, 'no-such-type');
  assert.equal((await heard)[0].code, 'ERR_DOC_TYPE_NOT_RECOGNIZED');
  assert.deepEqual([doc.type, doc.hasPending()], [null, false]);

  await call(doc, 'create', {n: 0});
  assert.equal(doc.version, 1);
});

test('a document of a type the tab does not have is an error that names the type', async () => {
  const backend = newBackend();
  await call(plain(backend).get('things', 'one'), 'create', [{insert: 'text'}], 'rich-text');
  const {defaultType} = Backend.types;
  const types = {map: {json0: defaultType, [defaultType.uri]: defaultType}, defaultType};
  const [tab] = openTabs(backend, 1, {types});
  const doc = tab.get('things', 'one');
  const heard = once(doc, 'error');
  await call(doc, 'subscribe');
  const [error] = await heard;
  assert.equal(error.code, 'ERR_DOC_TYPE_NOT_RECOGNIZED');
  assert.match(error.message, /rich-text.*another copy of ShareDB.*`types`/);
  assert.equal(doc.type, null);
});

/** So many objects, one in another. */
function nested(levels) {
  return levels === 0 ? 1 : {a: nested(levels - 1)};
}

test('a document that nests too deep to be carried is an error, until it no longer does', async () => {
  const backend = newBackend();
  const other = plain(backend).get('things', 'one');
  await call(other, 'create', {deep: nested(600)});
  const [tab] = openTabs(backend, 1);
  const doc = tab.get('things', 'one');
  for (const method of ['subscribe', 'fetch', 'subscribe']) {
    const error = await errorOf(doc, method);
    assert.equal(error?.code, 'ERR_TABMUX_UNCARRIABLE', method);
    assert.match(error.message, /things\.one/);
  }
  assert.deepEqual([doc.type, doc.subscribed], [null, false]);
  await call(other, 'submitOp', [{p: ['deep'], od: true}]);
  await call(tab.get('things', 'two'), 'fetch');
  await call(doc, 'fetch');
  assert.deepEqual(doc.data, {});
  await call(doc, 'subscribe');
});

test('a change that nests too deep to be carried is an error of the document, and is there once it can be', async () => {
  const backend = newBackend();
  const other = plain(backend).get('things', 'one');
  await call(other, 'create', {});
  const [tab] = openTabs(backend, 1);
  const doc = tab.get('things', 'one');
  await call(doc, 'subscribe');
  const errors = [];
  doc.on('error', (error) => errors.push(error));
  await call(other, 'submitOp', [{p: ['deep'], oi: nested(600)}]);
  await until(() => errors.length > 0);
  assert.equal(errors[0].code, 'ERR_TABMUX_UNCARRIABLE');
  assert.match(errors[0].message, /things\.one/);
  await call(other, 'submitOp', [{p: ['deep'], od: true, oi: 'flat'}]);
  await until(() => doc.data?.deep === 'flat');
});

const CYCLE = {};
CYCLE.list = [{again: CYCLE}];

for (const codec of CODECS) {
  test(`over ${codec}, a value that JSON can't carry is an error that names its place, and nothing else is lost`, async () => {
    const backend = newBackend();
    const docs = await subscribeAll(openTabs(backend, 2, {codec}), 'things', 'one');
    const [doc, sibling] = docs;
    for (const [data, place] of [
      [{a: {b: [0, 1n]}}, '$.create.data.a.b[1]'],
      [CYCLE, '$.create.data.list[0].again'],
    ]) {
      const error = await errorOf(doc, 'create', data);
      assert.equal(error.code, 'ERR_TABMUX_UNCARRIABLE');
      assert.ok(error.message.includes(place), error.message);
      assert.deepEqual([doc.type, doc.hasPending()], [null, false]);
    }

    doc.create([{insert: 'text'}], 'rich-text');
    const edit = (attributes) => ({ops: [{retain: 1, attributes}]});
    const error = await errorOf(doc, 'submitOp', edit({size: 1n}));
    assert.equal(error.code, 'ERR_TABMUX_UNCARRIABLE');
    assert.match(error.message, /\$\.op\.ops\[0\]\.attributes\.size/);
    doc.submitSource = true;
    const ofSource = await errorOf(doc, 'submitOp', edit({bold: true}), {source: {by: 1n}});
    assert.equal(ofSource.code, 'ERR_TABMUX_UNCARRIABLE');
    const heard = once(doc, 'error');
    doc.submitOp(edit({size: 1n}));
    assert.equal((await heard)[0].code, 'ERR_TABMUX_UNCARRIABLE');

    await call(doc, 'submitOp', edit({bold: true}));
    await converged(...docs);
    assert.deepEqual(sibling.data.ops, [{insert: 't', attributes: {bold: true}}, {insert: 'ext'}]);
  });
}

for (const transport of TRANSPORTS) {
  test(`over ${transport}, a hub that can't connect is an error, and every callback hears of it`, async () => {
    const backend = {
      connect() {
        throw new Error('no server today');
      },
    };
    const [tab] = openTabs(backend, 1, {transport});
    const doc = tab.get('things', 'one');
    doc.on('error', () => {});
    const heard = once(tab, 'error');
    const before = await Promise.all([
      errorOf(doc, 'subscribe'),
      errorOf(doc, 'create', {}),
      errorOf(tab, 'getBulk', 'things', ['two']),
      errorOf(tab, 'createFetchQuery', 'things', {}, null),
      errorOf(tab, 'createSubscribeQuery', 'things', {}, null),
      errorOf(tab, 'fetchSnapshot', 'things', 'one', null),
    ]);
    assert.equal(tab.state, 'stopped');
    const after = [
      await errorOf(doc, 'fetch'),
      await errorOf(doc, 'submitOp', ADD),
      await errorOf(tab, 'getBulk', 'things', ['two']),
      await errorOf(tab, 'createFetchQuery', 'things', {}, null),
      await errorOf(tab, 'createSubscribeQuery', 'things', {}, null),
      await errorOf(tab, 'fetchSnapshot', 'things', 'one', null),
    ];
    for (const error of [...before, ...after, ...(await heard)]) {
      assert.equal(error.code, 'ERR_TABMUX_HUB_START');
      assert.match(error.message, /no server today/);
    }
    assert.equal(tab.hasPending(), false);
  });
}

const notConnections = {
  'a promise': [async () => {}, /a promise/],
  nothing: [() => undefined, /undefined/],
};
for (const [what, [connect, expected]] of Object.entries(notConnections)) {
  test(`a hub whose connect returns ${what} is an error that says so`, async () => {
    const [tab] = openTabs({connect}, 1);
    const failed = new Promise((resolve) => tab.once('error', resolve));
    const error = await errorOf(tab.get('things', 'one'), 'fetch');
    assert.equal(error.code, 'ERR_TABMUX_HUB_START');
    assert.match(error.message, expected);
    assert.equal((await failed).code, 'ERR_TABMUX_HUB_START');
  });
}
