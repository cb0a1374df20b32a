import assert from 'node:assert/strict';
import {once} from 'node:events';
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
  numbers,
  openTabs,
  plain,
  spoil,
  subscribeAll,
  TRANSPORTS,
  turn,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

/** A tab with these layers, in the hub of a backend, and the two ends between them. */
async function openTab(middleware, {backend = newBackend(), guarantees, trace} = {}) {
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const [tabEnd, hubEnd] = newPair(guarantees);
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: tabEnd, middleware, trace}));
  await until(() => tab.state === 'connected' && tab.tabs.length === 1);
  return {tab, tabEnd, hubEnd, hub};
}

/** How many frames the tab sends if it fetches four documents in one tick. */
async function framesOfFourFetches(middleware) {
  const {tab, tabEnd} = await openTab(middleware);
  await turns(3);
  tabEnd.frames.length = 0;
  const fetched = ['a', 'b', 'c', 'd'].map((id) => call(tab.get('things', id), 'fetch'));
  await turn();
  const {length} = tabEnd.frames;
  await Promise.all(fetched);
  return length;
}

test('batching makes one frame of the messages of one tick', async () => {
  assert.equal(await framesOfFourFetches([]), 4);
  assert.equal(await framesOfFourFetches(['batching']), 1);
  assert.equal(await framesOfFourFetches([{layer: 'batching', maxMessages: 2}]), 2);
  assert.equal(await framesOfFourFetches(undefined), 1);
});

test('trace hears of each message with its direction, time and size', async () => {
  const events = [];
  const {tab} = await openTab(undefined, {trace: (event) => events.push(event)});
  const doc = tab.get('things', 'one');
  await call(doc, 'create', {text: 'hello'});
  const heard = events.map(({direction, message}) => `${direction} ${message.type}`);
  assert.deepEqual(heard.slice(0, 2), ['out hello', 'in welcome']);
  assert.deepEqual(heard.slice(-3), ['out doc.submitOp', 'in doc.sequenced', 'in doc.committed']);
  const submit = events.find(({message}) => message.type === 'doc.submitOp');
  assert.deepEqual(submit.message.body.doc, {collection: 'things', id: 'one'});
  assert.deepEqual(submit.message.body.ops[0].op.create.data, {text: 'hello'});
  let last = 0;
  for (const {time, size, message} of events) {
    assert.equal(size, JSON.stringify(message).length);
    assert.ok(time >= last);
    last = time;
  }
});

for (const transport of TRANSPORTS) {
  test(`all layers at once work over ${transport}`, async () => {
    const trace = [];
    const middleware = [
      'tracing',
      {layer: 'timeouts', after: 5000},
      {layer: 'coalescing', window: 8},
      {layer: 'batching', maxMessages: 16},
      {layer: 'ordering', maxHeld: 100},
      {layer: 'retries', initial: 100, max: 1000, ackDelay: 10},
    ];
    const options = {transport, middleware, trace: (event) => trace.push(event)};
    const backend = newBackend();
    const tabs = openTabs(backend, 2, options);
    const docs = await subscribeAll([...tabs, plain(backend)], 'things', 'one');
    await call(docs[0], 'create', {n: 0});
    await converged(...docs);
    for (let i = 0; i < 20; i++) {
      for (const doc of docs) doc.submitOp(ADD);
      await turn();
    }
    await converged(...docs);
    assert.equal(docs[0].data.n, 60);
    assert.ok(trace.length > 0);
  });
}

test('ordering puts the frames of an unordered transport back in order', async () => {
  const backend = newBackend();
  const {tab, tabEnd, hubEnd} = await openTab(['ordering'], {
    backend,
    guarantees: {ordered: false},
  });
  const random = numbers(3);
  let overtaken = 0;
  for (const end of [tabEnd, hubEnd]) {
    let sent = 0;
    let latest = 0;
    end.deliver = (frame) => {
      const number = ++sent;
      setTimeout(() => {
        if (number < latest) overtaken++;
        latest = Math.max(latest, number);
        end.other.onframe?.(frame);
      }, random() * 10);
    };
  }
  const docs = await subscribeAll([tab, plain(backend)], 'things', 'one');
  await call(docs[0], 'create', {words: []});
  await converged(...docs);
  const answers = [];
  for (let i = 0; i < 30; i++) {
    docs[0].submitOp([{p: ['words', i], li: i}], () => answers.push(i));
    await turns(3);
  }
  await converged(...docs);
  const inOrder = Array.from({length: 30}, (_, i) => i);
  assert.deepEqual(docs[1].data.words, inOrder);
  assert.deepEqual(answers, inOrder);
  assert.ok(overtaken > 0);
});

test('retries resends what is lost, within the times it was given', async () => {
  const backend = newBackend();
  const middleware = ['ordering', {layer: 'retries', initial: 10, max: 40, ackDelay: 2}];
  const guarantees = {ordered: false, reliable: false};
  const {tab, tabEnd, hubEnd} = await openTab(middleware, {backend, guarantees});
  const random = numbers(5);
  for (const end of [tabEnd, hubEnd]) spoil(end, random);
  const docs = await subscribeAll([tab, plain(backend)], 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  for (let i = 0; i < 20; i++) {
    for (const doc of docs) doc.submitOp(ADD);
    await turns(10);
  }
  await converged(...docs);
  assert.equal(docs[0].data.n, 40);
});

test('a hub that is not there ends every request, and the connection', async () => {
  const [tabEnd] = newPair();
  const middleware = [{layer: 'timeouts', after: 30}];
  const tab = closing(createConnection({transport: tabEnd, middleware}));
  const heard = once(tab, 'error');
  const doc = tab.get('things', 'one');
  const errors = await Promise.all([
    errorOf(doc, 'fetch'),
    errorOf(doc, 'create', {}),
    errorOf(tab, 'getBulk', 'things', ['two']),
  ]);
  for (const error of [...errors, ...(await heard)]) {
    assert.equal(error.code, 'ERR_TABMUX_TIMEOUT');
    assert.match(error.message, /30 ms/);
  }
  assert.equal(tab.state, 'stopped');
});

test('a hub that falls silent ends requests, and the connection goes on when it speaks again', async () => {
  const {tab, tabEnd} = await openTab([{layer: 'timeouts', after: 300}]);
  const doc = tab.get('things', 'one');
  const deliver = tabEnd.deliver;
  const held = [];
  tabEnd.deliver = (frame) => held.push(frame);
  let times = 0;
  const error = await new Promise((resolve) => {
    doc.fetch((error) => {
      times += 1;
      resolve(error);
    });
  });
  assert.equal(error.code, 'ERR_TABMUX_TIMEOUT');
  assert.equal(doc.hasPending(), false);
  assert.equal(tab.state, 'connected');

  tabEnd.deliver = deliver;
  for (const frame of held) tabEnd.deliver(frame);
  await call(doc, 'fetch');
  assert.equal(doc.version, 0);
  assert.equal(times, 1);
});

test('a request that waits for the server does not run out', async () => {
  const backend = newBackend();
  let answer;
  backend.use('readSnapshots', (_context, next) => {
    answer = next;
  });
  const {tab} = await openTab([{layer: 'timeouts', after: 300}], {backend});
  const doc = tab.get('things', 'one');
  const fetched = call(doc, 'fetch');
  await until(() => answer);
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(doc.hasPending(), true);
  answer();
  await fetched;
});

test('coalescing holds back what a stalled tab does not take, and merges it meanwhile', async () => {
  const backend = newBackend();
  const window = 4;
  const {tab, hub, hubEnd} = await openTab([{layer: 'coalescing', window}], {backend});
  const [second, secondEnd] = newPair();
  hub.accept(secondEnd);
  const sibling = closing(createConnection({transport: second}));
  const docs = await subscribeAll([tab, sibling, plain(backend)], 'things', 'one');
  await call(docs[2], 'create', {n: 0});
  await converged(...docs);
  await turns(5);

  const deliver = hubEnd.deliver;
  const held = [];
  hubEnd.deliver = (frame) => held.push(frame);
  for (let i = 0; i < 100; i++) await call(docs[2], 'submitOp', ADD);
  await converged(docs[1], docs[2]);
  assert.equal(docs[0].data.n, 0);
  assert.ok(held.length <= window, `${held.length} frames went to the stalled tab`);

  let batches = 0;
  docs[0].on('op batch', () => batches++);
  hubEnd.deliver = deliver;
  for (const frame of held) hubEnd.deliver(frame);
  await converged(...docs);
  assert.equal(docs[0].data.n, 100);
  assert.ok(batches <= 2 * window, `${batches} batches of ops`);
});
