import assert from 'node:assert/strict';
import {test} from 'node:test';
import {call, holdBack, newBackend, turns, until} from './support.mjs';
import {
  committed,
  headless,
  json0,
  makeDoc,
  pendingOp,
  rich,
  stored,
  Upstream,
} from './upstream.mjs';

const json = (value) => JSON.parse(JSON.stringify(value));
const add = (at, what) => ({op: [{p: [at], li: what}]});

/** The server forgets the document's first ops. */
function forgetOps(backend, id, count) {
  return call(backend.db, 'deleteOps', 'notes', id, 0, count, null);
}

/** A document at version 4, `[0, 1, 2]`, of which the server has the last op alone. */
async function makeOld(backend, id = 'a') {
  const doc = await makeDoc(backend, id, []);
  for (const n of [0, 1, 2]) await call(doc, 'submitOp', add(n, n).op);
  await forgetOps(backend, id, 3);
  return doc;
}

/** The document as it was at version 2. */
const old = {version: 2, type: json0, data: [0]};

test('an op whose version the server no longer knows is not rolled back', async () => {
  const backend = newBackend();
  await makeOld(backend);
  const hub = new Upstream(backend);
  hub.restore('a', old);
  await hub.online();
  hub.submit('a', add(1, 'mine'));
  await hub.told('sending');
  hub.submit('a', add(2, 'more'));
  await hub.release();
  const {doc, error} = await hub.told('outdated');
  assert.deepEqual([doc, error.message], [{collection: 'notes', id: 'a'}, 'Missing ops']);
  await turns(20);
  for (const name of ['op', 'answered', 'failed', 'loaded']) assert.deepEqual(hub.named(name), []);
  assert.deepEqual(hub.state('a').data, [0, 'mine', 'more']);
  assert.deepEqual(
    hub.pending('a').map(({op, sent}) => ({op, sent})),
    [
      {op: add(1, 'mine'), sent: undefined},
      {op: add(2, 'more'), sent: undefined},
    ],
  );
});

test('an op that may have been sent before keeps its name when it is refused', async () => {
  const backend = newBackend();
  await makeOld(backend);
  const hub = new Upstream(backend);
  const pending = [pendingOp(add(1, 'mine'), 1, {sent: {src: 'an earlier hub', seq: 5}})];
  hub.restore('a', {...old, data: [0, 'mine']}, {pending});
  await hub.release();
  await hub.told('outdated');
  assert.deepEqual(hub.pending('a'), pending);
});

test('an op for a version that the server has not reached is not rolled back', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  hub.restore('a', {version: 5, type: json0, data: [0]}, {pending: [pendingOp(add(0, 0), 1)]});
  await hub.release();
  const {error} = await hub.told('outdated');
  assert.equal(error.code, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT');
  assert.deepEqual(hub.named('answered'), []);
});

for (const [database, error] of [
  ['one that gives fewer ops', undefined],
  ['sharedb-mongo', {code: 5103, message: 'Missing ops from requested version notes.a 2'}],
  ['sharedb-mongo', {code: 5102, message: 'Snapshot missing last operation field "_o" notes.a'}],
]) {
  test(`what the database says is understood: ${database}, ${error?.code}`, async () => {
    const backend = newBackend();
    await makeOld(backend);
    backend.db.getOps = (_collection, _id, _from, _to, _options, callback) =>
      callback(error, error ? undefined : []);
    const hub = new Upstream(backend);
    hub.restore('a', {...old, data: [0, 'x']}, {pending: [pendingOp(add(1, 'x'), 1)]});
    await hub.release();
    const {error: told} = await hub.told('outdated');
    assert.equal(told.code, error?.code ?? 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND');
  });
}

test('any other refusal is rolled back', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  backend.use('apply', (_context, next) => next(new Error('no')));
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', add(0, 'x'));
  await hub.release();
  const {error} = await hub.told('answered');
  assert.equal(error.message, 'no');
  assert.deepEqual(hub.named('outdated'), []);
  assert.deepEqual(hub.state('a').data, []);
});

test('without a store the op is rolled back, as in ShareDB', async () => {
  const backend = newBackend();
  await makeOld(backend);
  const hub = new Upstream(backend, {held: false});
  hub.restore('a', {...old, data: [0, 'x']}, {pending: [pendingOp(add(1, 'x'), 1)]});
  const {error} = await hub.told('answered');
  assert.equal(error.message, 'Missing ops');
  assert.deepEqual(hub.named('outdated'), []);
});

for (const method of ['fetch', 'subscribe']) {
  test(`a ${method} that fails because the ops are gone tells that, too`, async () => {
    const backend = newBackend();
    await makeOld(backend);
    const hub = new Upstream(backend);
    await hub.online();
    hub.restore('a', old);
    hub.adapter[method]('notes', 'a');
    const {error} = await hub.told('outdated');
    assert.equal(error.message, 'Missing ops');
    const {error: own} = await hub.told(method === 'fetch' ? 'fetched' : 'subscribed');
    assert.equal(own.message, 'Missing ops');
  });
}

for (const method of ['fetch', 'subscribe']) {
  const told = method === 'fetch' ? 'fetched' : 'subscribed';

  /** An old document whose `method` has failed while its only op is on its way to the server. */
  async function openWithOpOnItsWay(backend) {
    await makeOld(backend);
    const {held, release} = holdBack(backend);
    const hub = new Upstream(backend);
    hub.restore('a', {...old, data: [0, 'x']}, {pending: [pendingOp(add(1, 'x'), 1)]});
    await hub.release();
    await until(() => held.length === 1);
    let failures = 0;
    hub.connection.prependListener('receive', ({data}) => {
      failures += data?.error?.message === 'Missing ops' ? 1 : 0;
    });
    hub.adapter[method]('notes', 'a');
    await until(() => failures === 1);
    await turns(20);
    for (const name of ['outdated', told]) assert.deepEqual(hub.named(name), []);
    return {hub, release};
  }

  test(`a ${method} that fails waits for what becomes of the op on its way: it is refused`, async () => {
    const backend = newBackend();
    const {hub, release} = await openWithOpOnItsWay(backend);
    release();
    await hub.told('outdated');
    const first = hub.events.find(({type}) => ['outdated', told].includes(type));
    assert.equal(first.type, 'outdated');
    assert.deepEqual(
      hub.pending('a').map(({op, sent}) => ({op, sent})),
      [{op: add(1, 'x'), sent: undefined}],
    );
    hub.adapter.startOver('notes', 'a');
    await hub.told(told);
    await hub.told('loaded');
    assert.deepEqual(hub.state('a').data, [0, 1, 2]);
    assert.equal(hub.named('outdated').length, 1);
  });

  test(`a ${method} that fails waits for what becomes of the op on its way: it is committed`, async () => {
    const backend = newBackend();
    const {hub, release} = await openWithOpOnItsWay(backend);
    const {getOps} = backend.db;
    const kept = [1, 2].map((v) => ({...add(v, v), v: v + 1, src: 'other', seq: v, m: {}}));
    // An op is taken, but nothing is fetched: the server has the ops once more, for that.
    backend.db.getOps = (collection, id, from, to, options, callback) =>
      to === null
        ? getOps.call(backend.db, collection, id, from, to, options, callback)
        : callback(null, kept.slice(from - 2, to - 2));
    release();
    await until(() => committed(backend, 'a').length === 5);
    const {origin, error} = await hub.told('answered');
    assert.deepEqual([origin.op_id, error], [1, undefined]);
  });

  test(`a ${method} that waits for an op when the connection is lost is asked again`, async () => {
    const backend = newBackend();
    const {hub, release} = await openWithOpOnItsWay(backend);
    await hub.drop();
    release();
    await hub.reconnect();
    await hub.release(2);
    await hub.told('outdated');
    hub.adapter.startOver('notes', 'a');
    await hub.told(told);
    await hub.told('loaded');
    assert.deepEqual(hub.state('a').data, [0, 1, 2]);
  });
}

test('of many documents that are subscribed at once, the outdated one alone is told', async () => {
  const backend = newBackend();
  await makeOld(backend, 'a');
  for (const id of ['b', 'c']) await makeDoc(backend, id, [0]);
  const hub = new Upstream(backend);
  await hub.online();
  hub.restore('a', old);
  for (const id of ['b', 'c']) hub.restore(id, {version: 1, type: json0, data: [0]});
  hub.adapter.startBulk();
  for (const id of ['a', 'b', 'c']) hub.adapter.subscribe('notes', id);
  hub.adapter.endBulk();
  await hub.told('subscribed', 3);
  assert.deepEqual(
    hub.named('outdated').map(({doc}) => doc.id),
    ['a'],
  );
  const failed = hub.named('subscribed').filter(({error}) => error);
  assert.deepEqual(
    failed.map(({doc}) => doc.id),
    ['a'],
  );
});

test('that a document is outdated is told once, until it has started over', async () => {
  const backend = newBackend();
  const other = await makeOld(backend);
  const hub = new Upstream(backend);
  await hub.online();
  hub.restore('a', old);
  for (const count of [1, 2]) {
    hub.adapter.fetch('notes', 'a');
    await hub.told('fetched', count);
  }
  assert.equal(hub.named('outdated').length, 1);
  hub.adapter.startOver('notes', 'a');
  await hub.told('fetched', 3);
  for (const n of [3, 4]) await call(other, 'submitOp', add(n, n).op);
  await forgetOps(backend, 'a', 5);
  hub.adapter.fetch('notes', 'a');
  await hub.told('outdated', 2);
});

test('a document that is outdated when the connection is back is told as that alone', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  await hub.drop();
  for (const n of [0, 1]) await call(other, 'submitOp', add(n, n).op);
  await forgetOps(backend, 'a', 2);
  await hub.reconnect();
  await hub.told('outdated');
  await turns(20);
  assert.deepEqual(hub.named('failed'), []);
  hub.adapter.startOver('notes', 'a');
  await hub.told('fetched');
  await call(other, 'submitOp', add(2, 2).op);
  await hub.told('op');
  assert.deepEqual(hub.state('a').data, [0, 1, 2]);
});

test('a document starts over while a subscription for its version is on its way', async () => {
  const backend = newBackend();
  const other = await makeOld(backend);
  const hub = new Upstream(backend);
  await hub.online();
  hub.restore('a', old);
  hub.adapter.subscribe('notes', 'a');
  hub.adapter.startOver('notes', 'a');
  await hub.told('fetched');
  const {error} = await hub.told('subscribed');
  assert.equal(error, undefined);
  assert.deepEqual(hub.named('outdated'), []);
  await call(other, 'submitOp', add(3, 3).op);
  await hub.told('op');
  assert.deepEqual(hub.state('a').data, [0, 1, 2, 3]);
});

test('a document that starts over is loaded, and goes on to be subscribed', async () => {
  const backend = newBackend();
  const other = await makeOld(backend);
  const hub = new Upstream(backend);
  await hub.online();
  hub.restore('a', old);
  hub.adapter.subscribe('notes', 'a');
  await hub.told('subscribed');
  hub.submit('a', add(1, 'x'));
  const sending = await hub.told('sending');
  hub.adapter.startOver('notes', 'a');
  assert.deepEqual(hub.state('a'), {version: null, type: null, data: undefined});
  assert.deepEqual(hub.pending('a'), []);
  await hub.told('fetched');
  const doc = {collection: 'notes', id: 'a'};
  assert.deepEqual(hub.named('loaded').map(headless), [{type: 'loaded', doc}]);
  assert.deepEqual(hub.named('fetched').map(headless), [{type: 'fetched', doc, error: undefined}]);
  assert.deepEqual(hub.state('a'), {version: 4, type: json0, data: [0, 1, 2]});
  await call(other, 'submitOp', add(3, 3).op);
  await hub.told('op');
  assert.deepEqual(hub.state('a').data, [0, 1, 2, 3]);
  hub.letGo(sending);
  await turns(20);
  assert.equal(committed(backend, 'a').length, 5);
  assert.deepEqual(hub.named('answered'), []);
});

test('a document that was subscribed is so while it starts over', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.adapter.startOver('notes', 'a');
  await hub.told('fetched');
  await call(other, 'submitOp', add(0, 0).op);
  await hub.told('op');
  assert.deepEqual(hub.state('a').data, [0]);
});

test('a document starts over while a fetch for its version is on its way', async () => {
  const backend = newBackend();
  await makeOld(backend);
  const hub = new Upstream(backend);
  await hub.online();
  hub.restore('a', {version: 4, type: json0, data: ['wrong']});
  hub.adapter.fetch('notes', 'a');
  hub.adapter.startOver('notes', 'a');
  await hub.told('fetched', 2);
  const names = hub.events.map(({type}) => type).filter((type) => type !== 'state');
  assert.deepEqual(names, ['fetched', 'loaded', 'fetched']);
  assert.deepEqual(hub.state('a').data, [0, 1, 2]);
});

test('a document that starts over offline is loaded when it is online', async () => {
  const backend = newBackend();
  await makeOld(backend);
  const hub = new Upstream(backend);
  await hub.online();
  hub.restore('a', old);
  await hub.drop();
  hub.adapter.startOver('notes', 'a');
  await hub.reconnect();
  await hub.told('fetched');
  assert.equal(hub.named('loaded').length, 1);
  assert.deepEqual(hub.state('a').data, [0, 1, 2]);
});

test('ops done again are sent, held, under their names; those that do not fit are returned', async () => {
  const backend = newBackend();
  await makeOld(backend);
  const hub = new Upstream(backend);
  await hub.online();
  hub.adapter.fetch('notes', 'a');
  await hub.told('fetched');
  const sent = {src: 'an earlier hub', seq: 5};
  const {unapplied: unfit} = hub.adapter.reapply('notes', 'a', [
    pendingOp({create: {type: json0, data: 1}}, 1),
    pendingOp(add(3, 'x'), 2, {sent}),
    // Its first half would fit.
    pendingOp(
      {
        op: [
          {p: [0], li: 'half'},
          {p: ['no', 'such'], oi: 1},
        ],
      },
      3,
    ),
    pendingOp(add(4, 'y'), 4, {type: rich}),
    pendingOp(add(4, 'z'), 5),
    pendingOp({del: true}, 6, {type: 'unknown'}),
  ]);
  assert.deepEqual(
    unfit.map(({index, error}) => [index, error instanceof Error]),
    [
      [0, true],
      [2, true],
      [3, true],
      [5, true],
    ],
  );
  assert.equal(unfit[0].error.code, 'ERR_DOC_ALREADY_CREATED');
  assert.deepEqual(hub.state('a').data, [0, 1, 2, 'x', 'z']);
  assert.deepEqual((await hub.told('sending')).sent, sent);
  assert.equal(committed(backend, 'a').length, 4);
  await hub.release(1);
  await hub.release(2);
  await hub.told('answered', 2);
  assert.deepEqual(
    hub.named('answered').map(({origin}) => origin.op_id),
    [2, 5],
  );
  assert.deepEqual(stored(backend, 'a').data, [0, 1, 2, 'x', 'z']);
});

test('ops done again may create a document that is not there, and delete it', async () => {
  const backend = newBackend();
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  const {unapplied: unfit} = hub.adapter.reapply('notes', 'a', [
    pendingOp({op: [{insert: 'x'}]}, 1, {type: rich}),
    pendingOp({del: true}, 2, {type: rich}),
    pendingOp({create: {type: rich, data: [{insert: 'a'}]}}, 3),
    pendingOp({op: [{insert: 'x'}]}, 4, {type: rich}),
  ]);
  assert.deepEqual(
    unfit.map(({index, error}) => [index, error.code]),
    [
      [0, 'ERR_DOC_DOES_NOT_EXIST'],
      [1, 'ERR_DOC_DOES_NOT_EXIST'],
    ],
  );
  assert.deepEqual(json(hub.state('a').data), [{insert: 'xa'}]);
  await hub.release(1);
  await hub.release(2);
  await hub.told('answered', 2);
  await until(() => stored(backend, 'a').version === 2);
  assert.deepEqual(json(stored(backend, 'a').data.ops), [{insert: 'xa'}]);
  assert.equal(
    hub.adapter.reapply('notes', 'a', [pendingOp({del: true}, 5, {type: rich})]).unapplied.length,
    0,
  );
  assert.equal(hub.state('a').type, null);
});
