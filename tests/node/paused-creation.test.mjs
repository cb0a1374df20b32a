// A creation that waits since its document is paused, while others have the document or get it: they are
// of no account until the server has the creation.
import {answerOf, errorsOf, sameOutcome} from './clients.mjs';
import {call} from './support.mjs';

const stateOf = ({version, type, data, subscribed}) => ({
  version,
  type: type?.name ?? null,
  data: structuredClone(data),
  subscribed,
});

const CREATES = ['create', {theirs: 1}];
const EDITS = ['submitOp', [{p: ['theirs'], na: 1}]];
const DELETES = ['del'];

const COURSES = [
  {name: 'others have', before: [CREATES], after: []},
  {name: 'others have and edit', before: [CREATES], after: [EDITS]},
  {name: 'others have and delete', before: [CREATES], after: [DELETES]},
  {name: 'others have, delete and create anew', before: [CREATES], after: [DELETES, CREATES]},
  {name: 'others have deleted', before: [CREATES, DELETES], after: []},
  {name: 'others create', before: [], after: [CREATES]},
  {name: 'others create and delete', before: [], after: [CREATES, DELETES]},
];

for (const {name, before, after} of COURSES) {
  for (const ask of ['fetch', 'subscribe']) {
    sameOutcome(`a paused creation of a document that ${name}, after a ${ask}`, async (clients) => {
      const outside = clients.outside.get('things', 'one');
      for (const step of before) await call(outside, ...step);
      const doc = (await clients.open()).get('things', 'one');
      const errors = errorsOf(doc);
      doc.pause();
      const creation = answerOf(doc, 'create', {mine: 1});
      const asked = answerOf(doc, ask);
      await clients.quiet();
      for (const step of after) await call(outside, ...step);
      await clients.quiet();
      const waiting = stateOf(doc);
      doc.resume();
      const answers = [await creation, await asked];
      await clients.quiet();
      await call(outside, 'fetch');
      return {waiting, answers, errors, state: stateOf(doc), outside: outside.data};
    });
  }
}

const ASKS = {
  fetch: (doc) => answerOf(doc, 'fetch'),
  subscribe: (doc) => answerOf(doc, 'subscribe'),
  query: ({connection, collection}) =>
    new Promise((resolve) => {
      connection.createSubscribeQuery(collection, {}, null, (error) =>
        resolve(error?.code ?? 'ok'),
      );
    }),
};

for (const [ask, answerOfIt] of Object.entries(ASKS)) {
  sameOutcome(
    `a paused creation that others are first with, heard of by a ${ask}`,
    async (clients) => {
      const doc = (await clients.open()).get('things', 'one');
      await call(doc, 'fetch');
      doc.pause();
      const creation = answerOf(doc, 'create', {mine: 1});
      const outside = clients.outside.get('things', 'one');
      await call(outside, 'create', {theirs: 1});
      const errors = errorsOf(doc);
      const asked = await answerOfIt(doc);
      doc.resume();
      return {asked, creation: await creation, errors, state: stateOf(doc)};
    },
  );
}
