// ShareDB's client takes the late answer to an op that it has given up for the answer to another.
// The hub keeps such answers from it.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  call,
  converged,
  errorOf,
  holdBack,
  newBackend,
  openTabs,
  plain,
  subscribeAll,
  turns,
  until,
} from './support.mjs';

const REFUSED = {code: 'ERR_MINE', message: 'Not now'};

/** A tab and an outsider with a rich text, and the tab's op held at the server. */
async function withHeldOp() {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const [doc, outside] = await subscribeAll([tab, plain(backend)], 'things', 'one');
  await call(doc, 'create', [{insert: 'text'}], 'rich-text');
  await converged(doc, outside);
  const server = holdBack(backend);
  const given = errorOf(doc, 'submitOp', [{insert: 'one '}]);
  await until(() => server.held.length === 1);
  return {backend, tab, doc, outside, server, given};
}

/** Has the hub's connection believe that the op inflight was refused. */
async function giveUp({tab, doc, given}) {
  tab.handleMessage({a: 'op', c: 'things', d: 'one', seq: tab.seq - 1, error: REFUSED});
  assert.equal((await given).code, REFUSED.code);
  await until(() => doc.type && !doc.hasPending());
}

test('an op that was given up and is committed after all comes as an op of others', async () => {
  const {tab, doc, outside, server, given} = await withHeldOp();
  await giveUp({tab, doc, given});
  assert.deepEqual(doc.data.ops, [{insert: 'text'}]);
  server.release();
  await until(() => outside.version === 2);
  await converged(doc, outside);
  assert.deepEqual(doc.data.ops, [{insert: 'one text'}]);
  await call(doc, 'submitOp', [{insert: 'two '}]);
  await converged(doc, outside);
  assert.deepEqual(outside.data.ops, [{insert: 'two one text'}]);
});

test('the refusal of an op that was given up is that of no other op, and is told but once', async () => {
  const {tab, doc, outside, server, given} = await withHeldOp();
  await giveUp({tab, doc, given});
  const errors = [];
  doc.on('error', (error) => errors.push(error.code));
  const next = call(doc, 'submitOp', [{insert: 'two '}]);
  await until(() => server.held.length === 2);
  const [first] = server.held.splice(0, 1);
  first(REFUSED);
  await turns(10);
  server.release();
  await next;
  await converged(doc, outside);
  assert.deepEqual(outside.data.ops, [{insert: 'two text'}]);
  await turns(10);
  assert.deepEqual(errors, []);
});
