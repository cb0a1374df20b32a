// What becomes of an op that a client makes on a state that others have changed since, of which it has
// not heard: each kind of op, after each thing that others may have done.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answerOf, Clients, errorsOf, sameOutcome} from './clients.mjs';
import {call, errorOf, until} from './support.mjs';

const TEXT = 'http://sharejs.org/types/JSONv0';
const RICH = 'http://sharejs.org/types/rich-text/v1';

const stateOf = ({type, data}) => ({type: type?.name ?? null, data: structuredClone(data)});

/** What the stale client does. */
const ops = {
  edit: (doc) => [answerOf(doc, 'submitOp', [{p: ['mine'], oi: 1}])],
  'an edit of what may be gone': (doc) => [answerOf(doc, 'submitOp', [{p: ['list', 0], ld: 'a'}])],
  nothing: (doc) => [answerOf(doc, 'submitOp', [])],
  del: (doc) => [answerOf(doc, 'del')],
  'del and create': (doc) => [answerOf(doc, 'del'), answerOf(doc, 'create', {mine: 2})],
};
const creations = {
  create: (doc) => [answerOf(doc, 'create', {mine: 2})],
  'create and edit': (doc) => [
    answerOf(doc, 'create', {mine: 2}),
    answerOf(doc, 'submitOp', [{p: ['more'], oi: 1}]),
  ],
  'create and del': (doc) => [answerOf(doc, 'create', {mine: 2}), answerOf(doc, 'del')],
};

const edit = (doc) => call(doc, 'submitOp', [{p: ['list', 0], ld: 'a'}]);
const nothing = (doc) => call(doc, 'submitOp', []);
const del = (doc) => call(doc, 'del');
const create = (doc) => call(doc, 'create', {theirs: 3}, TEXT);
const createRich = (doc) => call(doc, 'create', [{insert: 'theirs'}], RICH);

/** What others have done meanwhile, to a document that there is and to one that there is not. */
const since = {
  'an edit': [edit],
  'a no-op': [nothing],
  'a deletion': [del],
  'a deletion and a creation': [del, create],
  'a creation of another type': [del, createRich],
  'an edit, a deletion and a creation': [edit, del, create],
  'a creation that was deleted again': [del, create, del],
};
const sinceNone = {
  'a creation': [create],
  'a creation of another type': [createRich],
  'a creation that was deleted': [create, del],
  'a creation that was deleted, and another': [create, del, create],
};

/** How the stale client comes by its state: before the others act, or from elsewhere after that. */
const sources = {
  'that it has fetched': {before: (doc) => call(doc, 'fetch')},
  'that it ingests': {after: (doc, old) => doc.ingestSnapshot(old)},
};

function compare(sinceName, steps, opName, submit, base, source) {
  const {before, after} = sources[source];
  for (const who of ['nobody beside it', 'a sibling that follows', 'a sibling that does it']) {
    const name = `${opName} on a state ${source}, after ${sinceName}, with ${who}`;
    sameOutcome(name, async (clients) => {
      const outside = clients.outside.get('things', 'one');
      if (base) await call(outside, 'create', base);
      else await call(outside, 'fetch');
      const old = base && structuredClone(outside.toSnapshot());
      const doc = (await clients.open()).get('things', 'one');
      let sibling;
      if (who !== 'nobody beside it') {
        sibling = (await clients.open()).get('things', 'one');
        await call(sibling, 'subscribe');
      }
      await before?.(doc);
      errorsOf(doc);
      const actor = who === 'a sibling that does it' ? sibling : outside;
      for (const step of steps) await step(actor);
      await call(outside, 'fetch');
      await until(() => !sibling || sibling.version === outside.version);
      after?.(doc, old);
      const answers = await Promise.all(submit(doc));
      await call(outside, 'fetch');
      await call(doc, 'fetch');
      await clients.quiet();
      const docs = [outside, doc, ...(sibling ? [sibling] : [])];
      return {answers, states: docs.map(stateOf)};
    });
  }
}

for (const [opName, submit] of Object.entries(ops)) {
  for (const [sinceName, steps] of Object.entries(since)) {
    for (const source of Object.keys(sources)) {
      compare(sinceName, steps, opName, submit, {list: ['a', 'b']}, source);
    }
  }
}
for (const [opName, submit] of Object.entries(creations)) {
  for (const [sinceName, steps] of Object.entries(sinceNone)) {
    compare(sinceName, steps, opName, submit, undefined, 'that it has fetched');
  }
}

/** A sibling's op that the server refuses when `refuse` is called. */
async function attempted(clients, attempt) {
  const [doc, sibling] = [
    (await clients.open()).get('things', 'one'),
    (await clients.open()).get('things', 'one'),
  ];
  await call(sibling, 'subscribe');
  await call(doc, 'fetch');
  errorsOf(doc);
  errorsOf(sibling);
  let refuse;
  clients.backend.use('submit', (_context, next) => {
    if (refuse) return next();
    refuse = () => next(new Error('refused'));
  });
  const answer = attempt(sibling, doc);
  await until(() => refuse);
  return {doc, sibling, answer, refuse};
}

/** What becomes of an op when another of a sibling is refused, to a document that there is or is not. */
function compareRefused(opName, submit, theirName, theirs, base) {
  for (const when of ['after', 'before']) {
    sameOutcome(`${opName} ${when} ${theirName} of a sibling is refused`, async (clients) => {
      const outside = clients.outside.get('things', 'one');
      if (base) await call(outside, 'create', base);
      const {doc, sibling, answer, refuse} = await attempted(clients, theirs);
      if (when === 'after') {
        refuse();
        await answer;
        await clients.quiet();
      }
      const answers = submit(doc);
      await clients.quiet();
      if (when === 'before') refuse();
      await answer;
      const all = await Promise.all(answers);
      await call(outside, 'fetch');
      await call(doc, 'fetch');
      await clients.quiet();
      return {answers: all, states: [outside, doc, sibling].map(stateOf)};
    });
  }
}

for (const [opName, submit] of Object.entries(ops)) {
  const edits = (doc) => answerOf(doc, 'submitOp', [{p: ['theirs'], oi: 1}]);
  compareRefused(opName, submit, 'an edit', edits, {list: ['a']});
  compareRefused(opName, submit, 'a deletion', (doc) => answerOf(doc, 'del'), {list: ['a']});
}
for (const [opName, submit] of Object.entries(creations)) {
  const creates = (doc) => answerOf(doc, 'create', {theirs: 1});
  compareRefused(opName, submit, 'a creation', creates, undefined);
}

for (const transport of ['direct', 'message-port']) {
  test(`a deletion beside that of a sibling is answered as that is: ${transport}`, async () => {
    const clients = new Clients(transport);
    await call(clients.outside.get('things', 'one'), 'create', {list: ['a']});
    let own;
    const {doc, sibling, answer, refuse} = await attempted(clients, async (sibling, doc) => {
      await call(doc, 'subscribe');
      own = errorOf(doc, 'del');
      return errorOf(sibling, 'del');
    });
    await clients.quiet();
    refuse();
    for (const error of [await answer, await own]) assert.equal(error?.message, 'refused');
    await until(() => [doc, sibling].every(({data}) => data?.list));
  });
}
