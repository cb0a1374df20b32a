import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import {sameAsShareDB} from './recorder.mjs';
import {call, converged, drained, errorOf, newBackend, openTabs, turns, until} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

sameAsShareDB(
  'ops that listeners submit in the midst of a larger op',
  async ({app, doc, outside}) => {
    await app.call('subscribe');
    await app.call('create', {n: 0, list: ['a', 'b']});
    await call(outside, 'fetch');
    let times = 0;
    for (const event of ['before op', 'op']) {
      doc.on(event, (_op, source) => {
        if (source || times >= 4) return;
        times += 1;
        doc.submitOp([{p: ['list', 0], li: `${event} ${times}`}]);
      });
    }
    const theirs = [{p: ['list', 1], li: 'x'}, {p: ['list', 2], li: 'y'}, ...ADD];
    await call(outside, 'submitOp', theirs);
    await turns(10);
    await drained(doc.connection);
    await call(outside, 'fetch');
    await converged(doc, outside);
    assert.equal(times, 4);
  },
);

sameAsShareDB('a document that a listener creates when it is deleted', async (all) => {
  const {app, doc, outside} = all;
  await app.call('subscribe');
  await app.call('create', {n: 0});
  await call(outside, 'fetch');
  doc.once('del', () => doc.create({n: 9}));
  await call(outside, 'del');
  await until(() => doc.data?.n === 9 && !doc.hasPending());
});

for (const [event, own, theirs] of [
  ['create', 1, 3],
  ['before op batch', 1, 2],
  ['before op', 1, 2],
  ['op', 1, 2],
  ['op batch', 1, 2],
  ['del', 1, 2],
]) {
  for (const [whose, nth] of [
    ['an own', own],
    ["another client's", theirs],
  ]) {
    sameAsShareDB(
      `a listener of "${event}" that throws at ${whose} op does what it does in ShareDB`,
      async ({app, doc, outside, connection}) => {
        let times = 0;
        doc.on(event, () => {
          times += 1;
          if (times === nth) throw new Error('the listener threw');
        });
        await app.call('subscribe');
        for (const args of [
          ['create', {n: 0, m: 0}],
          ['submitOp', ADD],
          ['del'],
          ['create', {n: 1, m: 1}],
        ]) {
          await app.call(...args);
        }
        await errorOf(outside, 'fetch');
        for (const args of [
          ['submitOp', [...ADD, {p: ['m'], na: 1}]],
          ['del'],
          ['create', {n: 2}],
        ]) {
          await errorOf(outside, ...args);
          await turns(10);
          await drained(connection);
        }
        await app.call('submitOp', ADD);
        await errorOf(outside, 'fetch');
        assert.equal(times >= nth, true);
        await converged(doc, outside);
      },
    );
  }
}

sameAsShareDB(
  'a callback that throws is an error of the connection, and the document goes on',
  async ({app, doc, connection, thrown}) => {
    await app.call('subscribe');
    for (const [method, ...args] of [
      ['fetch'],
      ['create', {n: 0}],
      ['submitOp', ADD],
      ['unsubscribe'],
    ]) {
      const heard = once(connection, 'error');
      doc[method](...args, () => {
        throw new Error(`thrown after ${method}`);
      });
      await heard;
    }
    await app.call('submitOp', ADD);
    assert.equal(thrown.length, 4);
  },
  // ShareDB leaves them out after a callback that throws.
  (log) => log.filter(({what}) => !what.endsWith('pending')),
);

test('a listener of "load" that throws is an error of the connection, and the request is answered', async () => {
  const [connection] = openTabs(newBackend(), 1);
  const doc = connection.get('things', 'one');
  doc.on('load', () => {
    throw new Error('the listener threw');
  });
  const heard = once(connection, 'error');
  await call(doc, 'subscribe');
  assert.equal((await heard)[0].message, 'the listener threw');
  await call(doc, 'create', {n: 0});
  await call(doc, 'submitOp', ADD);
  assert.deepEqual([doc.version, doc.data], [2, {n: 1}]);
});
