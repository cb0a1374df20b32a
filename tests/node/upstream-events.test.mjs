import assert from 'node:assert/strict';
import {test} from 'node:test';
import {call, newBackend, turns} from './support.mjs';
import {json0, makeDoc, rich, Upstream} from './upstream.mjs';

const json = (value) => JSON.parse(JSON.stringify(value));

/** The server's op in an event that tells of a change. */
const rawOf = (event) => event.at(-1);

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
  assert.deepEqual(rawOf(event), {op: theirs});
  assert.deepEqual(event.slice(0, 3), ['notes', 'a', 2]);
  assert.notDeepEqual(event[4], theirs);
});

test("an edit of rich text is told with the server's op as it came", async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', [{insert: 'b'}], rich);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{insert: 'mine '}]});
  await call(other, 'submitOp', [{retain: 1}, {insert: 'c'}]);
  assert.deepEqual(json(rawOf(await hub.told('op'))), {op: [{retain: 1}, {insert: 'c'}]});
});

test("a creation and a deletion by others are told with the server's ops", async () => {
  const backend = newBackend();
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  const other = await makeDoc(backend, 'a', [{insert: 'b'}], rich);
  const created = await hub.told('create');
  assert.deepEqual(json(rawOf(created)), {create: {type: rich, data: [{insert: 'b'}]}});
  assert.equal(created.length, 7);
  await call(other, 'del');
  const deleted = await hub.told('del');
  assert.deepEqual(rawOf(deleted), {del: true});
  assert.equal(deleted.length, 5);
});

test('a rollback is told without an op of the server', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  backend.use('apply', (_context, next) => next(new Error('no')));
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: [0], li: 'x'}]});
  await hub.release();
  assert.deepEqual(await hub.told('op'), [
    'notes',
    'a',
    1,
    hub.connection.id,
    [{p: [0], ld: 'x'}],
    undefined,
  ]);
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
  assert.equal(rawOf(await hub.told('op')), undefined);
  await hub.told('settled');
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
  assert.deepEqual(hub.adapter.untold('notes', 'a'), [2, false]);
  assert.equal(hub.state('a').version, 4);

  canTell = true;
  hub.adapter.tellAll();
  assert.deepEqual(
    hub.named('op').map(([, , version]) => version),
    [2, 3, 4],
  );
  assert.deepEqual(hub.adapter.untold('notes', 'a'), [0, false]);
});

test('a core that asks to wait after an event knows the version as of that event', async () => {
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
  assert.deepEqual(hub.adapter.head('notes', 'a'), [2, json0]);
  assert.deepEqual(hub.adapter.untold('notes', 'a'), [1, false]);
  left = 10;
  hub.adapter.tellAll();
  assert.deepEqual(hub.adapter.head('notes', 'a'), [3, json0]);
});
