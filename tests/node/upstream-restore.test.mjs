import assert from 'node:assert/strict';
import {test} from 'node:test';
import {call, holdBack, newBackend, turns, until} from './support.mjs';
import {
  answered,
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

/** The events that tell of a change of a document. */
const changes = (hub) => ['op', 'create', 'del', 'loaded', 'failed'].flatMap((it) => hub.named(it));

test('a restored document has the state after its ops, offline and without a word', async () => {
  const hub = new Upstream(newBackend(), {online: false});
  const ops = [add(1, 'b'), {}, add(2, 'c')];
  hub.restore('a', {version: 7, type: json0, data: ['a']}, {ops});
  assert.deepEqual(hub.state('a'), {version: 7, type: json0, data: ['a', 'b', 'c']});
  await turns(5);
  assert.deepEqual(changes(hub), []);
});

test('the ops of a restored document may delete it and create it', () => {
  const hub = new Upstream(newBackend(), {online: false});
  const ops = [{del: true}, {create: {type: json0, data: [1]}}, add(1, 2)];
  hub.restore('a', {version: 7, type: json0, data: ['old']}, {ops});
  assert.deepEqual(hub.state('a').data, [1, 2]);
  hub.restore('b', {version: 7, type: json0, data: ['old']}, {ops: [{del: true}]});
  assert.deepEqual(hub.state('b'), {version: 7, type: null, data: undefined});
});

test("a restored creation takes the type's input, or the finished data", () => {
  const hub = new Upstream(newBackend(), {online: false});
  const data = [{insert: 'ab'}];
  const edit = {op: [{retain: 1}, {insert: 'x'}]};
  for (const snapshot of [false, true]) {
    const id = `snapshot ${snapshot}`;
    hub.restore(id, {version: 1}, {ops: [{create: {type: rich, data, snapshot}}, edit]});
    assert.deepEqual(json(hub.state(id).data), [{insert: 'axb'}]);
  }
});

test('a restored document follows the server from its version on', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', ['a']);
  await call(other, 'submitOp', add(1, 'b').op);
  const hub = new Upstream(backend);
  await hub.online();
  hub.restore('a', {version: 1, type: json0, data: ['a']});
  await hub.subscribe('a');
  await call(other, 'submitOp', add(2, 'c').op);
  await hub.told('op', 2);
  assert.deepEqual(hub.state('a'), {version: 3, type: json0, data: ['a', 'b', 'c']});
  assert.equal(hub.named('loaded').length, 0);
});

for (const order of ['restored before it is connected', 'restored when it is connected']) {
  test(`unsent ops are sent, held, and answered for: ${order}`, async () => {
    const backend = newBackend();
    await makeDoc(backend, 'a', [{insert: 'a'}], rich);
    const hub = new Upstream(backend);
    if (order.includes('when')) await hub.online();
    const edit = {op: [{insert: 'x'}]};
    const pending = [pendingOp(edit, 1, {type: rich}), pendingOp(edit, 2, {type: rich})];
    pending[1].origins.push({tab: 'u', op_id: 9});
    const snapshot = {version: 1, type: rich, data: [{insert: 'a'}]};
    hub.restore('a', snapshot, {ops: [edit, edit], pending});
    await hub.online();
    const {sent} = await hub.told('sending');
    assert.equal(sent.src, hub.connection.id);
    assert.deepEqual(json(hub.pending('a').map(({origins}) => origins)), [
      [{tab: 't', op_id: 1}],
      [
        {tab: 't', op_id: 2},
        {tab: 'u', op_id: 9},
      ],
    ]);
    await hub.release(1);
    await hub.release(2);
    await hub.told('answered', 3);
    assert.deepEqual(hub.named('answered').map(headless), [
      answered('t', 1),
      answered('t', 2),
      answered('u', 9),
    ]);
    assert.deepEqual(json(stored(backend, 'a').data.ops), [{insert: 'xxa'}]);
    assert.equal(hub.state('a').version, 3);
    assert.deepEqual(hub.pending('a'), []);
  });
}

for (const subscribes of [false, true]) {
  const how = subscribes ? 'subscribed' : 'not subscribed';
  test(`F14: a sent op that the server has already is answered for, once, and not doubled: ${how}`, async () => {
    const backend = newBackend();
    const other = await makeDoc(backend, 'a', []);
    const first = new Upstream(backend);
    await first.subscribe('a');
    await call(other, 'submitOp', add(0, 'before').op);
    await first.told('op');
    first.submit('a', add(0, 'mine'));
    await first.told('sending');
    const pending = json(first.pending('a'));
    assert.equal(pending[0].sent.src, first.connection.id);
    await first.release();
    await first.told('answered');
    await call(other, 'submitOp', add(2, 'after').op);

    const second = new Upstream(backend);
    await second.online();
    const snapshot = {version: 2, type: json0, data: ['mine', 'before']};
    second.restore('a', snapshot, {pending});
    if (subscribes) second.adapter.subscribe('notes', 'a');
    const {sent} = await second.told('sending');
    assert.deepEqual(sent, pending[0].sent);
    await second.release();
    await second.told('answered');
    if (!subscribes) second.adapter.fetch('notes', 'a');
    await until(() => second.state('a').version === 4);
    await turns(20);
    assert.deepEqual(second.named('answered').map(headless), [answered('t', 1)]);
    assert.deepEqual(second.state('a').data, ['mine', 'before', 'after']);
    assert.equal(committed(backend, 'a').length, 4);
  });
}

test('a sent op that the server does not have is committed, under its name', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  const sent = {src: 'an earlier hub', seq: 5};
  const pending = [pendingOp(add(0, 'x'), 1, {sent})];
  hub.restore('a', {version: 1, type: json0, data: ['x']}, {pending});
  await hub.release();
  await hub.told('answered');
  const {src, seq} = committed(backend, 'a')[1];
  assert.deepEqual({src, seq}, sent);
});

test('nothing is composed into a restored op that was sent', () => {
  const hub = new Upstream(newBackend(), {online: false});
  const sent = {src: 'an earlier hub', seq: 5};
  const pending = [pendingOp(add(0, 'x'), 1, {sent})];
  hub.restore('a', {version: 1, type: json0, data: ['x']}, {pending});
  assert.equal(hub.submit('a', add(1, 'y')), false);
  assert.deepEqual(hub.pending('a')[0], pending[0]);
  assert.equal(hub.submit('a', add(2, 'z')), true);
});

test('a document that was created offline is created on the server', async () => {
  const backend = newBackend();
  const hub = new Upstream(backend);
  const create = {create: {type: json0, data: []}};
  const snapshot = {type: json0, data: ['x']};
  hub.restore('a', snapshot, {pending: [pendingOp(create, 1), pendingOp(add(0, 'x'), 2)]});
  assert.equal(hub.state('a').version, null);
  await hub.release(1);
  await hub.release(2);
  await hub.told('answered', 2);
  assert.deepEqual(stored(backend, 'a'), {version: 2, type: json0, data: ['x']});
  assert.equal(hub.state('a').version, 2);
});

test('a creation that the server has already gets what others have done since', async () => {
  const backend = newBackend();
  const first = new Upstream(backend);
  first.submit('a', {create: {type: json0, data: []}});
  await first.told('sending');
  const pending = json(first.pending('a'));
  await first.release();
  await first.told('answered');
  const second = new Upstream(backend);
  await second.online();
  second.restore('a', {type: json0, data: []}, {pending});
  second.adapter.subscribe('notes', 'a');
  const other = new Upstream(backend, {held: false});
  await other.subscribe('a');
  other.submit('a', add(0, 'x'));
  await other.told('answered');
  await second.release();
  await second.told('answered');
  await until(() => second.state('a').version === 2);
  assert.deepEqual(second.state('a').data, ['x']);
  assert.equal(committed(backend, 'a').length, 2);
});

test('a restored op is sent with its source', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  const sources = [];
  backend.use('submit', ({extra}, next) => {
    sources.push(extra.source);
    next();
  });
  const hub = new Upstream(backend);
  const pending = [pendingOp(add(0, 'x'), 1, {source: 'me'})];
  hub.restore('a', {version: 1, type: json0, data: ['x']}, {pending});
  assert.equal(hub.pending('a')[0].source, 'me');
  await hub.release();
  await hub.told('answered');
  assert.deepEqual(sources, ['me']);
});

test('what a document is restored from stays as it is', () => {
  const hub = new Upstream(newBackend(), {online: false});
  const snapshot = {version: 1, type: json0, data: {list: []}};
  const ops = [{op: [{p: ['list', 0], li: {}}]}, {op: [{p: ['list', 0, 'n'], oi: 1}]}];
  const create = {create: {type: json0, data: {list: []}}};
  const pending = [pendingOp(create, 1)];
  const before = json({snapshot, ops, pending});
  hub.restore('a', snapshot, {ops, pending});
  hub.submit('a', {op: [{p: ['list', 0], li: 'new'}]});
  assert.deepEqual({snapshot, ops, pending}, before);

  const state = hub.adapter.materialize(snapshot, ops);
  assert.deepEqual(state, {version: 1, type: json0, data: {list: [{n: 1}]}});
  assert.deepEqual({snapshot, ops, pending}, before);
});

test('rich text is materialized as the server has it', () => {
  const hub = new Upstream(newBackend(), {online: false});
  const ops = [{op: [{insert: 'x'}]}];
  const snapshot = {version: 1, type: rich, data: [{insert: 'a'}]};
  const state = hub.adapter.materialize(snapshot, ops);
  assert.deepEqual(json(state), {version: 1, type: rich, data: [{insert: 'xa'}]});
});

const unfit = [
  [
    'a type that is not registered',
    {version: 1, type: 'unknown', data: 1},
    {},
    'ERR_DOC_TYPE_NOT_RECOGNIZED',
  ],
  [
    'an uncommitted op of a type that is not registered',
    {version: 1, type: json0, data: []},
    {pending: [pendingOp(add(0, 'x'), 1, {type: 'unknown'})]},
    'ERR_DOC_TYPE_NOT_RECOGNIZED',
  ],
  [
    'an op that does not fit',
    {version: 1, type: json0, data: {}},
    {ops: [{op: [{p: ['a', 'b'], oi: 1}]}]},
    'ERR_OT_OP_NOT_APPLIED',
  ],
  ['an edit of nothing', {version: 1}, {ops: [add(0, 'x')]}, 'ERR_DOC_DOES_NOT_EXIST'],
];
for (const [what, snapshot, rest, code] of unfit) {
  test(`what can't be restored is refused by name, and leaves no state: ${what}`, async () => {
    const backend = newBackend();
    await makeDoc(backend, 'a', ['there']);
    const hub = new Upstream(backend);
    assert.throws(
      () => hub.restore('a', snapshot, rest),
      (error) => error.code === code && error.message.startsWith("notes.a can't be restored: "),
    );
    assert.deepEqual(hub.state('a'), {version: null, type: null, data: undefined});
    assert.deepEqual(hub.pending('a'), []);
    await hub.subscribe('a');
    assert.deepEqual(hub.state('a').data, ['there']);
  });
}

test('the refusal of a restored op is not that of the next, though it has the same number', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  const first = new Upstream(backend);
  await first.subscribe('a');
  first.submit('a', add(0, 'x'));
  await first.told('sending');
  const pending = json(first.pending('a'));
  await first.release();
  await first.told('answered');
  await call(other, 'fetch');
  await call(other, 'del');
  const server = holdBack(backend);
  const second = new Upstream(backend);
  await second.online();
  second.restore('a', {version: 1, type: json0, data: ['x']}, {pending});
  await second.release();
  await until(() => server.held.length === 1);
  second.adapter.subscribe('notes', 'a');
  await second.told('answered');
  await second.told('del');
  second.submit('a', {create: {type: json0, data: ['anew']}});
  await second.release(2);
  await until(() => server.held.length === 2);
  const [resent, own] = second.named('sending');
  assert.equal(resent.sent.seq, own.sent.seq);
  server.held[0]({code: 'ERR_MINE', message: 'Not now'});
  await turns(10);
  server.held[1]();
  const {error} = await second.told('answered', 2);
  assert.equal(error, undefined);
  // Its tab was told that the server has it.
  assert.deepEqual(second.named('failed'), []);
  assert.deepEqual(stored(backend, 'a').data, ['anew']);
});
