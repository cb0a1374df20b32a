import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {newHub, openTab} from './own-hub.mjs';
import {
  CODECS,
  call,
  closing,
  converged,
  errorOf,
  newBackend,
  newPair,
  numbers,
  plain,
  spoil,
  subscribeAll,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

const KIND_OF_FRAMES = {
  'structured-clone': (frame) => Object.getPrototypeOf(frame) === Object.prototype,
  json: (frame) => typeof frame === 'string',
  cbor: (frame) => frame instanceof Uint8Array,
};

for (const codec of CODECS) {
  test(`tabs over a transport of one's own work together, and ${codec} makes all frames`, async () => {
    const backend = newBackend();
    const hub = newHub(backend);
    const [one, two] = [openTab(hub, {codec}), openTab(hub, {codec})];
    assert.equal(one.tab.topology, 'custom');
    const docs = await subscribeAll([one.tab, two.tab, plain(backend)], 'things', 'one');
    await call(docs[0], 'create', {n: 0});
    await converged(...docs);
    for (const doc of docs) doc.submitOp(ADD);
    await converged(...docs);
    assert.equal(docs[0].data.n, 3);
    for (const {frames} of [one.tabEnd, one.hubEnd, two.tabEnd, two.hubEnd]) {
      assert.ok(frames.length > 0);
      assert.ok(frames.every(KIND_OF_FRAMES[codec]));
    }
  });
}

test('tabs of one hub may have different codecs', async () => {
  const backend = newBackend();
  const hub = newHub(backend);
  const tabs = CODECS.map((codec) => openTab(hub, {codec}).tab);
  const docs = await subscribeAll(tabs, 'things', 'one');
  await call(docs[0], 'create', {text: 'ä\u2028\ud83d\ude00', list: [1.5, -0, null, true, {}]});
  await converged(...docs);
});

test('the least a transport needs is send and close', async () => {
  const hub = newHub(newBackend());
  const ends = [0, 1].map((at) => ({
    send: (frame) => setImmediate(() => ends[1 - at].onframe(frame)),
    close: () => {},
  }));
  hub.accept(ends[1]);
  const tab = closing(createConnection({transport: ends[0]}));
  await call(tab.get('things', 'one'), 'create', {n: 0});
});

test('a transport may deliver a frame before its send returns', async () => {
  const backend = newBackend();
  const hub = newHub(backend);
  const tabs = [0, 1].map(() => {
    const [tabEnd, hubEnd] = newPair();
    for (const end of [tabEnd, hubEnd]) end.deliver = (frame) => end.other.onframe(frame);
    hub.accept(hubEnd);
    return closing(createConnection({transport: tabEnd}));
  });
  const docs = await subscribeAll(tabs, 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  docs[1].on('op', (_op, source) => {
    if (!source) docs[1].submitOp([{p: ['n'], na: 10}]);
  });
  await call(docs[0], 'submitOp', ADD);
  await until(() => docs[0].data.n === 11);
  await converged(...docs);
});

for (const codec of CODECS) {
  test(`over a transport that loses, doubles and reorders frames of ${codec}, the default layers lose nothing`, async () => {
    const backend = newBackend();
    const hub = newHub(backend);
    const random = numbers(7);
    const guarantees = {ordered: false, reliable: false};
    const ends = [0, 1].map(() => openTab(hub, {codec}, guarantees));
    for (const {tabEnd, hubEnd} of ends) {
      spoil(tabEnd, random);
      spoil(hubEnd, random);
    }
    const docs = await subscribeAll(
      ends.map(({tab}) => tab),
      'things',
      'one',
    );
    await call(docs[0], 'create', {n: 0, words: []});
    await converged(...docs);
    let answers = 0;
    for (let i = 0; i < 10; i++) {
      for (const [at, doc] of docs.entries()) {
        doc.submitOp([...ADD, {p: ['words', doc.data.words.length], li: `${at}-${i}`}], (error) => {
          assert.equal(error, undefined);
          answers++;
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await converged(...docs);
    assert.equal(answers, 20);
    assert.equal(docs[0].data.n, 20);
    assert.equal(new Set(docs[0].data.words).size, 20);
  });
}

test('what a transport that is not reliable fails to send is sent again', async () => {
  const {tab, tabEnd} = openTab(newHub(newBackend()), {}, {reliable: false});
  const deliver = tabEnd.deliver;
  let times = 0;
  tabEnd.deliver = (frame) => {
    times += 1;
    if (times % 2 === 1) throw new Error('the line is busy');
    deliver.call(tabEnd, frame);
  };
  const faults = [];
  tab.on('fault', (error) => faults.push(error));
  await call(tab.get('things', 'one'), 'create', {n: 0});
  assert.ok(faults.length > 0);
  for (const error of faults) {
    assert.equal(error.code, 'ERR_TABMUX_TRANSPORT');
    assert.match(error.message, /the line is busy/);
  }
});

test('a transport that promised to lose nothing and fails to send is closed, and what waits ends', async () => {
  const {tab, tabEnd} = openTab(newHub(newBackend()));
  await until(() => tab.state === 'connected');
  tabEnd.deliver = () => {
    throw new Error('the line is busy');
  };
  const fault = once(tab, 'fault');
  const failure = once(tab, 'error');
  const error = await errorOf(tab.get('things', 'one'), 'fetch');
  assert.equal(error.code, 'ERR_TABMUX_TRANSPORT');
  assert.equal((await failure)[0].code, 'ERR_TABMUX_TRANSPORT');
  assert.equal((await fault)[0].code, 'ERR_TABMUX_TRANSPORT');
});

test('a transport that closes ends everything that waits with an error', async () => {
  const hub = newHub(newBackend());
  const {tab, tabEnd, hubEnd} = openTab(hub);
  const sibling = openTab(hub).tab;
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'create', {n: 0});
  await until(() => sibling.tabs.length === 2);

  hubEnd.deliver = () => {};
  const heard = once(tab, 'error');
  const waiting = [
    errorOf(doc, 'submitOp', ADD),
    errorOf(doc, 'fetch'),
    errorOf(tab, 'getBulk', 'things', ['two']),
  ];
  await turns(3);
  tabEnd.cut('the line was cut');
  for (const error of [...(await Promise.all(waiting)), ...(await heard)]) {
    assert.equal(error.code, 'ERR_TABMUX_TRANSPORT');
    assert.match(error.message, /the line was cut/);
  }
  assert.deepEqual([tab.state, tab.hasPending()], ['stopped', false]);
  assert.equal((await errorOf(doc, 'fetch')).code, 'ERR_TABMUX_TRANSPORT');
  assert.equal((await errorOf(doc, 'submitOp', ADD)).code, 'ERR_TABMUX_TRANSPORT');
  await until(() => sibling.tabs.length === 1);
  assert.equal(sibling.state, 'connected');
});

test('close closes the transport once, and the hub hears of it', async () => {
  const hub = newHub(newBackend());
  const [tabEnd, hubEnd] = newPair();
  const reasons = [];
  const close = tabEnd.close;
  tabEnd.close = function (reason) {
    reasons.push(reason);
    close.call(this, reason);
  };
  hub.accept(hubEnd);
  const tab = createConnection({transport: tabEnd});
  const [joined] = await once(hub, 'joined');
  const left = once(hub, 'left');
  tab.close();
  tab.close();
  assert.deepEqual([joined, (await left)[0]], [tab.tabId, tab.tabId]);
  assert.equal(reasons.length, 1);
  // What comes late is nobody's.
  tabEnd.onframe?.({});
  tabEnd.onclose?.();
  await turns(3);
  assert.equal(tab.state, 'closed');
});

test('a hub that closes closes its transports', async () => {
  const hub = newHub(newBackend());
  const {tab} = openTab(hub);
  await until(() => tab.state === 'connected');
  const heard = once(tab, 'error');
  hub.close();
  assert.equal((await heard)[0].code, 'ERR_TABMUX_TRANSPORT');
  assert.equal(tab.state, 'stopped');
});

test('an error of the transport is reported, and the connection goes on', async () => {
  const hub = newHub(newBackend());
  const {tab, tabEnd, hubEnd} = openTab(hub);
  const faults = [once(tab, 'fault'), once(hub, 'fault')];
  tabEnd.onerror(new Error('noise at the tab'));
  hubEnd.onerror(new Error('noise at the hub'));
  const [atTab, atHub] = await Promise.all(faults);
  assert.match(atTab[0].message, /noise at the tab/);
  assert.match(atHub[0].message, /noise at the hub/);
  await call(tab.get('things', 'one'), 'create', {n: 0});
});

for (const [codec, frames] of Object.entries({
  'structured-clone': [null, 7, {}, {session: 1}, {session: 1, packet: {messages: [{type: 'x'}]}}],
  json: ['', 'nonsense', '{"session":1}', '[]'],
  cbor: [new Uint8Array(), new Uint8Array([0xff, 1, 2]), new Uint8Array([0x80])],
})) {
  test(`frames that ${codec} can not read are reported and dropped, on both sides`, async () => {
    const hub = newHub(newBackend());
    const {tab, tabEnd, hubEnd} = openTab(hub, {codec});
    const doc = tab.get('things', 'one');
    await call(doc, 'create', {n: 0});
    const faults = {tab: [], hub: []};
    tab.on('fault', (error) => faults.tab.push(error.code));
    hub.on('fault', (error) => faults.hub.push(error.code));
    for (const frame of frames) {
      tabEnd.onframe(frame);
      hubEnd.onframe(frame);
    }
    await turns(5);
    const expected = frames.map(() => 'ERR_TABMUX_BAD_FRAME');
    assert.deepEqual(faults, {tab: expected, hub: expected});
    await call(doc, 'submitOp', ADD);
    assert.deepEqual([tab.state, doc.data], ['connected', {n: 1}]);
  });
}

test("a hub refuses a tab of another identity, and the tab's callbacks hear of it", async () => {
  const hub = closing(defineHub({connect: () => newBackend().connect()}).hub('ann'));
  const {tab} = openTab(hub, {identity: 'bob'});
  const heard = once(tab, 'error');
  const error = await errorOf(tab.get('things', 'one'), 'fetch');
  assert.equal(error.code, 'ERR_TABMUX_IDENTITY');
  assert.match(error.message, /"ann".*"bob"/);
  assert.equal((await heard)[0].code, 'ERR_TABMUX_IDENTITY');
  assert.equal(tab.state, 'stopped');
});
