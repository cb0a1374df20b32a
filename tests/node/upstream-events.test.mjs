import assert from 'node:assert/strict';
import {test} from 'node:test';
import {call, newBackend, turns} from './support.mjs';
import {json0, makeDoc, rich, Upstream} from './upstream.mjs';

const json = (value) => JSON.parse(JSON.stringify(value));

/** The server's op in an event that tells of a change. */
test("an edit of others is told with the server's op as it was before it met our own", async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: [0], li: 'mine'}]});
  await hub.told('sending');
  const theirs = [
    {p: [0], li: 'x'},
    {p: [1], li: 'y'},
  ];
  await call(other, 'submitOp', theirs);
  const event = await hub.told('op');
  assert.deepEqual(event.raw, {op: theirs});
  assert.deepEqual([event.doc, event.head.version], [{collection: 'notes', id: 'a'}, 2]);
  assert.notDeepEqual(event.op, {op: theirs});
});

test("an edit of rich text is told with the server's op as it came", async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', [{insert: 'b'}], rich);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{insert: 'mine '}]});
  await call(other, 'submitOp', [{retain: 1}, {insert: 'c'}]);
  assert.deepEqual(json((await hub.told('op')).raw), {op: [{retain: 1}, {insert: 'c'}]});
});

test("a creation and a deletion by others are told with the server's ops", async () => {
  const backend = newBackend();
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  const other = await makeDoc(backend, 'a', [{insert: 'b'}], rich);
  const created = await hub.told('create');
  assert.deepEqual(json(created.raw), {create: {type: rich, data: [{insert: 'b'}]}});
  await call(other, 'del');
  const deleted = await hub.told('del');
  assert.deepEqual(deleted.raw, {del: true});
});

test('a rollback is told without an op of the server', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  backend.use('apply', (_context, next) => next(new Error('no')));
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: [0], li: 'x'}]});
  await hub.release();
  assert.deepEqual(await hub.told('op'), {
    type: 'changed',
    doc: {collection: 'notes', id: 'a'},
    op: {op: [{p: [0], ld: 'x'}]},
    head: {version: 1, type: json0},
    src: hub.connection.id,
    raw: undefined,
  });
});

test("the server's correction of our op is told without an op of the server", async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  backend.use('apply', (context, next) => {
    context.$fixup([{p: [0], li: 'fixed'}]);
    next();
  });
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: [0], li: 'x'}]});
  await hub.release();
  assert.equal((await hub.told('op')).raw, undefined);
  await hub.told('answered');
  assert.deepEqual(hub.state('a').data, ['fixed', 'x']);
});

test('while the core can be told nothing, events wait in order and count as untold', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  let canTell = true;
  const hub = new Upstream(backend, {canTell: () => canTell});
  await hub.subscribe('a');
  await call(other, 'submitOp', [{p: [0], li: 0}]);
  await hub.told('op');

  canTell = false;
  const before = hub.events.length;
  for (const n of [1, 2]) await call(other, 'submitOp', [{p: [0], li: n}]);
  await turns(20);
  assert.equal(hub.events.length, before);
  assert.deepEqual(hub.adapter.untold('notes', 'a'), {changes: 2, load: false});
  assert.equal(hub.state('a').version, 4);

  canTell = true;
  hub.adapter.tellAll();
  assert.deepEqual(
    hub.named('op').map(({head}) => head.version),
    [2, 3, 4],
  );
  assert.deepEqual(hub.adapter.untold('notes', 'a'), {changes: 0, load: false});
});

test('a core that asks to wait after an event is told the version as of that event', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  let left = Number.POSITIVE_INFINITY;
  const hub = new Upstream(backend, {canTell: () => left-- > 0});
  await hub.subscribe('a');
  left = 0;
  for (const n of [1, 2]) await call(other, 'submitOp', [{p: [0], li: n}]);
  await turns(20);
  left = 1;
  hub.adapter.tellAll();
  assert.equal(hub.named('op').length, 1);
  assert.deepEqual(hub.events.at(-1).head, {version: 2, type: json0});
  assert.deepEqual(hub.adapter.untold('notes', 'a'), {changes: 1, load: false});
  left = 10;
  hub.adapter.tellAll();
  assert.deepEqual(hub.events.at(-1).head, {version: 3, type: json0});
});

test('an op of the server that does nothing is told as another version', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  backend.use('apply', ({op}, next) => {
    delete op.op;
    next();
  });
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  await call(other, 'submitOp', [{p: [0], li: 'x'}]);
  const doc = {collection: 'notes', id: 'a'};
  const head = {version: 2, type: json0};
  assert.deepEqual(await hub.told('moved'), {type: 'moved', doc, head});
  assert.deepEqual(hub.named('op'), []);
});

test('a document that loses its state is told as without one before it is loaded anew', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', {});
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: ['n'], oi: 1}]});
  await hub.told('sending');
  await call(other, 'del');
  const {head} = await hub.told('moved');
  assert.deepEqual(json(head), {});
  await hub.told('answered');
  assert.deepEqual(json((await hub.told('loaded', 2)).head), {version: 2});
});

test('what the hub submits itself is not told, and its answer has the type that it gives', () => {
  const hub = new Upstream(newBackend());
  const submit = (op, op_id) =>
    hub.adapter.submit('notes', 'a', op, undefined, true, {tab: 't', op_id});
  assert.deepEqual(json(submit({create: {type: json0, data: []}}, 1)), {
    composed: false,
    head: {type: json0},
  });
  assert.deepEqual(json(submit({op: [{p: [0], li: 'x'}]}, 2)), {composed: true});
  assert.deepEqual(json(submit({del: true}, 3)), {composed: false, head: {}});
});
