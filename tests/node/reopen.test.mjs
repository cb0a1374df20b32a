import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {sameAsShareDB} from './recorder.mjs';
import {
  call,
  closing,
  converged,
  drained,
  errorOf,
  eventually,
  holdBack,
  newBackend,
  newPair,
  openDroppable,
  openStored,
  openTabs,
  plain,
  stateEventsOf,
  subscribeAll,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

const require = createRequire(import.meta.url);

const ADD = [{p: ['n'], na: 1}];

/** What brings a closed connection back: of ShareDB's own, or a tab. */
function reconnect(backend, connection) {
  if (connection.open) connection.open();
  else backend.connect(connection);
}

/** An op that is submitted, and how often its callback was called, with which error. */
function submit(doc, op = ADD) {
  const answers = [];
  doc.submitOp(op, (error) => answers.push(error?.code));
  return answers;
}

async function closedUntilHubRests(backend, ...tabs) {
  for (const tab of tabs) tab.close();
  await until(() => backend.agentsCount === 0);
}

// As ShareDB

for (const transport of TRANSPORTS) {
  test(`the events of close and open over ${transport} are those of ShareDB's connection`, async () => {
    const logs = [];
    for (const connect of [plain, (backend) => openTabs(backend, 1, {transport})[0]]) {
      const backend = newBackend();
      const connection = connect(backend);
      const events = stateEventsOf(connection);
      await until(() => connection.state === 'connected');
      for (let round = 0; round < 2; round++) {
        connection.close();
        assert.equal(connection.state, 'closed');
        await turns(20);
        reconnect(backend, connection);
        assert.equal(connection.state, 'connecting');
        await until(() => connection.state === 'connected');
      }
      logs.push(events);
    }
    assert.deepEqual(logs[1], logs[0]);
  });
}

test('close while it connects, and open right after it, give the events of ShareDB', async () => {
  const logs = [];
  for (const connect of [plain, (backend) => openTabs(backend, 1)[0]]) {
    const backend = newBackend();
    const connection = connect(backend);
    const events = stateEventsOf(connection);
    connection.close();
    reconnect(backend, connection);
    await until(() => connection.state === 'connected');
    connection.close();
    reconnect(backend, connection);
    await until(() => connection.state === 'connected');
    logs.push(events);
  }
  assert.deepEqual(logs[1], logs[0]);
});

sameAsShareDB(
  'what is done while the connection is closed goes to the server once it is open',
  async ({app, doc, outside, backend, connection}) => {
    await call(outside, 'create', {n: 0, m: 0});
    await call(doc, 'subscribe');
    connection.close();
    const done = app.call('submitOp', [{p: ['n'], na: 1}]);
    await turns(10);
    reconnect(backend, connection);
    await done;
  },
  (log) => log.map(({what, args, data, version}) => ({what, args, data, version})),
);

sameAsShareDB(
  'a document that was subscribed is, and has what others did meanwhile',
  async ({doc, outside, backend, connection}) => {
    await call(outside, 'create', {n: 0});
    await call(doc, 'subscribe');
    connection.close();
    await call(outside, 'submitOp', ADD);
    await call(outside, 'submitOp', ADD);
    await turns(10);
    reconnect(backend, connection);
    await until(() => doc.data.n === 2 && doc.subscribed);
    await call(outside, 'submitOp', ADD);
    await until(() => doc.data.n === 3);
  },
);

sameAsShareDB(
  'edits on both sides meet when the connection is open again',
  async ({app, doc, outside, backend, connection}) => {
    await call(outside, 'create', {n: 0, list: []});
    for (const it of [outside, doc]) await call(it, 'subscribe');
    connection.close();
    await call(outside, 'submitOp', [{p: ['list', 0], li: 'outside'}]);
    const done = app.call('submitOp', [{p: ['list', 0], li: 'own'}]);
    reconnect(backend, connection);
    await done;
    await converged(doc, outside);
  },
  (log) => [log.at(-1).data],
);

for (const method of ['fetch', 'subscribe']) {
  sameAsShareDB(
    `${method} calls back after a connection that was closed before is open`,
    async ({app, outside, backend, connection}) => {
      await call(outside, 'create', {n: 0});
      connection.close();
      const done = app.call(method);
      await turns(10);
      reconnect(backend, connection);
      await done;
    },
  );

  sameAsShareDB(
    `${method} that was under way as the connection was closed calls back once it is open`,
    async ({app, outside, backend, connection}) => {
      await call(outside, 'create', {n: 0});
      const done = app.call(method);
      connection.close();
      await turns(10);
      reconnect(backend, connection);
      await done;
    },
  );
}

sameAsShareDB(
  'unsubscribe calls back at once while the connection is closed',
  async ({app, doc, outside, connection}) => {
    await call(outside, 'create', {n: 0});
    await call(doc, 'subscribe');
    connection.close();
    await app.call('unsubscribe');
  },
);

test('a document that was unsubscribed while its tab was closed stays so', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const outside = plain(backend).get('things', 'one');
  await call(outside, 'create', {n: 0});
  const [doc] = await subscribeAll([tab], 'things', 'one');
  tab.close();
  await call(doc, 'unsubscribe');
  tab.open();
  await until(() => tab.state === 'connected');
  await call(outside, 'submitOp', ADD);
  await turns(20);
  assert.deepEqual([doc.data.n, doc.subscribed], [0, false]);
});

sameAsShareDB(
  'unsubscribe that is under way calls back as the connection is closed',
  async ({app, doc, outside, connection}) => {
    await call(outside, 'create', {n: 0});
    await call(doc, 'subscribe');
    const done = app.call('unsubscribe');
    connection.close();
    app.write('closed');
    await done;
  },
);

// All that a tab has

for (const transport of TRANSPORTS) {
  for (const sibling of [false, true]) {
    const where = `over ${transport} ${sibling ? 'beside a sibling' : 'alone'}`;

    test(`a closed tab ${where} comes back with its ops, each exactly once`, async () => {
      const backend = newBackend();
      const [tab, other] = openTabs(backend, sibling ? 2 : 1, {transport});
      const [outside] = await subscribeAll([plain(backend)], 'things', 'one');
      const [doc] = await subscribeAll([tab], 'things', 'one');
      await call(doc, 'create', {n: 0});
      if (other) await subscribeAll([other], 'things', 'one');
      const answers = [];
      for (let round = 0; round < 5; round++) {
        answers.push(submit(doc));
        tab.close();
        answers.push(submit(doc));
        await turns([0, 1, 3, 10, 50][round]);
        other?.get('things', 'one').submitOp(ADD);
        tab.open();
        answers.push(submit(doc));
        await until(() => tab.state === 'connected');
      }
      await until(() => answers.every((it) => it.length > 0));
      await drained(...[other, outside.connection].filter(Boolean));
      await until(() => outside.data.n === (sibling ? 20 : 15));
      await turns(20);
      assert.deepEqual(new Set(answers.map(String)), new Set(['']));
      assert.ok(answers.every((it) => it.length === 1));
      assert.equal(tab.get('things', 'one'), doc);
      await converged(doc, outside, ...(other ? [other.get('things', 'one')] : []));
    });

    test(`queries, snapshots and bulk fetches of a closed tab ${where} go on once it is open`, async () => {
      const backend = newBackend();
      const [tab] = openTabs(backend, sibling ? 2 : 1, {transport});
      const outside = plain(backend);
      for (const id of ['a', 'b']) await call(outside.get('things', id), 'create', {id});
      const query = tab.createSubscribeQuery('things', {});
      await until(() => query.ready);
      tab.close();
      const steps = [];
      for (const event of ['insert', 'remove']) {
        query.on(event, (docs, at) => steps.push([event, docs.map(({id}) => id), at]));
      }
      await call(outside.get('things', 'a'), 'del');
      await call(outside.get('things', 'c'), 'create', {id: 'c'});
      const snapshot = call(tab, 'fetchSnapshot', 'things', 'b', 1);
      const bulk = call(tab, 'getBulk', 'things', ['b', 'c']);
      const fetched = new Promise((resolve) => {
        tab.createFetchQuery('things', {}, null, (_error, docs) => resolve(docs));
      });
      await turns(20);
      assert.deepEqual(steps, []);
      tab.open();
      assert.deepEqual((await snapshot).data, {id: 'b'});
      assert.deepEqual(
        (await bulk).map(({data}) => data),
        [{id: 'b'}, {id: 'c'}],
      );
      assert.equal((await fetched).length, 2);
      await until(() => steps.length === 2);
      assert.deepEqual(
        steps.map(([event, ids]) => [event, ids]),
        [
          ['remove', ['a']],
          ['insert', ['c']],
        ],
      );
      await call(outside.get('things', 'd'), 'create', {id: 'd'});
      await until(() => query.results.some(({id}) => id === 'd'));
    });
  }

  test(`presence over ${transport} leaves with close, and is there again after open`, async () => {
    const backend = newBackend({presence: true, doNotForwardSendPresenceErrorsToClient: true});
    const [tab, sibling] = openTabs(backend, 2, {transport});
    const outside = plain(backend);
    const seen = [sibling, outside].map((connection) => {
      const presence = connection.getPresence('room');
      const log = [];
      presence.on('receive', (id, value) => log.push([id, value]));
      return {presence, log};
    });
    for (const {presence} of seen) await call(presence, 'subscribe');
    const presence = tab.getPresence('room');
    await call(presence, 'subscribe');
    const own = presence.create('own');
    await call(own, 'submit', 1);
    await call(sibling.getPresence('room').create('other'), 'submit', 5);
    await until(() => presence.remotePresences.other === 5);
    for (const {log} of seen) await until(() => log.some(([, value]) => value === 1));
    tab.close();
    for (const {log} of seen) await until(() => log.some(([, value]) => value === null));
    await until(() => sibling.tabs.length === 1);
    const told = call(own, 'submit', 2);
    tab.open();
    await told;
    for (const it of seen) await until(() => it.presence.remotePresences.own === 2);
    await call(sibling.getPresence('room').localPresences.other, 'submit', 6);
    await until(() => presence.remotePresences.other === 6);
    await until(() => sibling.tabs.length === 2);
  });
}

test('a Disconnect button, as in the example rich-text-presence', async () => {
  const backend = newBackend({presence: true, doNotForwardSendPresenceErrorsToClient: true});
  const [tab, sibling] = openTabs(backend, 2, {transport: 'message-port'});
  const connections = [tab, sibling, plain(backend)];
  await call(connections[2].get('notes', 'letter'), 'create', [{insert: 'Hello'}], 'rich-text');
  const docs = await subscribeAll(connections, 'notes', 'letter');
  const presences = connections.map((it) => it.getDocPresence('notes', 'letter'));
  for (const presence of presences) await call(presence, 'subscribe');
  const cursors = presences.map((presence, at) => presence.create(`cursor ${at}`));
  for (const cursor of cursors) await call(cursor, 'submit', {index: 5, length: 0});
  const others = (at) => Object.keys(presences[at].remotePresences).length;
  await until(() => [0, 1, 2].every((at) => others(at) === 2));

  const button = () => (tab.state === 'connected' ? tab.close() : tab.open());
  button();
  await until(() => others(1) === 1 && others(2) === 1);
  docs[0].submitOp([{retain: 5}, {insert: ' from here'}]);
  await call(docs[1], 'submitOp', [{insert: 'Oh. '}]);
  await call(docs[2], 'submitOp', [{insert: 'Well. '}]);
  button();
  await converged(...docs);
  assert.equal(docs[0].data.ops[0].insert, 'Well. Oh. Hello from here');
  await until(() => [0, 1, 2].every((at) => others(at) === 2));
  await until(() => presences[2].remotePresences['cursor 0'].index === 25);
});

// The hub

test('the hub of a tab that was closed last lets go of the server, and has all that was pending', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1, {transport: 'message-port'});
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'create', {n: 0});
  const {id} = tab;
  await closedUntilHubRests(backend, tab);
  const outside = plain(backend).get('things', 'one');
  await call(outside, 'fetch');
  await call(outside, 'submitOp', ADD);
  const answers = [submit(doc), submit(doc)];
  tab.get('things', 'two').create({n: 7});
  tab.open();
  await until(() => answers.every((it) => it.length === 1));
  await until(() => doc.data.n === 3);
  assert.deepEqual(answers.flat(), [undefined, undefined]);
  assert.equal(tab.id, id);
  await call(outside, 'fetch');
  assert.equal(outside.data.n, 3);
});

test('an op that was sent before close has its answer after open, though the server was slow', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'create', {n: 0});
  const {held, release} = holdBack(backend);
  const answers = submit(doc);
  await until(() => held.length > 0);
  tab.close();
  await turns(20);
  release();
  await until(() => backend.agentsCount === 0);
  assert.deepEqual(answers, []);
  tab.open();
  await until(() => answers.length > 0);
  await turns(10);
  assert.deepEqual([answers, doc.data.n, doc.version], [[undefined], 1, 2]);
});

test('what the server refuses while the tab is closed is told once it is open', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'create', {n: 0});
  const held = [];
  backend.use('submit', (_request, next) => held.push(next));
  const answers = submit(doc);
  await until(() => held.length > 0);
  tab.close();
  held[0]({code: 'ERR_NO', message: 'No'});
  await until(() => backend.agentsCount === 0);
  assert.deepEqual(answers, []);
  tab.open();
  await until(() => answers.length > 0);
  await until(() => doc.data.n === 0);
  assert.deepEqual(answers, ['ERR_NO']);
});

test('a closed tab and a new one of the same name have one hub again', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1, {name: 'again'});
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'create', {n: 0});
  await closedUntilHubRests(backend, tab);
  const answers = submit(doc);
  const [next] = openTabs(backend, 1, {name: 'again'});
  const [same] = await subscribeAll([next], 'things', 'one');
  await call(same, 'submitOp', ADD);
  tab.open();
  await until(() => doc.data.n === 2 && same.data.n === 2);
  await until(() => answers.length === 1);
  assert.deepEqual([answers, backend.agentsCount, tab.tabs.length], [[undefined], 1, 2]);
});

test('a name that another backend has taken meanwhile is no way back', async () => {
  const name = 'taken by another';
  const backend = newBackend();
  const [tab] = openTabs(backend, 1, {name});
  await until(() => tab.state === 'connected');
  await closedUntilHubRests(backend, tab);
  const [other] = openTabs(newBackend(), 1, {name});
  assert.throws(() => tab.open(), {code: 'ERR_TABMUX_OPTION_INVALID'});
  assert.equal(tab.state, 'closed');
  other.close();
  await until(() => other.agent?.closed !== false);
  tab.open();
  await until(() => tab.state === 'connected');
});

for (const bundle of ['the same bundle', 'another bundle']) {
  test(`a tab comes back to a hub in the page, of ${bundle}`, async () => {
    const backend = newBackend();
    const define =
      bundle === 'the same bundle' ? defineHub : require('../../pkg/cjs/hub.cjs').defineHub;
    let made = 0;
    const definition = define({
      connect: () => {
        made += 1;
        return backend.connect();
      },
    });
    const open = () => closing(createConnection({hub: {local: () => definition}}));
    const [tab, other] = [open(), open()];
    const docs = await subscribeAll([tab, other], 'things', 'one');
    await call(docs[0], 'create', {n: 0});
    tab.close();
    const first = submit(docs[0]);
    await call(docs[1], 'submitOp', ADD);
    tab.open();
    await until(() => first.length === 1 && docs[0].data.n === 2);
    assert.equal(made, 1);

    await closedUntilHubRests(backend, tab, other);
    const second = submit(docs[0]);
    tab.open();
    await until(() => second.length === 1);
    other.open();
    await until(() => docs.every(({data}) => data.n === 3));
    assert.deepEqual([first, second, made], [[undefined], [undefined], 2]);
  });
}

test('a tab comes back to the next hub of its store', async () => {
  const backend = newBackend();
  const server = {connect: (closed) => backend.connect(closed)};
  const tab = openStored(server, 'comes back');
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'create', {n: 0});
  submit(doc);
  await closedUntilHubRests(backend, tab);
  const answers = [submit(doc), submit(doc)];
  await turns(10);
  tab.open();
  await until(() => answers.every((it) => it.length === 1));
  assert.deepEqual([answers.flat(), doc.data.n], [[undefined, undefined], 3]);
  const outside = plain(backend).get('things', 'one');
  await call(outside, 'fetch');
  assert.equal(outside.data.n, 3);
});

test('a tab that is closed without the server is back without it, and follows its siblings', async () => {
  const backend = newBackend();
  const {tabs, drop, restore} = await openDroppable(backend);
  const docs = await subscribeAll(tabs, 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await drop();
  const answers = submit(docs[0]);
  tabs[0].close();
  docs[1].submitOp(ADD);
  await until(() => docs[1].data.n === 2);
  tabs[0].open();
  await until(() => tabs[0].state === 'disconnected' && docs[0].data.n === 2);
  docs[1].submitOp(ADD);
  await until(() => docs[0].data.n === 3);
  assert.deepEqual(answers, []);
  await restore();
  await until(() => answers.length > 0);
  assert.deepEqual(answers, [undefined]);
  await converged(...docs);
});

// What is no way back, and what is not closed

test('open does nothing to a connection that is not closed', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const events = stateEventsOf(tab);
  tab.open();
  await until(() => tab.state === 'connected');
  tab.open();
  await turns(10);
  assert.deepEqual(
    events.map(({name}) => name),
    ['connected', 'state'],
  );
});

test('a tab that was refused can not be opened', async () => {
  const hub = closing(defineHub({connect: () => newBackend().connect()}).hub('ann'));
  const [tabEnd, hubEnd] = newPair();
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: tabEnd, identity: 'bob'}));
  tab.on('error', () => {});
  await until(() => tab.state === 'stopped');
  tab.close();
  assert.throws(() => tab.open(), {code: 'ERR_TABMUX_IDENTITY'});
  assert.equal(tab.state, 'closed');
});

test('a transport object that was closed is no way back', async () => {
  const backend = newBackend();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const [tabEnd, hubEnd] = newPair();
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: tabEnd}));
  await until(() => tab.state === 'connected');
  tab.close();
  assert.throws(() => tab.open(), {code: 'ERR_TABMUX_TRANSPORT', message: /new connection/});
  assert.equal(tab.state, 'closed');
});

test('bindToSocket says what is meant', () => {
  const [tab] = openTabs(newBackend(), 1);
  assert.throws(() => tab.bindToSocket({}), {code: 'ERR_TABMUX_NO_SOCKET', message: /`open`/});
});

// The socket

test('a socket that is closed comes back by itself, for its tab alone', async () => {
  const backend = newBackend();
  const [tab, sibling] = openTabs(backend, 2, {transport: 'message-port'});
  const docs = await subscribeAll([tab, sibling], 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  const events = [stateEventsOf(tab), stateEventsOf(sibling)];
  assert.equal(tab.socket.readyState, 1);
  tab.socket.close(4000, 'lost');
  assert.deepEqual([tab.state, tab.canSend, tab.socket.readyState], ['disconnected', false, 3]);
  assert.equal(docs[0].subscribed, false);
  const answers = submit(docs[0]);
  await call(docs[1], 'submitOp', ADD);
  assert.equal(docs[0].data.n, 1);
  await eventually(tab, 'connected', () => tab.state === 'connected');
  await until(() => answers.length > 0 && docs[0].subscribed);
  await converged(...docs);
  assert.deepEqual([answers, docs[0].data.n], [[undefined], 2]);
  assert.deepEqual(
    events[0].filter(({name}) => name === 'state').map(({args}) => args),
    [
      ['disconnected', 'lost'],
      ['connecting', undefined],
      ['connected', undefined],
    ],
  );
  assert.deepEqual(events[1], []);
});

test('a transport object survives a socket that is closed', async () => {
  const backend = newBackend();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const [tabEnd, hubEnd] = newPair();
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: tabEnd}));
  await call(tab.get('things', 'one'), 'create', {n: 0});
  tab.socket.close('lost');
  const answers = submit(tab.get('things', 'one'));
  await until(() => answers.length > 0);
  assert.deepEqual(answers, [undefined]);
});

test('close after the socket was closed stays, until open', async () => {
  const backend = newBackend();
  const [tab] = openTabs(backend, 1);
  await until(() => tab.state === 'connected');
  tab.socket.close();
  tab.close();
  await until(() => backend.agentsCount === 0);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.deepEqual([tab.state, backend.agentsCount], ['closed', 0]);
  tab.open();
  await until(() => tab.state === 'connected');
});

// Many

test('a hub remembers the last hundred tabs that closed', async () => {
  const backend = newBackend();
  const tabs = openTabs(backend, 102);
  const [docs, staying] = [await subscribeAll(tabs, 'things', 'one'), tabs.at(-1)];
  await call(docs[0], 'create', {n: 0});
  for (const tab of tabs) if (tab !== staying) tab.close();
  await until(() => staying.tabs.length === 1);
  const answers = docs.slice(0, 3).map((doc) => submit(doc));
  const errors = [];
  docs[0].on('error', (error) => errors.push(error.code));
  for (const tab of tabs.slice(0, 3)) tab.open();
  await until(() => answers.every((it) => it.length === 1));
  assert.deepEqual(answers.flat(), ['ERR_TABMUX_HUB_LOST', undefined, undefined]);
  await until(() => docs.slice(0, 3).every(({data}) => data?.n === 2));
});

test('what is asked of a closed connection about writes and the store fails at once', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'create', {n: 0});
  tab.close();
  submit(doc);
  assert.equal((await errorOf(tab, 'putDoc', doc)).code, 'ERR_TABMUX_CLOSED');
  await assert.rejects(tab.store.export(), {code: 'ERR_TABMUX_CLOSED', message: /`open`/});
  assert.equal(tab.hasPendingWrites(), true);
  tab.open();
  await call(tab, 'flushWrites');
  assert.equal(tab.hasPendingWrites(), false);
});
