import assert from 'node:assert/strict';
import {test} from 'node:test';
import Backend from 'sharedb';
import {call, frozen, newBackend} from './support.mjs';
import {json0, makeDoc, stored, Upstream} from './upstream.mjs';

/** A type that can be created with a number only, and adds numbers only. */
const counter = {
  name: 'strict counter',
  uri: 'http://example.com/types/strict-counter',
  create: checked,
  apply: (total, step) => total + checked(step),
  compose: (first, second) => first + second,
  transform: (step) => step,
};
Backend.types.register(counter);

function checked(value) {
  if (typeof value !== 'number') throw new Error(`${value} is no number`);
  return value;
}

const start = {list: [{n: 1}, {n: 2}, {n: 3}], text: 'abc', total: 0.1};

for (const [name, type, data, good, bad] of [
  ['of json0', json0, start, [{p: ['total'], na: 0.2}], [{p: ['text', 'x', 'y'], oi: 1}]],
  [
    'of json0, after some of its components,',
    json0,
    start,
    [{p: ['total'], na: 0.2}],
    [
      {p: ['total'], na: 0.7},
      {p: ['list', 0], lm: 2},
      {p: ['list', 2, 'n'], na: 5},
      {p: ['list', 1], ld: 'not what is there'},
      {p: ['text', 1], si: 'x'},
      {p: ['text'], od: 'not what is there'},
      {p: ['text'], oi: {m: 1}},
      {p: ['text', 'm'], na: 1},
      {p: ['nothing', 'there'], oi: 1},
    ],
  ],
  ['of a type that adds', counter.uri, 1, 2, 'a text'],
]) {
  for (const state of ['created', 'edited', 'sent']) {
    test(`an op ${name} that can't be applied is refused alone, after a document was ${state}`, async () => {
      const backend = newBackend();
      const hub = new Upstream(backend, {online: state === 'sent'});
      hub.submit('a', {create: {type, data}});
      if (state !== 'created') hub.submit('a', {op: good}, {compose: false});
      if (state === 'sent') await hub.told('sending');
      const [before, pending] = [frozen(hub.state('a')), frozen(hub.pending('a'))];

      assert.throws(() => hub.submit('a', {op: bad}));
      assert.deepEqual(frozen(hub.state('a')), before);
      assert.deepEqual(frozen(hub.pending('a')), pending);

      if (state !== 'sent') backend.connect(hub.connection);
      const ops = hub.pending('a').length;
      for (let count = 1; count <= ops; count++) await hub.release(count);
      await hub.told('answered', ops);
      const errors = hub.named('answered').flatMap(({error}) => error ?? []);
      assert.deepEqual(errors, []);
      assert.deepEqual(stored(backend, 'a').data, before.data);
    });
  }
}

test("a creation that can't be done leaves the document as it was", async () => {
  const hub = new Upstream(newBackend(), {online: false});
  const create = {type: counter.uri, data: 'a text'};
  assert.throws(() => hub.submit('a', {create}), /a text is no number/);
  assert.deepEqual(hub.state('a'), {version: null, type: null, data: undefined});
  assert.deepEqual(hub.pending('a'), []);
  hub.submit('a', {create: {...create, data: 1}});
  assert.equal(hub.state('a').data, 1);
});

test('an op of several components of json0 that can be applied is applied once', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', start);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  const item = {n: 9};
  hub.submit('a', {
    op: [
      {p: ['list', 0], li: item},
      {p: ['list', 0, 'n'], na: 1},
      {p: ['list', 1], lm: 3},
      {p: ['text', 0], si: 'x'},
    ],
  });
  assert.deepEqual(hub.state('a').data, {
    list: [{n: 10}, {n: 2}, {n: 3}, {n: 1}],
    text: 'xabc',
    total: 0.1,
  });
  assert.deepEqual(item, {n: 9});
});

test('an op of the server that does not fit still has the document loaded anew', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', {});
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  hub.submit('a', {op: [{p: ['n'], oi: 1}]});
  await hub.told('sending');
  await call(other, 'del');
  const {error} = await hub.told('answered');
  assert.equal(error.code, 'ERR_DOC_WAS_DELETED');
});
