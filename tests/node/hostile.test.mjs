// A tab may harm itself, and never its siblings.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {
  call,
  closing,
  converged,
  errorOf,
  newBackend,
  newPair,
  plain,
  subscribeAll,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];
const JSON0 = 'http://sharejs.org/types/JSONv0';

/** A hub with two tabs and an outsider, which share a document. */
async function begin() {
  const backend = newBackend({presence: true, doNotForwardSendPresenceErrorsToClient: true});
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const faults = [];
  hub.on('fault', ({code}) => faults.push(code));
  const join = () => {
    const [tabEnd, hubEnd] = newPair();
    hub.accept(hubEnd);
    return closing(createConnection({transport: tabEnd, codec: 'json'}));
  };
  const tabs = [join(), join()];
  const docs = await subscribeAll([...tabs, plain(backend)], 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  return {backend, hub, faults, join, tabs, docs};
}

test('an event of the upstream connection that makes no sense is a fault that names it', async () => {
  const {hub, docs} = await begin();
  const faults = [];
  hub.on('fault', ({code, message}) => faults.push([code, message]));
  hub.connection.emit('state', 7);
  await until(() => faults.length === 1);
  const why = 'an event of the upstream connection, state, was dropped: state must be a string';
  assert.deepEqual(faults, [['ERR_TABMUX_BAD_FRAME', why]]);
  await call(docs[0], 'submitOp', ADD);
  await converged(...docs);
});

/** The end of a transport at which one writes frames by hand, and what it was sent. */
function rawEnd(hub) {
  const end = {
    heard: [],
    isStale: false,
    send(frame) {
      const {packet, stale} = JSON.parse(frame);
      end.isStale ||= stale === true;
      end.heard.push(...packet.messages);
    },
    close() {},
    hello(tab, {secret, session = 1, layers = [{layer: 'batching', maxMessages: 1000}]} = {}) {
      const body = {request: 1, protocol: 1, codec: 'json', tab, secret, identity: ''};
      const packet = {messages: [{type: 'hello', body}]};
      end.onframe(JSON.stringify({session, layers, packet}));
    },
    say(type, body, session = 1) {
      end.onframe(JSON.stringify({session, packet: {messages: [{type, body}]}}));
    },
    async answer(request) {
      await until(() => end.heard.some(({body}) => body?.request === request && body.error));
      return end.heard.find(({body}) => body?.request === request && body.error).body.error.code;
    },
  };
  hub.accept(end);
  return end;
}

/** The siblings still exchange edits, and a new tab comes in. */
async function unharmed({docs, join}) {
  const {n} = docs[0].data;
  await call(docs[0], 'submitOp', ADD);
  await call(docs[1], 'submitOp', ADD);
  await converged(...docs);
  assert.equal(docs[2].data.n, n + 2);
  await call(join().get('things', 'one'), 'fetch');
}

test('what is no message is refused where it is sent, and by the hub', async () => {
  const stage = await begin();
  const [tab] = stage.tabs;
  for (const message of [null, 1, 'text', [], {}, {a: 1}]) {
    assert.throws(() => tab.send(message), {code: 'ERR_MESSAGE_BADLY_FORMED'});
  }
  const end = rawEnd(stage.hub);
  end.hello('raw');
  for (const message of [null, 1, 'text', [], {}, {a: 1}]) {
    end.say('connection.send', {message, losses: 0});
  }
  await until(() => stage.faults.length === 6);
  assert.ok(stage.faults.every((code) => code === 'ERR_MESSAGE_BADLY_FORMED'));
  await unharmed(stage);
});

test('results that a tab says it has at hand do not reach the hub', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const spec = {collection: 'things', query: {}, options: {results: [null]}, subscribe: true};
  end.say('connection.query', {request: 2, spec});
  await until(() => end.heard.some(({type}) => type === 'query.ready'));
  const {body} = end.heard.find(({type}) => type === 'query.ready');
  assert.deepEqual([body.error, body.results], [undefined, [{collection: 'things', id: 'one'}]]);
  await unharmed(stage);
});

test('options of a query that are none are an error of the one who asks', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  end.hello('raw');
  for (const [at, options] of [null, 7].entries()) {
    const spec = {collection: 'things', query: {}, options, subscribe: true};
    end.say('connection.query', {request: 10 + at, spec});
    assert.equal(await end.answer(10 + at), 'ERR_TABMUX_BAD_FRAME');
  }
  await unharmed(stage);
});

test('names that every object has are refused, for documents and collections', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const names = [
    {collection: '__proto__', id: 'one'},
    {collection: 'things', id: 'constructor'},
    {collection: 'things', id: 'x'.repeat(10_000)},
  ];
  for (const [at, doc] of names.entries()) {
    end.say('doc.subscribe', {request: 10 + at, doc});
    assert.match(await end.answer(10 + at), /^ERR_(MESSAGE_BADLY_FORMED|TABMUX_BAD_FRAME)$/);
  }
  const ops = [{op_id: 1, op: {create: {type: JSON0, data: {}}}, compose: false}];
  end.say('doc.submitOp', {doc: names[0], ops});
  await until(() => end.heard.some(({type}) => type === 'doc.rejected'));
  assert.equal({}.n, undefined);
  await unharmed(stage);
});

test('an op whose path leads into a prototype is refused by the hub as well', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const doc = {collection: 'things', id: 'one'};
  end.say('doc.subscribe', {request: 2, doc});
  await until(() => end.heard.some(({type}) => type === 'doc.load'));
  const {rev} = end.heard.find(({type}) => type === 'doc.load').body;
  for (const [at, p] of [
    ['__proto__', 'bad'],
    [['__proto__'], 'bad'],
  ].entries()) {
    const ops = [{op_id: at + 1, op: {op: [{p, oi: 1}]}, compose: false}];
    end.say('doc.submitOp', {doc, base_rev: rev, ops});
    await until(() => end.heard.filter(({type}) => type === 'doc.rejected').length === at + 1);
  }
  assert.equal({}.bad, undefined);
  await unharmed(stage);
});

test('a snapshot of a type that the hub does not know is an error of that tab alone', async () => {
  const stage = await begin();
  const errors = [];
  for (const doc of stage.docs) doc.on('error', (error) => errors.push(error));
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const doc = {collection: 'things', id: 'one'};
  end.say('doc.ingest', {doc, snapshot: {version: 9, type: 'unheard-of', data: {}}});
  await until(() => end.heard.some(({type}) => type === 'doc.event'));
  assert.deepEqual(errors, []);
  await unharmed(stage);
});

test('who has no proof that a tab is theirs can not come in its place', async () => {
  const stage = await begin();
  const [victim] = stage.tabs;
  for (const secret of [undefined, '', '00'.repeat(32), 'zz'.repeat(32), victim.tabId]) {
    const end = rawEnd(stage.hub);
    end.hello(victim.tabId, {secret, session: 99});
    assert.equal(await end.answer(1), 'ERR_TABMUX_TAB_ID');
  }
  assert.ok(stage.faults.every((code) => code === 'ERR_TABMUX_TAB_ID'));
  assert.equal(victim.state, 'connected');
  assert.equal(victim.tabs.length, 2);
  await unharmed(stage);
});

test('The unload journal of a tab that lives is taken from nobody else', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const ops = [{op_id: 1000, op: {op: ADD}, compose: false}];
  const docs = [{doc: {collection: 'things', id: 'one'}, rev: 1, subscribed: false, ops}];
  end.say('connection.unloadJournal', {request: 2, tab: stage.tabs[0].tabId, lineage: 'any', docs});
  assert.equal(await end.answer(2), 'ERR_TABMUX_HUB_LOST');
  await unharmed(stage);
});

test('one transport is for one tab, and ever new tabs on it leave no ghosts', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  for (let at = 0; at < 500; at++) end.hello(`tab ${at}`, {session: at + 1});
  await unharmed(stage);
  const known = stage.tabs[0].tabs.map(({id}) => id);
  assert.deepEqual(
    known.filter((id) => id.startsWith('tab ')),
    ['tab 0'],
  );
  assert.equal(stage.faults.filter((code) => code === 'ERR_TABMUX_TAB_ID').length, 499);
});

test('many tabs that come at once are told of in one message to each', async () => {
  const stage = await begin();
  const ends = Array.from({length: 200}, () => rawEnd(stage.hub));
  for (const [at, end] of ends.entries()) end.hello(`tab ${at}`);
  await unharmed(stage);
  const told = ends.map(({heard}) => heard.filter(({type}) => type === 'connection.tabs').length);
  assert.ok(told.every((count) => count > 0));
  assert.ok(told[0] <= 210, `the first was told ${told[0]} times`);
});

const shared = [
  {a: 'hs', id: 'me', protocol: 1},
  {a: 'u', c: 'things', d: 'one'},
  {a: 'bu', c: 'things', b: ['one']},
  {a: 's', c: 'things', d: 'one', v: null},
  {a: 'bs', c: 'things', b: ['one']},
  {a: 'qu', id: 1},
  {a: 'qs', id: 1, c: 'things', q: {}},
];
for (const message of shared) {
  test(`a message ${message.a} by hand neither mutes nor stalls siblings`, async () => {
    const stage = await begin();
    const query = stage.tabs[1].createSubscribeQuery('things', {});
    await new Promise((resolve) => query.once('ready', resolve));
    const refused = {code: 'ERR_TABMUX_MESSAGE_REFUSED'};
    assert.throws(() => stage.tabs[0].send(message), refused);
    const end = rawEnd(stage.hub);
    end.hello('raw');
    end.say('connection.send', {message, losses: 0});
    await until(() => stage.faults.includes(refused.code));
    await call(stage.docs[2], 'submitOp', ADD);
    await converged(...stage.docs);
    const found = new Promise((resolve) => query.once('insert', resolve));
    await call(stage.docs[2].connection.get('things', 'two'), 'create', {n: 1});
    await found;
    await unharmed(stage);
  });
}

test("an op by hand takes no name that an op of the hub's connection has or will have", async () => {
  const stage = await begin();
  const {seq} = stage.hub.connection;
  const {n} = stage.docs[0].data;
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const own = {a: 'op', c: 'things', d: 'one', v: stage.docs[2].version, x: {}, op: ADD};
  for (const src of [undefined, stage.hub.connection.id]) {
    for (const next of [seq, seq + 1]) {
      end.say('connection.send', {message: {...own, src, seq: next}, losses: 0});
    }
  }
  await until(() => stage.docs[2].data.n > n);
  await turns(20);
  await unharmed(stage);
});

test('a query by hand does not take the answer to that of a sibling', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const {nextQueryId} = stage.hub.connection;
  const asked = call(stage.tabs[0], 'createFetchQuery', 'things', {}, null);
  for (let id = nextQueryId - 1; id < nextQueryId + 3; id++) {
    end.say('connection.send', {message: {a: 'qf', id, c: 'elsewhere', q: {}}, losses: 0});
  }
  assert.deepEqual(
    (await asked).map(({id}) => id),
    ['one'],
  );
  const received = ({type, body}) => type === 'connection.receive' && body.message.a === 'qf';
  await until(() => end.heard.filter(received).length === 4);
});

test('tabs that show the same presence hear of their own each', async () => {
  const stage = await begin();
  const presences = stage.tabs.map((tab) => tab.getPresence('room').create('me'));
  await Promise.all(presences.map((presence) => call(presence, 'submit', {at: 1})));
  await Promise.all(presences.map((presence) => call(presence, 'submit', {at: 2})));
  await call(presences[0], 'submit', null);
  await call(presences[1], 'submit', {at: 3});
});

test('what a tab says in the name of the server is told to nobody else', async () => {
  const stage = await begin();
  const version = stage.docs[0].version;
  const fake = {a: 'op', c: 'things', d: 'one', v: version, src: 'x', seq: 1, op: ADD};
  const refused = {code: 'ERR_TABMUX_MESSAGE_REFUSED'};
  assert.throws(() => stage.tabs[0].handleMessage(fake), refused);
  assert.throws(() => stage.tabs[0].handleMessage({a: 'hs', id: 'x'}), refused);
  const end = rawEnd(stage.hub);
  end.hello('raw');
  end.say('connection.handleMessage', {message: fake});
  end.say('connection.handleMessage', {message: {...fake, error: {code: 'x', message: 'y'}}});
  await until(() => stage.faults.length === 2);
  assert.deepEqual(stage.faults, [refused.code, refused.code]);
  assert.deepEqual([stage.docs[1].version, stage.docs[1].data.n], [version, 0]);
  await unharmed(stage);
});

test('frames that wait for an earlier one end the session before they fill the memory', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  const layers = [
    {layer: 'batching', maxMessages: 1000},
    {layer: 'ordering', maxHeld: 2_000_000_000},
  ];
  const body = {request: 1, protocol: 1, codec: 'json', tab: 'raw', identity: ''};
  const first = {seq: 1, messages: [{type: 'hello', body}]};
  end.onframe(JSON.stringify({session: 1, layers, packet: first}));
  const message = {a: 'custom', text: 'x'.repeat(2 ** 20)};
  const messages = [{type: 'connection.send', body: {message, losses: 0}}];
  for (let seq = 3; seq < 100; seq++) {
    end.onframe(JSON.stringify({session: 1, packet: {seq, messages}}));
  }
  await until(() => end.isStale);
  assert.ok(stage.faults.includes('ERR_TABMUX_TOO_MUCH'));
  await unharmed(stage);
});

test('a tab that asks for too many queries is told so, and its siblings are not', async () => {
  const stage = await begin();
  const end = rawEnd(stage.hub);
  end.hello('raw');
  const messages = Array.from({length: 10_001}, (_, at) => ({
    type: 'connection.query',
    body: {request: at + 2, spec: {collection: 'elsewhere', query: {}, subscribe: true}},
  }));
  end.onframe(JSON.stringify({session: 1, packet: {messages}}));
  assert.equal(await end.answer(10_002), 'ERR_TABMUX_TOO_MUCH');
  assert.deepEqual(stage.faults, ['ERR_TABMUX_TOO_MUCH']);
  await unharmed(stage);
});

test('an object that throws when it is read is a fault, and no more', async () => {
  const stage = await begin();
  const [, hubEnd] = newPair();
  stage.hub.accept(hubEnd);
  let reads = 0;
  const trap = {
    get session() {
      reads += 1;
      if (reads > 1) throw new Error('not again');
      return 1;
    },
    packet: {messages: []},
  };
  hubEnd.onframe(trap);
  hubEnd.onframe(new Proxy({}, {}));
  await until(() => stage.faults.length > 0);
  await unharmed(stage);
});

test('what is thrown where the hub calls ShareDB is an error of the one who asked', async () => {
  const stage = await begin();
  const tab = stage.join();
  const {connection} = stage.hub;
  const {get} = connection;
  connection.get = (collection, id) => {
    if (id === 'broken') throw Object.assign(new Error('broken'), {code: 'ERR_BROKEN'});
    return get.call(connection, collection, id);
  };
  const {createFetchQuery} = connection;
  connection.createFetchQuery = () => {
    throw Object.assign(new Error('no query'), {code: 'ERR_NO_QUERY'});
  };
  const broken = tab.get('things', 'broken');
  assert.equal((await errorOf(broken, 'fetch')).code, 'ERR_BROKEN');
  assert.equal((await errorOf(broken, 'subscribe')).code, 'ERR_BROKEN');
  assert.equal((await errorOf(tab, 'createFetchQuery', 'things', {}, null)).code, 'ERR_NO_QUERY');
  connection.createFetchQuery = createFetchQuery;
  connection.get = get;
  const {send} = connection;
  connection.send = (message) => {
    if (message.a === 'custom') throw new Error('the socket is gone');
    return send.call(connection, message);
  };
  tab.send({a: 'custom'});
  await until(() => stage.faults.length > 0);
  connection.send = send;
  await unharmed(stage);
});
