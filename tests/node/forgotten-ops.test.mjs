// The server has forgotten the ops since the version of a document that a client has: who has nothing of
// the document, or loads it anew, has what the server has.
import {answerOf, errorsOf, sameOutcome} from './clients.mjs';
import {call} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

const stateOf = ({version, type, data}) => ({version, type: type?.name ?? null, data});

/** How a call ends: `ok`, or what the error says. */
function messageOf(doc, method, ...args) {
  return call(doc, method, ...args).then(
    () => 'ok',
    ({message}) => message,
  );
}

/** A client that has `{n: 1}` at version 2, where the server has `{n: 2}` at version 3 and no ops. */
async function leftBehind(clients) {
  const outside = clients.outside.get('things', 'one');
  await call(outside, 'create', {n: 0});
  await call(outside, 'submitOp', ADD);
  const doc = (await clients.open()).get('things', 'one');
  await call(doc, 'fetch');
  await call(outside, 'submitOp', ADD);
  await call(clients.backend.db, 'deleteOps', 'things', 'one', null, null, null);
  return {doc, outside};
}

for (const ask of ['fetch', 'subscribe']) {
  sameOutcome(`another client has the document by ${ask}, and goes on`, async (clients) => {
    const {outside} = await leftBehind(clients);
    const late = (await clients.open()).get('things', 'one');
    const answer = await answerOf(late, ask);
    const loaded = structuredClone(stateOf(late));
    const edit = await answerOf(late, 'submitOp', ADD);
    await call(outside, 'fetch');
    return {answer, loaded, edit, after: stateOf(late), outside: outside.data};
  });

  sameOutcome(`another client has it by ${ask} in a bulk`, async (clients) => {
    await leftBehind(clients);
    await call(clients.outside.get('things', 'two'), 'create', {two: 2});
    const connection = await clients.open();
    const docs = ['one', 'two'].map((id) => connection.get('things', id));
    connection.startBulk();
    const answers = docs.map((doc) => answerOf(doc, ask));
    connection.endBulk();
    return {answers: await Promise.all(answers), states: docs.map(stateOf)};
  });

  // Of these, ShareDB undoes the edit, and loads the document anew after the deletion.
  for (const [what, ...op] of [
    ['an edit', 'submitOp', ADD],
    ['a deletion', 'del'],
  ]) {
    sameOutcome(
      `who has nothing of it has it by ${ask}, beside ${what} that is too late`,
      async (clients) => {
        const {doc} = await leftBehind(clients);
        const late = (await clients.open()).get('things', 'one');
        await clients.drop();
        const answers = [messageOf(doc, ...op), messageOf(late, ask)];
        await clients.quiet();
        await clients.restore();
        return {answers: await Promise.all(answers), state: stateOf(doc), late: stateOf(late)};
      },
    );
  }

  sameOutcome(`who has the document hears by ${ask} that it can't go on`, async (clients) => {
    const {doc} = await leftBehind(clients);
    return {error: await messageOf(doc, ask), state: stateOf(doc)};
  });
}

sameOutcome('an op that can not be applied has the document loaded anew', async (clients) => {
  const {doc} = await leftBehind(clients);
  const errors = errorsOf(doc);
  const isRefused = (await answerOf(doc, 'submitOp', {})) !== 'ok';
  await clients.quiet();
  return {isRefused, errors, state: stateOf(doc)};
});

sameOutcome('a creation where the document is has it loaded anew', async (clients) => {
  await leftBehind(clients);
  const doc = (await clients.open()).get('things', 'one');
  const errors = errorsOf(doc);
  const answer = await answerOf(doc, 'create', {mine: 1});
  await clients.quiet();
  return {answer, errors, state: stateOf(doc)};
});
