import assert from 'node:assert/strict';
import {test} from 'node:test';
import {call, newBackend, turns, until} from './support.mjs';
import {
  answered,
  committed,
  headless,
  json0,
  makeDoc,
  rich,
  stored,
  Upstream,
} from './upstream.mjs';

test('an op leaves for the server once it is released, under the name that was told', async () => {
  const backend = newBackend();
  const hub = new Upstream(backend);
  await hub.online();
  hub.submit('a', {create: {type: json0, data: {n: 1}}});
  const {doc, sent} = await hub.told('sending');
  assert.deepEqual([doc, sent.src], [{collection: 'notes', id: 'a'}, hub.connection.id]);
  await turns(20);
  assert.equal(committed(backend, 'a').length, 0);

  hub.letGo({doc, sent});
  assert.deepEqual(headless(await hub.told('answered')), answered('t', 1));
  assert.deepEqual(stored(backend, 'a').data, {n: 1});
  const [op] = committed(backend, 'a');
  assert.deepEqual([op.src, op.seq], [sent.src, sent.seq]);
});

test('what was submitted while an op is held follows it, composed', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: [0], li: 'x'}]});
  await hub.told('sending');
  hub.submit('a', {op: [{p: [1], li: 'y'}]});
  hub.submit('a', {op: [{p: [2], li: 'z'}]});
  await hub.release(1);
  await hub.release(2);
  await hub.told('answered', 3);
  assert.deepEqual(stored(backend, 'a').data, ['x', 'y', 'z']);
  assert.equal(committed(backend, 'a').length, 3);
});

for (const [name, type, data, mine, theirs, both] of [
  ['json0', json0, ['b'], [{p: [1], li: 'c'}], [{p: [0], li: 'a'}], ['a', 'b', 'c']],
  [
    'rich-text',
    rich,
    [{insert: 'b'}],
    [{retain: 1}, {insert: 'c'}],
    [{insert: 'a'}],
    [{insert: 'abc'}],
  ],
]) {
  test(`a held op of ${name} meets the ops of others that come before its release`, async () => {
    const backend = newBackend();
    const other = await makeDoc(backend, 'a', data, type);
    const hub = new Upstream(backend);
    await hub.subscribe('a');
    hub.submit('a', {op: mine});
    await hub.told('sending');
    await call(other, 'submitOp', theirs);
    await hub.told('op');
    await hub.release();
    await hub.told('answered');
    await call(other, 'fetch');
    const json = (value) => JSON.parse(JSON.stringify(value));
    const expected = type === rich ? {ops: both} : both;
    assert.deepEqual(json(other.data), expected);
    assert.deepEqual(json(hub.state('a').data), both);
    assert.equal(hub.state('a').version, other.version);
  });
}

test('an op that is held when the connection is lost is told again under its name, and sent once', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: [0], li: 'x'}]});
  const first = await hub.told('sending');
  await hub.drop();
  hub.letGo(first);
  await hub.reconnect();
  assert.deepEqual(await hub.told('sending', 2), first);
  await turns(20);
  assert.equal(committed(backend, 'a').length, 1);

  await hub.release(2);
  hub.letGo(first);
  await hub.told('answered');
  await turns(20);
  assert.deepEqual(stored(backend, 'a').data, ['x']);
  assert.equal(committed(backend, 'a').length, 2);
});

test('an op that the document has given up while it was held is not sent', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: [0], li: 'x'}]});
  const sending = await hub.told('sending');
  await call(other, 'del');
  const {error} = await hub.told('answered');
  assert.equal(error.code, 'ERR_DOC_WAS_DELETED');
  let submitted = 0;
  backend.use('submit', (_context, next) => {
    submitted += 1;
    next();
  });
  hub.letGo(sending);
  await turns(20);
  assert.equal(submitted, 0);
});

test('to release what is not held does nothing', async () => {
  const hub = new Upstream(newBackend());
  await hub.online();
  hub.adapter.release('notes', 'unknown', 'nobody', 1);
  hub.submit('a', {create: {type: json0, data: 1}});
  const {sent} = await hub.told('sending');
  hub.adapter.release('notes', 'a', sent.src, sent.seq + 1);
  hub.adapter.release('notes', 'a', 'nobody', sent.seq);
  await turns(20);
  assert.equal(hub.named('answered').length, 0);
});

test('what an application sends by hand is not held', async () => {
  const backend = newBackend();
  const hub = new Upstream(backend);
  await hub.online();
  const create = {type: json0, data: 1};
  hub.adapter.send({a: 'op', c: 'notes', d: 'a', v: null, seq: 900, x: {}, create});
  await hub.told('message');
  assert.equal(stored(backend, 'a').data, 1);
  assert.equal(hub.named('sending').length, 0);
});

test('without a store ops are sent at once', async () => {
  const backend = newBackend();
  const hub = new Upstream(backend, {held: false});
  await hub.online();
  hub.submit('a', {create: {type: json0, data: 1}});
  await hub.told('answered');
  assert.equal(stored(backend, 'a').data, 1);
  assert.equal(hub.named('sending').length, 0);
});

test('a submission tells whether it became a part of the op before it', async () => {
  const hub = new Upstream(newBackend());
  const add = (at) => ({op: [{p: [at], li: at}]});
  assert.equal(hub.submit('a', {create: {type: json0, data: []}}), false);
  assert.equal(hub.submit('a', add(0)), true);
  assert.equal(hub.submit('a', add(1), {compose: false}), false);
  assert.equal(hub.submit('a', add(2)), true);
  await hub.online();
  await hub.told('sending');
  assert.equal(hub.submit('a', add(3)), true);
  await hub.release();
  await hub.told('sending', 2);
  assert.equal(hub.submit('a', add(4)), false);
  assert.equal(hub.submit('a', {del: true}), false);
});

test('uncommitted ops are known by the ops of tabs in them and by what they were sent as', async () => {
  const hub = new Upstream(newBackend());
  await hub.online();
  hub.submit('a', {create: {type: json0, data: {}}});
  hub.submit('a', {op: [{p: ['n'], oi: 1}]});
  const {sent} = await hub.told('sending');
  hub.submit('a', {op: [{p: ['m'], oi: 2}]});
  hub.submit('a', {del: true});
  assert.deepEqual(hub.pending('a'), [
    {
      op: {create: {type: json0, data: {n: 1}}},
      origins: [
        {tab: 't', op_id: 1},
        {tab: 't', op_id: 2},
      ],
      sent,
    },
    {op: {op: [{p: ['m'], oi: 2}]}, type: json0, origins: [{tab: 't', op_id: 3}]},
    {op: {del: true}, type: json0, origins: [{tab: 't', op_id: 4}]},
  ]);
  assert.deepEqual(hub.pending('unknown'), []);
});

test('an uncommitted op has the source that is to be sent to the server', async () => {
  const hub = new Upstream(newBackend());
  hub.submit('a', {create: {type: json0, data: 1}}, {source: {user: 'ann'}});
  assert.deepEqual(hub.pending('a')[0].source, {user: 'ann'});
});

test('each op keeps its own source, if it has one, until it is sent', async () => {
  const backend = newBackend();
  const sources = [];
  backend.use('submit', ({extra}, next) => {
    sources.push(extra.source);
    next();
  });
  const hub = new Upstream(backend, {online: false});
  hub.submit('a', {create: {type: json0, data: {n: 0}}}, {source: 'widget'});
  for (const source of [undefined, undefined, 'menu', 'menu', undefined]) {
    hub.submit('a', {op: [{p: ['n'], na: 1}]}, {source});
  }
  const expected = ['widget', undefined, 'menu', undefined];
  assert.deepEqual(
    hub.pending('a').map(({source}) => source),
    expected,
  );
  backend.connect(hub.connection);
  for (let count = 1; count <= expected.length; count++) await hub.release(count);
  await until(() => sources.length === expected.length);
  assert.deepEqual(sources, expected);
});
