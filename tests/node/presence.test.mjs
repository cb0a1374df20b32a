import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {
  CODECS,
  call,
  closing,
  errorOf,
  newBackend,
  newPair,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

/** A server with presence, and how often it was sent each action of ShareDB's protocol. */
function newServer() {
  const backend = newBackend({presence: true, doNotForwardSendPresenceErrorsToClient: true});
  const counts = {};
  backend.use('receive', ({data}, next) => {
    counts[data.a] = (counts[data.a] ?? 0) + 1;
    next();
  });
  return {backend, counts};
}

/** The presence of this channel in each of the connections, subscribed. */
async function join(connections, channel = 'room') {
  const presences = connections.map((connection) => connection.getPresence(channel));
  for (const presence of presences) await call(presence, 'subscribe');
  return presences;
}

/** Waits until this is the presence of others that each of them sees. */
async function untilSeen(presences, expected) {
  const seen = () => JSON.stringify(presences.map((it) => sorted(it.remotePresences)));
  const wanted = JSON.stringify(expected.map(sorted));
  await until(
    () => seen() === wanted,
    () => `not ${wanted} but ${seen()}`,
  );
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort());

/** What a presence receives from here on. */
function receivedBy(presence) {
  const received = [];
  presence.on('receive', (id, value) => received.push([id, value]));
  return received;
}

for (const transport of TRANSPORTS) {
  for (const codec of CODECS) {
    test(`tabs over ${transport} in ${codec} and other clients see each other's presence`, async () => {
      const {backend} = newServer();
      const tabs = openTabs(backend, 2, {transport, codec});
      const presences = await join([...tabs, plain(backend)]);
      const received = presences.map(receivedBy);
      const values = {ann: {at: [1, 2]}, bob: 'typing', eve: 0};
      const locals = Object.keys(values).map((id, at) => presences[at].create(id));
      for (const local of locals) await call(local, 'submit', values[local.presenceId]);
      const {ann, bob, eve} = values;
      await untilSeen(presences, [
        {bob, eve},
        {ann, eve},
        {ann, bob},
      ]);

      await call(locals[0], 'submit', {at: [3]});
      await untilSeen(presences, [
        {bob, eve},
        {ann: {at: [3]}, eve},
        {ann: {at: [3]}, bob},
      ]);
      await call(locals[0], 'destroy');
      await call(locals[2], 'submit', null);
      await untilSeen(presences, [{bob}, {}, {bob}]);
      await turns(10);
      assert.deepEqual(received, [
        [
          ['bob', bob],
          ['eve', eve],
          ['eve', null],
        ],
        [
          ['ann', ann],
          ['eve', eve],
          ['ann', {at: [3]}],
          ['ann', null],
          ['eve', null],
        ],
        [
          ['ann', ann],
          ['bob', bob],
          ['ann', {at: [3]}],
          ['ann', null],
        ],
      ]);
    });
  }

  test(`a tab over ${transport} that closes takes its presence with it`, async () => {
    const {backend} = newServer();
    const tabs = openTabs(backend, 3, {transport});
    const presences = await join([...tabs, plain(backend)]);
    await call(presences[0].create('leaving'), 'submit', 1);
    await call(presences[0].create('second of it'), 'submit', 2);
    await call(presences[1].create('staying'), 'submit', 3);
    const others = presences.slice(2);
    const all = {leaving: 1, 'second of it': 2, staying: 3};
    await untilSeen(others, [all, all]);
    const received = receivedBy(others[1]);
    tabs[0].close();
    await untilSeen(others, [{staying: 3}, {staying: 3}]);
    await untilSeen([presences[1]], [{}]);
    assert.deepEqual(received.sort(), [
      ['leaving', null],
      ['second of it', null],
    ]);
  });
}

test('who comes later sees the presence that is there', async () => {
  const {backend} = newServer();
  const [first, second, third] = openTabs(backend, 3);
  const outside = plain(backend);
  await call(first.getPresence('room').create('ann'), 'submit', 1);
  // ShareDB asks those for their presence who are subscribed.
  const [eve] = await join([outside]);
  await call(eve.create('eve'), 'submit', 2);
  await untilSeen(await join([second]), [{ann: 1, eve: 2}]);
  // Now the hub has subscribed already.
  await untilSeen(await join([third]), [{ann: 1, eve: 2}]);
  await untilSeen(await join([plain(backend)]), [{ann: 1, eve: 2}]);
});

test('presence of another client that leaves is gone in every tab', async () => {
  const {backend} = newServer();
  const outside = plain(backend);
  const [presence, ...others] = await join([outside, ...openTabs(backend, 2)]);
  await call(presence.create('eve'), 'submit', 1);
  await untilSeen(others, [{eve: 1}, {eve: 1}]);
  outside.close();
  await untilSeen(others, [{}, {}]);
});

test('channels do not mix, and a tab hears only those it is subscribed to', async () => {
  const {backend} = newServer();
  const tabs = openTabs(backend, 2);
  const [here, there] = await join(tabs, 'here');
  const [elsewhere] = await join([tabs[0]], 'elsewhere');
  const deaf = tabs[1].getPresence('elsewhere');
  const received = [here, there, deaf].map(receivedBy);
  await call(there.create('same id'), 'submit', 1);
  await call(deaf.create('same id'), 'submit', 2);
  await call(elsewhere.create('of first'), 'submit', 3);
  await untilSeen([here, elsewhere], [{'same id': 1}, {'same id': 2}]);
  await turns(10);
  assert.deepEqual(received, [[['same id', 1]], [], []]);
});

test('the hub subscribes to a channel once, until no tab listens any more', async () => {
  const {backend, counts} = newServer();
  const tabs = openTabs(backend, 3);
  const [first, second] = await join(tabs.slice(0, 2));
  const last = tabs[2].getPresence('room');
  await Promise.all([call(last, 'subscribe'), call(last, 'subscribe')]);
  assert.equal(counts.ps, 1);
  const subscribed = () => Object.keys(tabs[0].agent.subscribedPresences);

  await call(first, 'unsubscribe');
  assert.deepEqual([first.subscribed, second.subscribed], [false, true]);
  tabs[2].close();
  const [outside] = await join([plain(backend)]);
  await call(outside.create('eve'), 'submit', 1);
  await untilSeen([second], [{eve: 1}]);
  assert.deepEqual([Object.keys(first.remotePresences), subscribed()], [[], ['room']]);
  await call(second, 'unsubscribe');
  await until(() => subscribed().length === 0);
  assert.deepEqual([counts.ps, counts.pu], [2, 1]);

  await call(first, 'subscribe');
  assert.deepEqual([counts.ps, subscribed()], [3, ['room']]);
  await untilSeen([first], [{eve: 1}]);
});

test('who shows itself without listening stays when the last listener goes', async () => {
  const {backend} = newServer();
  const [first, second] = openTabs(backend, 2);
  const [listener, outside] = await join([first, plain(backend)]);
  await call(second.getPresence('room').create('bob'), 'submit', 1);
  await untilSeen([listener, outside], [{bob: 1}, {bob: 1}]);
  const received = receivedBy(outside);
  await call(listener, 'unsubscribe');
  await turns(20);
  await untilSeen([outside], [{bob: 1}]);
  assert.deepEqual(received.at(-1), ['bob', 1], 'the server had taken it back');
});

test('presence that the server refuses is an error of its own tab alone', async () => {
  const {backend} = newServer();
  backend.use('receivePresence', ({presence}, next) => {
    next(presence.p === 'rude' ? {code: 'ERR_RUDE', message: 'Be kind'} : undefined);
  });
  const [first, second] = await join(openTabs(backend, 2));
  const errors = [];
  second.on('error', (error) => errors.push(error));
  const error = await errorOf(first.create('ann'), 'submit', 'rude');
  assert.deepEqual([error?.code, error?.message], ['ERR_RUDE', 'Be kind']);
  await turns(10);
  assert.deepEqual(errors, []);
});

test('presence that is destroyed twice around a lost connection is answered twice', async () => {
  const {backend} = newServer();
  // Each answer comes alone.
  backend.use('receive', (_context, next) => setImmediate(() => setImmediate(next)));
  const upstream = backend.connect();
  const [tab] = openTabs({connect: () => upstream}, 1);
  await until(() => tab.state === 'connected');
  const presence = tab.getPresence('room');
  const local = presence.create('ann');
  let answers = 0;
  local.destroy(() => answers++);
  upstream.socket.close('lost');
  await until(() => tab.state === 'disconnected');
  presence.destroy(() => answers++);
  await turns(10);
  backend.connect(upstream);
  await until(() => answers === 2);
  assert.deepEqual(presence.localPresences, Object.create(null));
});

test('presence is sent again after the connection to the server was lost', async () => {
  const {backend, counts} = newServer();
  const upstream = backend.connect();
  const tabs = openTabs({connect: () => upstream}, 2);
  const presences = await join([...tabs, plain(backend)]);
  const [ann, bob, eve] = ['ann', 'bob', 'eve'].map((id, at) => presences[at].create(id));
  for (const local of [ann, bob, eve]) await call(local, 'submit', 1);
  await untilSeen([presences[2]], [{ann: 1, bob: 1}]);
  assert.equal(counts.ps, 2);

  upstream.socket.close('lost');
  await until(() => tabs.every((tab) => tab.state === 'disconnected'));
  await untilSeen([presences[2]], [{}]);
  assert.deepEqual(
    presences.map(({subscribed}) => subscribed),
    [false, false, true],
  );
  let answers = 0;
  ann.submit(2, () => answers++);
  eve.submit(2, () => answers++);
  await turns(10);
  assert.equal(answers, 1);

  backend.connect(upstream);
  await untilSeen(presences, [
    {bob: 1, eve: 2},
    {ann: 2, eve: 2},
    {ann: 2, bob: 1},
  ]);
  await until(() => answers === 2 && presences.every(({subscribed}) => subscribed));
  assert.equal(counts.ps, 3);
});

/**
 * Three people in a text: the first two are tabs of one hub, the third is a client of its own. Each
 * has a cursor there.
 */
async function openText(cursors, options) {
  const {backend} = newServer();
  const tabs = openTabs(backend, 2, options);
  const clients = [...tabs, plain(backend)];
  await call(clients[2].get('texts', 'one'), 'create', [{insert: '0123456789'}], 'rich-text');
  const docs = await subscribeAll(clients, 'texts', 'one');
  const presences = clients.map((client) => client.getDocPresence('texts', 'one'));
  for (const presence of presences) await call(presence, 'subscribe');
  const names = ['ann', 'bob', 'eve'];
  const locals = names.map((name, at) => presences[at].create(name));
  for (const [at, local] of locals.entries()) await call(local, 'submit', cursor(cursors[at]));
  /** Waits until all agree on where the cursors are. */
  const agreeOn = async (...places) => {
    const wanted = names.map((name, at) => [name, cursor(places[at])]);
    await untilSeen(
      presences,
      names.map((own) => Object.fromEntries(wanted.filter(([name]) => name !== own))),
    );
    const own = locals.map(({value}) => value);
    assert.deepEqual(own, places.map(cursor));
  };
  await agreeOn(...cursors);
  return {tabs, docs, presences, locals, agreeOn};
}

const cursor = (index) => ({index, length: 0});

/** Types at a place. */
const type = (index, text) => ({ops: [...(index ? [{retain: index}] : []), {insert: text}]});

for (const transport of TRANSPORTS) {
  for (const codec of CODECS) {
    test(`cursors over ${transport} in ${codec} move with everybody's ops`, async () => {
      const {docs, agreeOn} = await openText([2, 5, 8], {transport, codec});
      await call(docs[0], 'submitOp', type(0, 'a'));
      await agreeOn(3, 6, 9);
      await call(docs[1], 'submitOp', type(4, 'bb'));
      await agreeOn(3, 8, 11);
      await call(docs[2], 'submitOp', {ops: [{retain: 1}, {delete: 3}]});
      await agreeOn(1, 5, 8);
      const ops = docs.map((doc, at) => call(doc, 'submitOp', type(2 * at, `${at}`)));
      await Promise.all(ops);
      await agreeOn(2, 8, 11);
    });
  }
}

test('what another client types at the cursors of all moves only its own', async () => {
  const {docs, agreeOn} = await openText([5, 5, 5]);
  await call(docs[2], 'submitOp', type(5, '!'));
  await agreeOn(5, 5, 6);
});

test('a cursor that is set right after an op of the tab is where it was set', async () => {
  const {docs, locals, agreeOn} = await openText([2, 5, 8]);
  docs[0].submitOp(type(0, 'now'));
  await call(locals[0], 'submit', cursor(7));
  await agreeOn(7, 8, 11);
});

test('cursors of a tab that closes are gone, and those of others go on', async () => {
  const {tabs, docs, presences} = await openText([2, 5, 8]);
  tabs[0].close();
  const others = presences.slice(1);
  await untilSeen(others, [{eve: cursor(8)}, {bob: cursor(5)}]);
  await call(docs[2], 'submitOp', type(0, 'x'));
  await untilSeen(others, [{eve: cursor(9)}, {bob: cursor(6)}]);
});

test('what waits for an answer about presence ends with an error when the connection fails', async () => {
  const {backend} = newServer();
  // The server answers nothing about one channel, nor who leaves another.
  backend.use('receive', ({data}, next) => {
    if (data.ch !== 'silent' && data.a !== 'pu') next();
  });
  const [end, hubEnd] = newPair();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: end}));
  tab.on('error', () => {});
  await until(() => tab.state === 'connected');
  const [room, left] = ['room', 'left'].map((channel) => tab.getPresence(channel));
  for (const presence of [room, left]) await call(presence, 'subscribe');
  const [shown, gone] = ['shown', 'gone'].map((id) => room.create(id));
  await call(shown, 'submit', 1);
  const silent = tab.getPresence('silent');
  const locals = [silent.create(), silent.create()];
  const waiting = [
    errorOf(silent, 'subscribe'),
    errorOf(silent, 'subscribe'),
    errorOf(left, 'destroy'),
    errorOf(locals[0], 'submit', 1),
    errorOf(locals[0], 'submit', 2),
    errorOf(locals[1], 'destroy'),
  ];
  await turns(10);
  end.cut('the line is dead');
  await until(() => tab.state === 'stopped');
  const late = [
    errorOf(room, 'subscribe'),
    errorOf(tab.getPresence('another'), 'subscribe'),
    errorOf(shown, 'submit', 2),
    errorOf(gone, 'destroy'),
  ];
  const errors = await Promise.all([...waiting, ...late]);
  for (const error of errors) assert.equal(error?.code, 'ERR_TABMUX_TRANSPORT');
  // Without a callback it is no news.
  shown.submit(3);
  room.subscribe();
  await turns(10);
});
