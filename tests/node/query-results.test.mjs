import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answerOf, Clients, sameOutcome} from './clients.mjs';
import {call, until} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

const stateOf = ({version, data}) => ({version, data: structuredClone(data)});

/** Asks for all documents; the query, and what it finds. */
function ask(connection, method) {
  let query;
  const found = new Promise((resolve) => {
    query = connection[method]('things', {}, {}, (_error, results) => resolve(results));
  });
  return {query, found};
}

async function withDocs(clients, count) {
  const others = [];
  for (let at = 0; at < count; at++) {
    others.push(clients.outside.get('things', String(at)));
    await call(others[at], 'create', {n: at});
  }
  return others;
}

for (const method of ['createFetchQuery', 'createSubscribeQuery']) {
  for (const hold of ['fetch', 'subscribe']) {
    sameOutcome(
      `a document that is destroyed before ${method} finds it: ${hold}`,
      async (clients) => {
        const [, other] = await withDocs(clients, 3);
        const connection = await clients.open();
        const doc = connection.get('things', '1');
        await call(doc, hold);
        const {query, found} = ask(connection, method);
        const destroyed = call(doc, 'destroy');
        const results = await found;
        const states = results.map(stateOf);
        await destroyed;
        await call(other, 'submitOp', ADD);
        await clients.quiet();
        const later = results.map(stateOf);
        const again = results.find(({id}) => id === '1');
        const answer = await answerOf(again, 'submitOp', ADD);
        const isSame = again === doc;
        query.destroy();
        return {states, later, answer, isSame, after: stateOf(again)};
      },
    );

    sameOutcome(
      `a document that is destroyed and taken again under ${method}: ${hold}`,
      async (clients) => {
        const [, other] = await withDocs(clients, 2);
        const connection = await clients.open();
        const doc = connection.get('things', '1');
        await call(doc, hold);
        const {query, found} = ask(connection, method);
        await call(doc, 'destroy');
        const again = connection.get('things', '1');
        const results = await found;
        await call(other, 'submitOp', ADD);
        await call(again, 'fetch');
        const states = [...results, again].map(stateOf);
        query.destroy();
        return {states, answer: await answerOf(again, 'submitOp', ADD)};
      },
    );
  }
}

sameOutcome(
  'a document that is destroyed before a subscribed query finds it anew',
  async (clients) => {
    const [other] = await withDocs(clients, 2);
    const connection = await clients.open();
    const doc = connection.get('things', '0');
    await call(doc, 'fetch');
    const {query, found} = ask(connection, 'createSubscribeQuery');
    await found;
    await call(other, 'del');
    await clients.quiet();
    const inserted = new Promise((resolve) => query.once('insert', resolve));
    const destroyed = call(doc, 'destroy');
    await call(other, 'create', {n: 7});
    const states = (await inserted).map(stateOf);
    await destroyed;
    await clients.quiet();
    return {states, later: query.results.map(stateOf)};
  },
);

sameOutcome(
  'documents that are destroyed one after the other while queries find them',
  async (clients) => {
    await withDocs(clients, 6);
    const connection = await clients.open();
    const lacking = [];
    for (let round = 0; round < 30; round++) {
      const doc = connection.get('things', String(round % 6));
      if (round % 3 > 0) await call(doc, 'fetch');
      const {found} = ask(connection, 'createFetchQuery');
      doc.destroy();
      if (round % 2) connection.get('things', String((round + 1) % 6)).destroy();
      for (const it of await found) if (it.data?.n !== Number(it.id)) lacking.push([round, it.id]);
    }
    return lacking;
  },
);

sameOutcome(
  'results whose creation offline is refused have the data of the others',
  async (clients) => {
    const [first, second] = [await clients.open(), await clients.open()];
    await call(first.get('things', '0'), 'create', {n: 0});
    await clients.drop();
    const {found} = ask(second, 'createSubscribeQuery');
    const states = found.then((results) => results.map(stateOf));
    const doc = second.get('things', '0');
    const fetched = answerOf(doc, 'fetch');
    const created = answerOf(doc, 'create', {n: 1});
    await clients.restore();
    return {states: await states, fetched: await fetched, created: await created};
  },
);

sameOutcome(
  'results that wait for a paused creation wait on when the connection is lost',
  async (clients) => {
    await withDocs(clients, 1);
    const connection = await clients.open();
    const doc = connection.get('things', '0');
    doc.pause();
    const created = answerOf(doc, 'create', {n: 1});
    const {query} = ask(connection, 'createSubscribeQuery');
    await clients.quiet();
    await clients.drop();
    await clients.quiet();
    const whileAway = query.ready;
    const ready = new Promise((resolve) => query.once('ready', resolve));
    await clients.restore();
    doc.resume();
    await ready;
    return {whileAway, states: query.results.map(stateOf), created: await created};
  },
);

sameOutcome(
  'results that wait for a paused creation wait on when a fetch is refused',
  async (clients) => {
    await withDocs(clients, 2);
    const connection = await clients.open();
    const doc = connection.get('things', '0');
    doc.pause();
    const created = answerOf(doc, 'create', {n: 1});
    const {query, found} = ask(connection, 'createSubscribeQuery');
    await clients.quiet();
    clients.refuse(['f']);
    const fetched = await answerOf(doc, 'fetch');
    const whileRefused = query.ready;
    clients.allow();
    doc.resume();
    const states = (await found).map(stateOf);
    return {fetched, whileRefused, states, created: await created};
  },
);

for (const transport of ['direct', 'message-port']) {
  test(`documents that are destroyed while they are fetched in bulk have their data: ${transport}`, async () => {
    const clients = new Clients(transport);
    await withDocs(clients, 2);
    const connection = await clients.open();
    const docs = ['0', '1'].map((id) => connection.get('things', id));
    const fetched = call(connection, 'getBulk', 'things', ['0', '1']);
    let destroyed = 0;
    for (const doc of docs) doc.destroy(() => destroyed++);
    const states = (await fetched).map(stateOf);
    assert.deepEqual(states, [
      {version: 1, data: {n: 0}},
      {version: 1, data: {n: 1}},
    ]);
    await until(() => destroyed === 2);
    assert.equal(connection.getExisting('things', '0'), undefined);
  });
}
