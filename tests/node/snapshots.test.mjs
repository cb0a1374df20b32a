import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  CODECS,
  call,
  errorOf,
  newBackend,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

/** A server with a document of three versions, from the times 1000, 2000 and 3000. */
async function newHistory() {
  const backend = newBackend();
  backend.use('commit', ({op}, next) => {
    op.m.ts = 1000 * (op.v + 1);
    next();
  });
  const doc = plain(backend).get('things', 'one');
  await call(doc, 'create', {n: 1});
  await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
  await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
  return backend;
}

/** `count` tabs that the server has let in. */
async function openConnected(backend, count, options) {
  const tabs = openTabs(backend, count, options);
  await until(() => tabs.every((tab) => tab.canSend));
  return tabs;
}

/** The messages a connection receives from here on. */
function receivedBy(connection) {
  const received = [];
  connection.on('receive', ({data}) => received.push(data));
  return received;
}

for (const transport of TRANSPORTS) {
  for (const codec of CODECS) {
    test(`snapshots asked for at once over ${transport} in ${codec} reach who asked`, async () => {
      const backend = await newHistory();
      const clients = [...openTabs(backend, 2, {transport, codec}), plain(backend)];
      const asked = clients.map((client, at) =>
        Promise.all([
          ...[1, 2, 3, 0, null].map((version) =>
            call(client, 'fetchSnapshot', 'things', 'one', at === 1 ? 3 : version),
          ),
          ...[500, 1000, 2500, null].map((time) =>
            call(client, 'fetchSnapshotByTimestamp', 'things', 'one', at === 1 ? 1500 : time),
          ),
          call(client, 'fetchSnapshot', 'things', 'one'),
          call(client, 'fetchSnapshot', 'things', 'none'),
        ]),
      );
      const [first, second, expected] = await Promise.all(asked);
      const values = (snapshots) => snapshots.map(({v, data}) => [v, data?.n]);
      const now = [3, 3];
      assert.deepEqual(
        values(expected),
        // By version, by time, the newest, and of a document that there is not.
        [[1, 1], [2, 2], now, [0, undefined], now].concat(
          [[0, undefined], [1, 1], [2, 2], now],
          [now, [0, undefined]],
        ),
      );
      const parts = (snapshots) => snapshots.map((snapshot) => ({...snapshot}));
      assert.deepEqual(parts(first), parts(expected));
      const other = [...Array(5).fill(now), ...Array(4).fill([1, 1]), now, [0, undefined]];
      assert.deepEqual(values(second), other);
      assert.equal(clients[0].getExisting('things', 'one'), undefined);
    });

    test(`a ping over ${transport} in ${codec} is answered to the tab that sent it`, async () => {
      const tabs = await openConnected(newBackend(), 3, {transport, codec});
      const pongs = tabs.map(() => 0);
      for (const [at, tab] of tabs.entries()) tab.on('pong', () => pongs[at]++);
      tabs[1].ping();
      await until(() => pongs[1] === 1);
      tabs[0].ping();
      tabs[1].ping();
      await until(() => pongs[0] === 1 && pongs[1] === 2);
      await turns(10);
      assert.deepEqual(pongs, [1, 2, 0]);
    });

    test(`a message by hand over ${transport} in ${codec} is answered to its tab`, async () => {
      const backend = await newHistory();
      const tabs = await openConnected(backend, 2, {transport, codec});
      const received = tabs.map(receivedBy);
      tabs[0].send({a: 'f', c: 'things', d: 'one'});
      await until(() => received[0].length === 1);
      const answer = {a: 'f', c: 'things', d: 'one', data: {v: 3, data: {n: 3}}};
      tabs[0].send({a: 'f', c: 'things', d: 'one'});
      tabs[1].send({a: 'f', c: 'things', d: 'one'});
      await until(() => received.flat().length === 3);
      await turns(10);
      assert.deepEqual(received, [[answer, answer], [answer]]);
    });
  }
}

test('a position that ShareDB refuses is refused in the same words', async () => {
  const backend = await newHistory();
  const clients = [plain(backend), ...openTabs(backend, 1)];
  await until(() => clients.every(({canSend}) => canSend));
  for (const method of ['fetchSnapshot', 'fetchSnapshotByTimestamp']) {
    for (const position of [-1, 1.5, 'one', Number.NaN, Number.POSITIVE_INFINITY, {}, true]) {
      const what = method === 'fetchSnapshot' ? 'version' : 'timestamp';
      for (const client of clients) {
        assert.throws(() => client[method]('things', 'one', position, () => {}), {
          message: `Snapshot ${what} must be a positive integer or null`,
        });
      }
    }
  }
});

test('what the server refuses reaches the tab that asked, with its code', async () => {
  const backend = await newHistory();
  backend.use('readSnapshots', ({collection}, next) => {
    next(collection === 'secrets' ? {code: 'ERR_SECRET', message: 'Not for you'} : undefined);
  });
  const [expected, ...tabs] = await Promise.all(
    [plain(backend), ...openTabs(backend, 2)].map(async (client) => [
      await errorOf(client, 'fetchSnapshot', 'things', 'one', 999),
      await errorOf(client, 'fetchSnapshot', 'secrets', 'one', null),
      await errorOf(client, 'fetchSnapshotByTimestamp', 'secrets', 'one', 5000),
    ]),
  );
  const seen = (errors) => errors.map((error) => [error?.code, error?.message]);
  assert.equal(expected[1].code, 'ERR_SECRET');
  assert.deepEqual(tabs.map(seen), [seen(expected), seen(expected)]);
});

test('snapshots asked for while the server is away come when it is back', async () => {
  const backend = await newHistory();
  const upstream = backend.connect();
  const tabs = openTabs({connect: () => upstream}, 2);
  await until(() => tabs.every((tab) => tab.canSend));
  upstream.socket.close('lost');
  await until(() => tabs.every((tab) => tab.state === 'disconnected'));
  const asked = tabs.map((tab, at) => call(tab, 'fetchSnapshot', 'things', 'one', at + 1));
  await turns(10);
  assert.deepEqual(
    tabs.map((tab) => tab.hasPending()),
    [true, true],
  );
  backend.connect(upstream);
  const snapshots = await Promise.all(asked);
  assert.deepEqual(
    snapshots.map(({v}) => v),
    [1, 2],
  );
});

test('a ping without the server is refused as in ShareDB', async () => {
  const backend = newBackend();
  for (const client of [plain(backend), ...openTabs(backend, 1)]) {
    assert.throws(() => client.ping(), {
      code: 'ERR_CANNOT_PING_OFFLINE',
      message: 'Socket must be CONNECTED to ping',
    });
  }
});

test('a message by hand that the server does not know is answered with an error', async () => {
  const backend = newBackend();
  const [tab, sibling] = await openConnected(backend, 2);
  const received = [tab, sibling].map(receivedBy);
  tab.send({a: 'nonsense', c: 'things', d: 'one'});
  await until(() => received[0].length === 1);
  assert.equal(received[0][0].error.code, 'ERR_MESSAGE_BADLY_FORMED');
  assert.deepEqual(received[1], []);
});

test('a message by hand waits until the server lets the hub in', async () => {
  const backend = await newHistory();
  const handshakes = [];
  backend.use('receive', ({data}, next) => (data.a === 'hs' ? handshakes.push(next) : next()));
  const [tab] = openTabs(backend, 1);
  const received = receivedBy(tab);
  tab.send({a: 'f', c: 'things', d: 'one'});
  await turns(20);
  for (const next of handshakes) next();
  await until(() => received.length === 1);
  assert.deepEqual(received[0].data?.data, {n: 3});
});

test('a message by hand does not take the answer of what a sibling asks', async () => {
  const backend = await newHistory();
  const [tab, sibling] = await openConnected(backend, 2);
  const [doc] = await subscribeAll([sibling], 'things', 'one');
  const received = receivedBy(tab);
  const fetched = call(doc, 'fetch');
  tab.send({a: 'f', c: 'things', d: 'one'});
  await fetched;
  await until(() => received.length === 1);
  assert.deepEqual(received[0].data?.data, {n: 3});
  assert.deepEqual([doc.data, doc.version], [{n: 3}, 3]);
});

test('a query by hand is answered to its tab', async () => {
  const [tab, sibling] = await openConnected(await newHistory(), 2);
  const received = [tab, sibling].map(receivedBy);
  tab.send({a: 'qf', id: 1000, c: 'things', q: {}});
  await until(() => received[0].length === 1);
  const [{a, id, data}] = received[0];
  assert.deepEqual([a, id, data[0].data], ['qf', 1000, {n: 3}]);
  assert.deepEqual(received[1], []);
});

test('a tab has no socket to bind', () => {
  const [tab] = openTabs(newBackend(), 1);
  assert.throws(() => tab.bindToSocket({}), {code: 'ERR_TABMUX_NO_SOCKET', message: /`connect`/});
});
