import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answerOf, Clients, errorsOf, sameOutcome} from './clients.mjs';
import {call} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

const stateOf = ({subscribed, wantSubscribe, version, data}) => ({
  subscribed,
  wantSubscribe,
  version,
  data: structuredClone(data),
});

/** Two clients that are subscribed to some documents, and the same documents of another. */
async function subscribers(clients, count) {
  const ids = Array.from({length: count}, (_, at) => String(at));
  const others = ids.map((id) => clients.outside.get('things', id));
  for (const other of others) await call(other, 'create', {n: 0});
  const docs = [];
  const errors = [];
  for (let at = 0; at < 2; at++) {
    const connection = await clients.open();
    for (const id of ids) {
      const doc = connection.get('things', id);
      await call(doc, 'subscribe');
      docs.push(doc);
      errors.push(errorsOf(doc));
    }
  }
  return {others, docs, errors};
}

for (const count of [1, 3]) {
  const what = count === 1 ? 'a subscription' : 'subscriptions in bulk';
  sameOutcome(`${what} that the server refuses after a reconnect`, async (clients) => {
    const {others, docs, errors} = await subscribers(clients, count);
    await clients.drop();
    for (const other of others) await call(other, 'submitOp', ADD);
    const whileAway = docs.map(stateOf);
    clients.refuse(['s', 'bs']);
    await clients.restore();
    const refused = docs.map(stateOf);
    const late = (await clients.open()).get('things', '0');
    const lateErrors = errorsOf(late);
    const answer = await answerOf(late, 'subscribe');
    const shown = stateOf(late);
    clients.allow();
    await clients.drop();
    await clients.restore();
    for (const other of others) await call(other, 'submitOp', ADD);
    await clients.quiet();
    const regained = [...docs, late].map(stateOf);
    assert.ok(regained.every(({subscribed, data}) => subscribed && data.n === 2));
    return {whileAway, refused, answer, shown, regained, errors, lateErrors};
  });
}

sameOutcome('who subscribes once the server allows it again is up to date', async (clients) => {
  const {others, docs, errors} = await subscribers(clients, 1);
  await clients.drop();
  await call(others[0], 'submitOp', ADD);
  clients.refuse(['s', 'bs']);
  await clients.restore();
  const refused = await answerOf(docs[0], 'subscribe');
  clients.allow();
  const allowed = await answerOf(docs[0], 'subscribe');
  const late = (await clients.open()).get('things', '0');
  const answer = await answerOf(late, 'subscribe');
  await call(others[0], 'submitOp', ADD);
  await clients.quiet();
  return {refused, allowed, answer, states: [docs[0], late].map(stateOf), errors};
});

sameOutcome('with access revoked nothing is shown to a client that is new', async (clients) => {
  const {docs} = await subscribers(clients, 1);
  await clients.drop();
  clients.refuse(['s', 'bs', 'f', 'bf', 'qf', 'qs']);
  await clients.restore();
  const connection = await clients.open();
  const late = connection.get('things', '0');
  const answers = [
    await answerOf(late, 'subscribe'),
    await answerOf(late, 'fetch'),
    await answerOf(connection, 'createFetchQuery', 'things', {}, {}),
    await answerOf(docs[0], 'fetch'),
  ];
  return {answers, states: [...docs, late].map(stateOf)};
});

sameOutcome('a server that refuses in silence', async (clients) => {
  const {others, docs, errors} = await subscribers(clients, 1);
  await clients.drop();
  clients.refuse(['s', 'bs'], 'ERR_SNAPSHOT_READ_SILENT_REJECTION');
  await clients.restore();
  const refused = docs.map(stateOf);
  clients.allow();
  await clients.drop();
  await clients.restore();
  await call(others[0], 'submitOp', ADD);
  await clients.quiet();
  return {refused, later: docs.map(stateOf), errors};
});

sameOutcome('what was asked while the server was away ends with the refusal', async (clients) => {
  const {docs, errors} = await subscribers(clients, 1);
  await clients.drop();
  clients.refuse(['s', 'bs', 'f', 'bf']);
  const asked = answerOf(docs[0], 'fetch');
  await clients.restore();
  return {answer: await asked, states: docs.map(stateOf), errors};
});

for (const transport of ['direct', 'message-port']) {
  test(`a tab over ${transport} that comes while the server is away has what its siblings have, and hears of a refusal`, async () => {
    const clients = new Clients(transport);
    const {docs} = await subscribers(clients, 1);
    await clients.drop();
    clients.refuse(['s', 'bs', 'f', 'bf']);
    const late = (await clients.openDropped()).get('things', '0');
    const errors = errorsOf(late);
    assert.equal(await answerOf(late, 'subscribe'), 'ok');
    assert.deepEqual([late.data, late.subscribed, errors], [docs[0].data, false, []]);
    await clients.restore();
    await clients.quiet();
    assert.deepEqual([late.subscribed, errors], [false, ['ERR_TEST_REFUSED']]);
  });
}

sameOutcome('a client that asks twice, and is refused, stays subscribed', async (clients) => {
  const {others, docs, errors} = await subscribers(clients, 1);
  clients.refuse(['s', 'bs']);
  const answer = await answerOf(docs[0], 'subscribe');
  await call(others[0], 'submitOp', ADD);
  await clients.quiet();
  return {answer, states: docs.map(stateOf), errors};
});

sameOutcome(
  'a client that gave up a refused subscription does not get it back',
  async (clients) => {
    const {others, docs} = await subscribers(clients, 1);
    await clients.drop();
    clients.refuse(['s', 'bs']);
    await clients.restore();
    await call(docs[0], 'unsubscribe');
    clients.allow();
    await clients.drop();
    await clients.restore();
    await call(others[0], 'submitOp', ADD);
    await clients.quiet();
    return docs.map(stateOf);
  },
);

sameOutcome('a subscribed query that the server refuses after a reconnect', async (clients) => {
  await call(clients.outside.get('things', '0'), 'create', {n: 0});
  const events = [];
  const queries = [];
  const ask = async () => {
    const connection = await clients.open();
    const answer = new Promise((resolve) => {
      const query = connection.createSubscribeQuery('things', {}, {}, (error, results) => {
        resolve(error ? error.code : results.map(({data}) => structuredClone(data)));
      });
      const seen = errorsOf(query);
      query.on('ready', () => seen.push('ready'));
      queries.push(query);
      events.push(seen);
    });
    return answer;
  };
  const answers = [await ask(), await ask()];
  await clients.drop();
  clients.refuse(['qs']);
  await clients.restore();
  answers.push(await ask());
  await call(clients.outside.get('things', '0'), 'submitOp', ADD);
  await clients.quiet();
  const stale = queries.map(({results}) => results?.map(({data}) => structuredClone(data)));
  clients.allow();
  answers.push(await ask());
  await call(clients.outside.get('things', '0'), 'submitOp', ADD);
  await clients.quiet();
  return {answers, events, stale, last: queries.at(-1).results.map(({data}) => data)};
});

sameOutcome('who asks a query while its answer after a reconnect is due', async (clients) => {
  await call(clients.outside.get('things', '0'), 'create', {n: 0});
  const first = await clients.open();
  await answerOf(first, 'createSubscribeQuery', 'things', {}, {});
  const second = await clients.open();
  await clients.drop();
  await call(clients.outside.get('things', '0'), 'submitOp', ADD);
  await call(clients.outside.get('things', '1'), 'create', {n: 5});
  let found;
  second.createSubscribeQuery('things', {}, {}, (_error, results) => {
    found = results.map(({data}) => structuredClone(data));
  });
  await clients.quiet();
  const whileAway = found;
  await clients.restore();
  return {whileAway, found};
});

// ShareDB takes a refused subscription to presence for one all the same, so only the answers compare.
sameOutcome('presence whose subscription is refused after a reconnect', async (clients) => {
  const presences = [];
  for (let at = 0; at < 2; at++) presences.push((await clients.open()).getPresence('room'));
  const errors = presences.map(errorsOf);
  for (const presence of presences) await call(presence, 'subscribe');
  const other = clients.outside.getPresence('room').create('other');
  await clients.drop();
  clients.refuse(['ps']);
  await clients.restore();
  await call(other, 'submit', 1);
  await clients.quiet();
  const late = (await clients.open()).getPresence('room');
  const answer = await answerOf(late, 'subscribe');
  const seen = [...presences, late].map(({remotePresences}) => ({...remotePresences}));
  clients.allow();
  await clients.drop();
  await clients.restore();
  await call(other, 'submit', 2);
  await clients.quiet();
  const later = [...presences, late].map(({remotePresences}) => ({...remotePresences}));
  return {errors, answer, seen, later};
});
