import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answerOf, Clients, errorsOf, sameOutcome} from './clients.mjs';
import {call, turns, until} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

const stateOf = ({version, type, data}) => ({
  version,
  type: type?.name ?? null,
  data: structuredClone(data),
});

/** What is refused, on what there is before. */
const refusals = [
  ['a creation', undefined, (doc) => answerOf(doc, 'create', {n: 1})],
  ['a deletion', {n: 0}, (doc) => answerOf(doc, 'del')],
  ['an edit that can be undone', {n: 0}, (doc) => answerOf(doc, 'submitOp', ADD)],
  [
    'several ops',
    {n: 0},
    (doc) =>
      Promise.all([
        answerOf(doc, 'submitOp', ADD),
        answerOf(doc, 'del'),
        answerOf(doc, 'create', {n: 5}),
      ]),
  ],
];

for (const ask of ['fetch', 'subscribe']) {
  for (const [what, data, submit] of refusals) {
    const name = `${what} is refused after a ${ask}, and the reload fails`;
    sameOutcome(name, async (clients) => {
      const outside = clients.outside.get('things', 'one');
      if (data) await call(outside, 'create', data);
      const doc = (await clients.open()).get('things', 'one');
      await call(doc, ask);
      const errors = errorsOf(doc);
      clients.refuse(['op', 'f', 's']);
      const answer = await submit(doc);
      await clients.quiet();
      const refused = stateOf(doc);
      const again = await answerOf(doc, 'fetch');
      clients.allow();
      const allowed = await answerOf(doc, 'fetch');
      const loaded = stateOf(doc);
      const next = doc.type
        ? await answerOf(doc, 'submitOp', ADD)
        : await answerOf(doc, 'create', {n: 7});
      await call(outside, 'fetch');
      return {answer, refused, again, allowed, loaded, next, after: stateOf(doc), errors};
    });
  }
}

sameOutcome('a creation after one that was refused and a reload that failed', async (clients) => {
  const outside = clients.outside.get('things', 'one');
  const doc = (await clients.open()).get('things', 'one');
  await call(doc, 'subscribe');
  const errors = errorsOf(doc);
  clients.refuse(['op', 'f']);
  const refused = await answerOf(doc, 'create', {n: 1});
  clients.allow();
  const answer = await answerOf(doc, 'create', {n: 2});
  await call(outside, 'fetch');
  return {refused, answer, states: [doc, outside].map(stateOf), errors};
});

sameOutcome('a creation after a bad op and a reload that failed', async (clients) => {
  const doc = (await clients.open()).get('things', 'one');
  await call(doc, 'create', {n: 1});
  const errors = errorsOf(doc);
  clients.refuse(['f']);
  const failed = await answerOf(doc, 'submitOp', {});
  clients.allow();
  const answer = await answerOf(doc, 'create', {n: 2});
  return {failed, answer, state: stateOf(doc), errors};
});

sameOutcome('a reload that the server refuses in silence', async (clients) => {
  const doc = (await clients.open()).get('things', 'one');
  await call(doc, 'subscribe');
  const errors = errorsOf(doc);
  clients.refuse(['f'], 'ERR_SNAPSHOT_READ_SILENT_REJECTION');
  clients.refuse(['op']);
  const answer = await answerOf(doc, 'create', {n: 1});
  await clients.quiet();
  return {answer, state: stateOf(doc), errors};
});

for (const [what, data, submit] of [
  ['a creation', undefined, (doc) => doc.create({n: 1})],
  ['a deletion', {n: 0}, (doc) => doc.del()],
  ['an edit', {n: 0}, (doc) => doc.submitOp(ADD)],
]) {
  sameOutcome(`${what} is refused of a document that is to be destroyed`, async (clients) => {
    if (data) await call(clients.outside.get('things', 'one'), 'create', data);
    const doc = (await clients.open()).get('things', 'one');
    await call(doc, 'fetch');
    const told = [];
    doc.on('error', ({code}) => told.push(code));
    doc.on('destroy', () => told.push('destroyed'));
    clients.refuse(['op']);
    submit(doc);
    doc.destroy();
    await clients.quiet();
    return told;
  });
}

for (const transport of ['direct', 'message-port']) {
  test(`a sibling does not show what was refused, if the reload fails: ${transport}`, async () => {
    const clients = new Clients(transport);
    const docs = [];
    for (let at = 0; at < 2; at++) docs.push((await clients.open()).get('things', 'one'));
    for (const doc of docs) await call(doc, 'subscribe');
    const errors = docs.map(errorsOf);
    clients.refuse(['f']);
    let refuse;
    clients.backend.use('submit', (_context, next) => {
      refuse = () => next(new Error('refused'));
    });
    const answer = answerOf(docs[0], 'create', {n: 1});
    await until(() => docs[1].data?.n === 1 && refuse);
    refuse();
    await answer;
    await turns(60);
    for (const doc of docs) assert.deepEqual(stateOf(doc), stateOf({version: null}));
    const told = ['ERR_HARD_ROLLBACK_FETCH_FAILED'];
    assert.deepEqual(errors, [told, told]);
    const late = (await clients.open()).get('things', 'one');
    assert.equal(await answerOf(late, 'fetch'), 'ERR_TEST_REFUSED');
    assert.deepEqual(stateOf(late), stateOf({version: null}));

    clients.allow();
    clients.backend.middleware.submit.length = 0;
    await call(clients.outside.get('things', 'one'), 'create', {n: 3});
    await until(() => docs.every(({data}) => data?.n === 3));
  });
}
