// Spoiled frames as objects, both ways, and spoiled answers of the server. The other codecs, which need
// no JavaScript, have their storms in `tests/hub/storm.rs`.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import Backend from 'sharedb';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {COUNT, pick, seeded, spoil} from './spoiled.mjs';
import {
  call,
  closing,
  converged,
  newBackend,
  newPair,
  plain,
  subscribeAll,
  turn,
} from './support.mjs';

// ShareDB warns of every message that it does not know.
Backend.logger.setMethods({info() {}, warn() {}, error() {}});

const ADD = [{p: ['n'], na: 1}];

/** A hub with two tabs that share a document, and an outsider. */
async function begin(options) {
  const backend = newBackend({presence: true, doNotForwardSendPresenceErrorsToClient: true});
  const connections = [];
  const connect = () => {
    connections.push(backend.connect());
    return connections[0];
  };
  const hub = closing(defineHub({connect, ...options}).hub());
  const faults = [];
  hub.on('fault', ({code, message}) => faults.push(`${code}: ${message}`));
  const join = (options) => {
    const [tabEnd, hubEnd] = newPair();
    hub.accept(hubEnd);
    const tab = closing(createConnection({transport: tabEnd, ...options}));
    return {tab, tabEnd, hubEnd};
  };
  const tabs = [join().tab, join().tab];
  const docs = await subscribeAll([...tabs, plain(backend)], 'things', 'shared');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  return {backend, hub, connections, faults, join, tabs, docs};
}

/** The siblings are as quick as before, and nothing was thrown or has piled up. */
async function unharmed({docs, faults}, memory) {
  const {n} = docs[0].data;
  docs[1].submitOp(ADD);
  const start = performance.now();
  while (docs[0].data.n === n) await turn();
  assert.ok(performance.now() - start < 5000);
  await converged(...docs);
  assert.ok(!faults.some((fault) => fault.startsWith('ERR_TABMUX_CORE_FAILED')), faults.join('\n'));
  globalThis.gc?.();
  const grown = (process.memoryUsage().rss - memory) / 2 ** 20;
  assert.ok(grown < 600, `${grown} MB more`);
}

const doc = {collection: 'things', id: 'spoiled'};
const ops = [
  {op_id: 1, op: {create: {type: 'http://sharejs.org/types/JSONv0', data: {n: 1}}}, compose: false},
  {op_id: 2, op: {op: [{p: ['n'], na: 1}]}, compose: true, source: {a: 1}},
];
const held = [{doc, rev: 3, subscribed: true, awaiting: [1], ops}];
const send = (message) => ['connection.send', {message, losses: 0}];

function hello(session) {
  const body = {request: 1, protocol: 1, codec: 'structured-clone', tab: 'storm', identity: ''};
  const layers = [{layer: 'coalescing'}, {layer: 'batching', maxMessages: 1000}];
  return {session, layers, packet: {messages: [{type: 'hello', body}]}};
}

const ofTabs = [
  ['away'],
  ['bye'],
  ['connection.resume', {docs: held}],
  ['connection.unloadJournal', {request: 9, tab: 'gone', lineage: 'x', docs: held}],
  ['connection.getBulk', {request: 6, docs: [{doc, rev: 2}]}],
  ['connection.bulkBegin'],
  ['connection.bulkEnd'],
  [
    'connection.query',
    {
      request: 7,
      spec: {collection: 'things', query: {}, options: {results: [null]}, subscribe: true},
    },
  ],
  ['query.end', {request: 7}],
  send({a: 'p', ch: 'room', id: 'me', p: {at: 1}, pv: 1}),
  send({a: 'ps', ch: 'room', seq: 1}),
  send({a: 'pu', ch: 'room', seq: 2}),
  send({a: 'nf', id: 1, c: 'things', d: 'spoiled', v: 1}),
  send({a: 'f', c: 'things', d: 'spoiled'}),
  send({a: 'op', c: 'things', d: 'spoiled', v: 1, seq: 1, x: {}, op: ADD}),
  send({a: 'pp'}),
  ['connection.handleMessage', {message: {a: 'op', c: 'things', d: 'spoiled', error: {code: 'x'}}}],
  ['doc.ingest', {doc, snapshot: {version: 4, type: 'json0', data: {n: 1}}}],
  ['doc.fetch', {request: 5, doc, rev: 1}],
  ['doc.subscribe', {request: 5, doc}],
  ['doc.unsubscribe', {request: 5, doc}],
  ['doc.submitOp', {doc, base_rev: 1, ops}],
  ['doc.submitOp', {doc, ops}],
  ['doc.seen', {doc, rev: 2}],
  ['doc.release', {doc, heard: 0}],
  ['store.ask', {request: 8, question: {type: 'usage'}}],
  ['store.heard', {doc, number: 1}],
];

test('spoiled frames of a tab are felt by no other', async (t) => {
  const random = seeded(t);
  const stage = await begin();
  const memory = process.memoryUsage().rss;
  let end;
  for (let sent = 0; sent < COUNT; sent++) {
    if (sent % 20 === 0) {
      end?.onclose();
      end = {send() {}, close() {}};
      stage.hub.accept(end);
      end.onframe(hello(1));
    }
    const [type, body] = structuredClone(pick(ofTabs, random));
    const frame = {session: 1, packet: {messages: [body ? {type, body} : {type}]}};
    if (random() < 0.1) frame.packet.messages[0].type = pick(ofTabs, random)[0];
    end.onframe(random() < 0.02 ? spoil([frame], random)[0] : spoil(frame, random));
    if (sent % 100 === 99) await turn();
  }
  await unharmed(stage, memory);
});

test('spoiled frames of a hub harm no more than their tab', async (t) => {
  const random = seeded(t);
  const stage = await begin();
  const memory = process.memoryUsage().rss;
  const {tab, tabEnd, hubEnd} = stage.join();
  const errors = [];
  for (const event of ['fault', 'error']) tab.on(event, (error) => errors.push(error));
  const spoiled = tab.get('things', 'one');
  spoiled.on('error', () => {});
  await call(spoiled, 'subscribe');
  await call(spoiled, 'create', {n: 0});
  const query = tab.createSubscribeQuery('things', {});
  query.on('error', () => {});
  await new Promise((resolve) => query.once('ready', resolve));
  for (let at = 0; at < 5; at++) await call(spoiled, 'submitOp', ADD);
  const recorded = hubEnd.frames.filter(({packet}) => packet.messages.length > 0);
  assert.ok(recorded.length > 8);
  for (let sent = 0; sent < COUNT; sent++) {
    tabEnd.onframe?.(spoil(structuredClone(pick(recorded, random)), random));
    if (sent % 100 === 99) {
      spoiled.submitOp(ADD, () => {});
      await turn();
    }
  }
  assert.ok(!errors.some(({code}) => code === 'ERR_TABMUX_CORE_FAILED'));
  assert.ok(errors.some(({code}) => code === 'ERR_TABMUX_BAD_FRAME'));
  await unharmed(stage, memory);
});

for (const [what, {count, ...options}] of Object.entries({
  'a hub': {count: COUNT},
  'a hub with a store': {count: COUNT / 5, store: true},
})) {
  test(`spoiled answers of the server about one document leave the others of ${what} as they were`, async (t) => {
    const random = seeded(t);
    const stage = await begin(options);
    const memory = process.memoryUsage().rss;
    const {socket} = stage.connections[0];
    const recorded = [];
    const take = socket.onmessage;
    socket.onmessage = (event) => {
      const data = typeof event.data === 'string' ? JSON.parse(event.data) : event.data;
      if (data?.d === 'one' || data?.a?.[0] === 'q' || data?.a === 'p') recorded.push(data);
      take.call(socket, event);
    };
    const {tab} = stage.join();
    tab.on('error', () => {});
    const spoiled = tab.get('things', 'one');
    spoiled.on('error', () => {});
    await call(spoiled, 'subscribe');
    await call(spoiled, 'create', {n: 0});
    const query = tab.createSubscribeQuery('elsewhere', {});
    query.on('error', () => {});
    await new Promise((resolve) => query.once('ready', resolve));
    const other = stage.docs[2].connection.get('things', 'one');
    await call(other, 'subscribe');
    for (let at = 0; at < 5; at++) {
      await call(spoiled, 'submitOp', ADD);
      await call(other, 'submitOp', ADD);
    }
    for (const seen of stage.tabs) seen.on('error', () => {});
    assert.ok(recorded.length > 8);
    for (let sent = 0; sent < count; sent++) {
      const message = spoil([structuredClone(pick(recorded, random))], random)[0];
      const text = JSON.stringify(message, (_, it) => (typeof it === 'bigint' ? 1 : it));
      take.call(socket, {data: text});
      if (sent % 100 === 99) {
        spoiled.submitOp(ADD, () => {});
        await turn();
      }
    }
    await unharmed(stage, memory);
  });
}
