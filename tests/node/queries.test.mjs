import assert from 'node:assert/strict';
import {test} from 'node:test';
import Backend from 'sharedb';
import {
  CODECS,
  call,
  openDroppable,
  openTabs,
  plain,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

/** Finds the documents with `n` of at least `min`, the smallest first, and says how many they are. */
class Numbers extends Backend.MemoryDB {
  _querySync(snapshots, {min, broken}) {
    if (broken) throw new Error('the index is broken');
    const found = snapshots.filter(({data}) => data?.n >= min).sort((a, b) => a.data.n - b.data.n);
    return {snapshots: found, extra: {count: found.length}};
  }
}

const ALL = {min: 0};

/** A server with a document for each name, and a client that made them. */
async function newNumbers(numbers) {
  const backend = new Backend({db: new Numbers()});
  const asked = [];
  backend.use('query', ({query}, next) => {
    asked.push(query);
    next();
  });
  const outside = plain(backend);
  for (const [id, n] of Object.entries(numbers)) {
    await call(outside.get('things', id), 'create', {n});
  }
  return {backend, outside, asked};
}

/** A query of this connection that has its results. */
function ready(connection, query, kind = 'createSubscribeQuery') {
  return new Promise((resolve, reject) => {
    const asked = connection[kind]('things', query, null, (error) =>
      error ? reject(error) : resolve(asked),
    );
  });
}

const idsOf = (docs) => docs?.map(({id}) => id).join(' ');

/** What a query tells of its results from here on. */
function logOf(query) {
  const log = [];
  query.on('insert', (docs, at) => log.push(['insert', idsOf(docs), at]));
  query.on('remove', (docs, at) => log.push(['remove', idsOf(docs), at]));
  query.on('move', (docs, from, to) => log.push(['move', idsOf(docs), from, to]));
  query.on('changed', (docs) => log.push(['changed', idsOf(docs)]));
  query.on('extra', (extra) => log.push(['extra', extra]));
  return log;
}

/** How many queries the server keeps up to date for the hub of this tab. */
function upstreamQueries(tab) {
  return Object.keys(tab.agent.subscribedQueries).length;
}

function add(n) {
  return [{p: ['n'], na: n}];
}

for (const transport of TRANSPORTS) {
  for (const codec of CODECS) {
    test(`tabs over ${transport} in ${codec} follow one query as clients follow theirs`, async () => {
      const {backend, outside, asked} = await newNumbers({a: 1, b: 2, c: 3});
      const tabs = openTabs(backend, 2, {transport, codec});
      const queries = await Promise.all(tabs.map((tab) => ready(tab, ALL)));
      assert.equal(asked.length, 1);
      queries.push(await ready(plain(backend), ALL));
      const logs = queries.map(logOf);
      const become = (ids) =>
        until(
          () => queries.every(({results}) => idsOf(results) === ids),
          () => `not all are ${ids}: ${queries.map(({results}) => idsOf(results)).join('; ')}`,
        );
      await become('a b c');

      await call(outside.get('things', 'a'), 'submitOp', add(9));
      await become('b c a');
      await call(tabs[0].get('things', 'new'), 'create', {n: 2.5});
      await become('b new c a');
      await call(outside.get('things', 'c'), 'del');
      await become('b new a');
      await call(tabs[1].get('things', 'b'), 'submitOp', add(-5));
      await become('new a');
      await until(() => queries.every(({extra}) => extra.count === 2));
      const kinds = new Set(logs[2].map(([event]) => event));
      assert.deepEqual([...kinds].sort(), ['changed', 'extra', 'insert', 'move', 'remove']);
      assert.deepEqual(logs[0], logs[2]);
      assert.deepEqual(logs[1], logs[2]);
      for (const [at, tab] of tabs.entries()) {
        for (const doc of queries[at].results) assert.equal(doc, tab.get('things', doc.id));
        assert.deepEqual(
          queries[at].results.map(({data}) => data.n),
          [2.5, 10],
        );
      }
      assert.equal(upstreamQueries(tabs[0]), 1);
    });
  }
}

test('a tab that asks what a sibling follows has the results without the server', async () => {
  const {backend, asked} = await newNumbers({a: 1, b: 2});
  const {tabs} = await openDroppable(backend);
  const first = await ready(tabs[0], ALL);
  const second = await ready(tabs[1], ALL);
  assert.equal(asked.length, 1);
  assert.equal(idsOf(second.results), 'a b');
  assert.deepEqual(
    second.results.map(({data, version}) => [data.n, version]),
    [
      [1, 1],
      [2, 1],
    ],
  );
  assert.notEqual(second.results[0], first.results[0]);
  assert.deepEqual(second.extra, {count: 2});
});

test('queries that ask something else, or are not followed, are asked on their own', async () => {
  const {backend, asked} = await newNumbers({a: 1, b: 2});
  const tabs = openTabs(backend, 2);
  const queries = [
    await ready(tabs[0], ALL),
    await ready(tabs[1], {min: 2}),
    await ready(tabs[0], ALL, 'createFetchQuery'),
    await ready(tabs[1], ALL, 'createFetchQuery'),
  ];
  assert.deepEqual(asked, [ALL, {min: 2}, ALL, ALL]);
  assert.deepEqual(
    queries.map(({results}) => idsOf(results)),
    ['a b', 'b', 'a b', 'a b'],
  );
  assert.equal(upstreamQueries(tabs[0]), 2);
});

test('documents in the results follow ops without a subscription of their own', async () => {
  const {backend, outside} = await newNumbers({a: 1});
  const tabs = openTabs(backend, 2);
  const queries = await Promise.all(tabs.map((tab) => ready(tab, ALL)));
  const docs = queries.map(({results}) => results[0]);
  for (const doc of docs) assert.equal(doc.subscribed, false);
  await call(outside.get('things', 'a'), 'submitOp', add(10));
  await until(() => docs.every(({data, version}) => data.n === 11 && version === 2));
  await call(docs[0], 'submitOp', add(100));
  await until(() => docs.every(({data, version}) => data.n === 111 && version === 3));

  await call(outside.get('things', 'late'), 'create', {n: 0});
  await until(() => queries.every(({results}) => results.length === 2));
  await call(outside.get('things', 'late'), 'submitOp', add(5));
  for (const tab of tabs) await until(() => tab.get('things', 'late').data.n === 5);
});

test('a document that was destroyed and taken again follows the query that has found it, as in ShareDB', async () => {
  const {backend, outside} = await newNumbers({a: 5, b: 6});
  const [tab] = openTabs(backend, 1);
  for (const connection of [plain(backend), tab]) {
    const query = await ready(connection, ALL);
    await call(connection.get('things', 'a'), 'destroy');
    const doc = connection.get('things', 'a');
    assert.equal(doc.data, undefined);
    await call(outside.get('things', 'a'), 'submitOp', add(1));
    await until(() => doc.data !== undefined);
    await call(outside.get('things', 'a'), 'submitOp', add(1));
    await until(() => doc.version === outside.get('things', 'a').version);
    assert.deepEqual(doc.data, outside.get('things', 'a').data);

    await call(connection.get('things', 'b'), 'destroy');
    await call(outside.get('things', 'b'), 'submitOp', add(1));
    await turns(20);
    assert.equal(connection.getExisting('things', 'b'), undefined);
    const late = connection.get('things', 'b');
    await call(outside.get('things', 'b'), 'submitOp', add(1));
    await until(() => late.version === outside.get('things', 'b').version);
    assert.deepEqual(late.data, outside.get('things', 'b').data);
    assert.equal(query.results.length, 2);
    await call(query, 'destroy');
  }
});

test('documents of a query that was fetched once stay as they were', async () => {
  const {backend, outside} = await newNumbers({a: 1});
  const [tab, sibling] = openTabs(backend, 2);
  const {results} = await ready(tab, ALL, 'createFetchQuery');
  const followed = (await ready(sibling, ALL)).results[0];
  await call(outside.get('things', 'a'), 'submitOp', add(10));
  await until(() => followed.data.n === 11);
  await turns(10);
  assert.deepEqual([results[0].data.n, results[0].version], [1, 1]);
});

test("the end of one tab's query is not that of its siblings'", async () => {
  const {backend, outside} = await newNumbers({a: 1});
  const tabs = openTabs(backend, 2);
  const [ended, kept] = await Promise.all(tabs.map((tab) => ready(tab, ALL)));
  const [log, keptLog] = [ended, kept].map(logOf);
  await call(ended, 'destroy');
  await call(outside.get('things', 'b'), 'create', {n: 2});
  await call(outside.get('things', 'a'), 'submitOp', add(0.5));
  await until(() => idsOf(kept.results) === 'a b' && kept.results[0].data.n === 1.5);
  await turns(10);
  assert.deepEqual([log, keptLog.length > 0], [[], true]);
  assert.equal(upstreamQueries(tabs[1]), 1);

  await call(kept, 'destroy');
  await until(() => upstreamQueries(tabs[1]) === 0);
});

test('documents follow ops for as long as any query of the tab has found them', async () => {
  const {backend, outside} = await newNumbers({a: 5});
  const [tab] = openTabs(backend, 1);
  const wide = await ready(tab, ALL);
  const narrow = await ready(tab, {min: 5});
  const doc = tab.get('things', 'a');
  await call(narrow, 'destroy');
  await call(outside.get('things', 'a'), 'submitOp', add(1));
  await until(() => doc.data.n === 6);
  await call(doc, 'subscribe');
  await call(wide, 'destroy');
  await call(outside.get('things', 'a'), 'submitOp', add(1));
  await until(() => doc.data.n === 7);
});

for (const transport of TRANSPORTS) {
  test(`a tab over ${transport} that closes takes its queries with it`, async () => {
    const {backend, outside} = await newNumbers({a: 1});
    const [leaving, staying] = openTabs(backend, 2, {transport});
    await ready(leaving, ALL);
    await ready(leaving, {min: 1});
    const shared = await ready(staying, ALL);
    assert.equal(upstreamQueries(staying), 2);
    leaving.close();
    await until(() => upstreamQueries(staying) === 1);
    await call(outside.get('things', 'b'), 'create', {n: 2});
    await until(() => idsOf(shared.results) === 'a b');
  });
}

test('what the database refuses, each tab is told, and may ask again', async () => {
  const {backend, asked} = await newNumbers({a: 1});
  const tabs = openTabs(backend, 2);
  const broken = {min: 0, broken: true};
  const errorsOf = (connections, kind) =>
    Promise.all(
      connections.map((connection) =>
        ready(connection, broken, kind).then(
          () => undefined,
          ({message, code}) => ({message, code}),
        ),
      ),
    );
  for (const kind of ['createSubscribeQuery', 'createFetchQuery']) {
    const [expected] = await errorsOf([plain(backend)], kind);
    assert.match(expected.message, /index is broken/);
    assert.deepEqual(await errorsOf(tabs, kind), [expected, expected]);
    const before = asked.length;
    assert.deepEqual(await errorsOf(tabs.slice(0, 1), kind), [expected]);
    assert.equal(asked.length, before + 1);
  }
  assert.equal(upstreamQueries(tabs[0]), 0);
  assert.equal(tabs[0].hasPending(), false);
});

test('queries go on after the connection to the server was lost', async () => {
  const {backend, outside, asked} = await newNumbers({a: 1, b: 2});
  const {tabs, drop, restore} = await openDroppable(backend);
  const queries = await Promise.all(tabs.map((tab) => ready(tab, ALL)));
  await drop();
  await call(outside.get('things', 'c'), 'create', {n: 3});
  await call(outside.get('things', 'a'), 'del');
  await call(outside.get('things', 'b'), 'submitOp', add(0.5));
  const asking = ready(tabs[1], {min: 3});
  await restore();
  await until(() => queries.every(({results}) => idsOf(results) === 'b c'));
  await until(() => queries.every(({results}) => results[0].data.n === 2.5));
  assert.equal(idsOf((await asking).results), 'c');
  assert.deepEqual(asked, [ALL, ALL, {min: 3}]);

  const logs = queries.map(logOf);
  await call(outside.get('things', 'd'), 'create', {n: 4});
  await call(outside.get('things', 'b'), 'submitOp', add(0.25));
  await until(() => queries.every(({results}) => idsOf(results) === 'b c d'));
  await until(() => queries.every(({results}) => results[0].data.n === 2.75));
  for (const log of logs) {
    assert.deepEqual(log, [
      ['extra', {count: 3}],
      ['insert', 'd', 2],
      ['changed', 'b c d'],
    ]);
  }
});
