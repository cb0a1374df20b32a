import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {under} from '../docs/pages.mjs';
import {newHub, openTab} from './own-hub.mjs';
import {
  call,
  closing,
  converged,
  newBackend,
  newPair,
  plain,
  subscribeAll,
  turn,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

/** Edits one document in all these tabs and a plain connection, until all have it all. */
async function collaborate(tabs, backend) {
  const docs = await subscribeAll([...tabs, plain(backend)], 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  for (let round = 0; round < 3; round += 1) {
    for (const doc of docs) doc.submitOp(ADD);
    await converged(...docs);
  }
  assert.equal(docs[0].data.n, 3 * docs.length);
}

const toHex = (value) => Buffer.from(JSON.stringify(value)).toString('hex');
const fromHex = (text) => JSON.parse(Buffer.from(text, 'hex').toString());

/** A layer that hides what messages say, with or without a pause. */
const hiding = (pause) => ({
  name: 'hiding',
  async send(message, next) {
    if (pause) await pause();
    next({type: message.type, body: toHex(message.body ?? null)});
  },
  async receive(message, next) {
    if (pause) await pause();
    next({type: message.type, body: fromHex(message.body)});
  },
});

const STACKS = {
  'above batching': (layer) => ['timeouts', 'coalescing', layer, 'batching'],
  'below batching': (layer) => ['timeouts', 'coalescing', 'batching', layer],
  'above coalescing': (layer) => ['timeouts', layer, {layer: 'coalescing', window: 4}, 'batching'],
  'above ordering': (layer) => ['timeouts', 'coalescing', layer, 'batching', 'ordering', 'retries'],
};

for (const [place, stack] of Object.entries(STACKS)) {
  for (const pause of [undefined, () => turns(1)]) {
    test(`a layer at both ends ${place} changes all messages, ${pause ? 'later' : 'at once'}`, async () => {
      const backend = newBackend();
      const hub = newHub(backend, {middleware: [hiding(pause)]});
      const one = openTab(hub, {codec: 'json', middleware: stack(hiding(pause))});
      const two = openTab(hub);
      await collaborate([one.tab, two.tab], backend);
      const said = [...one.tabEnd.frames, ...one.hubEnd.frames].join();
      assert.ok(said.includes('doc.submitOp') && said.includes('doc.change'));
      assert.ok(!said.includes('things'));
    });
  }
}

test('two layers see messages one after the other, and back in the other order', async () => {
  const seen = [];
  const marking = (end, name) => ({
    name,
    send(message, next) {
      seen.push(`${end} ${name} out ${message.marks ?? ''}`);
      next({...message, marks: `${message.marks ?? ''}${name}`});
    },
    receive(message, next) {
      seen.push(`${end} ${name} in ${message.marks}`);
      next({...message, marks: message.marks.slice(0, -1)});
    },
  });
  const ends = (end) => ['a', 'b'].map((name) => marking(end, name));
  const backend = newBackend();
  const hub = newHub(backend, {middleware: ends('hub')});
  const [a, b] = ends('tab');
  const {tab} = openTab(hub, {middleware: ['timeouts', a, 'coalescing', b, 'batching']});
  await until(() => tab.state === 'connected');
  assert.deepEqual(seen.slice(0, 4), ['tab a out ', 'tab b out a', 'hub b in ab', 'hub a in a']);
  await collaborate([tab], backend);
});

test('a layer at the tab alone delays messages, and may leave them as they are', async () => {
  const types = [];
  const late = {
    name: 'late',
    send: (message, next) => {
      types.push(message.type);
      setTimeout(next, 5, message);
    },
  };
  const backend = newBackend();
  const hub = newHub(backend);
  const {tab} = openTab(hub, {middleware: ['timeouts', 'coalescing', late, 'batching']});
  await collaborate([tab, openTab(hub).tab], backend);
  assert.equal(types[0], 'hello');
  assert.ok(types.includes('doc.submitOp'));
});

test('what a layer throws is a fault, and the message is dropped', async () => {
  let isBroken = false;
  const breaking = {
    name: 'breaking',
    send(message, next) {
      if (isBroken && message.type === 'doc.fetch') throw new Error('I am broken');
      next(message);
    },
  };
  const hub = newHub(newBackend());
  const middleware = [{layer: 'timeouts', after: 50}, breaking];
  const {tab} = openTab(hub, {middleware});
  await until(() => tab.state === 'connected');
  const faults = [];
  tab.on('fault', (error) => faults.push(error));
  isBroken = true;
  await assert.rejects(call(tab.get('things', 'one'), 'fetch'), {code: 'ERR_TABMUX_TIMEOUT'});
  isBroken = false;
  await call(tab.get('things', 'two'), 'fetch');
  assert.equal(faults.length, 1);
  assert.equal(faults[0].code, 'ERR_TABMUX_LAYER_FAILED');
  assert.match(faults[0].message, /the layer `breaking` dropped a message: I am broken/);
  assert.equal(faults[0].cause.message, 'I am broken');
});

test('what a layer of the hub throws is a fault of the hub', async () => {
  const failing = {
    name: 'failing',
    async receive(message, next) {
      if (message.type === 'doc.fetch') throw new Error('I am broken');
      next(message);
    },
  };
  const hub = newHub(newBackend(), {middleware: [failing]});
  const faults = [];
  hub.on('fault', (error) => faults.push(error));
  const {tab} = openTab(hub, {middleware: [{layer: 'timeouts', after: 50}, {name: 'failing'}]});
  await assert.rejects(call(tab.get('things', 'one'), 'fetch'), {code: 'ERR_TABMUX_TIMEOUT'});
  assert.deepEqual(
    faults.map(({code}) => code),
    ['ERR_TABMUX_LAYER_FAILED'],
  );
});

test('a message that a layer has made unreadable for the other end is a fault there', async () => {
  const spoiling = {
    name: 'spoiling',
    send: (message, next) => next(message.type === 'doc.fetch' ? {type: 'doc.fetched'} : message),
  };
  const hub = newHub(newBackend());
  const faults = [];
  hub.on('fault', (error) => faults.push(error));
  const {tab} = openTab(hub, {middleware: [{layer: 'timeouts', after: 50}, spoiling]});
  await assert.rejects(call(tab.get('things', 'one'), 'fetch'), {code: 'ERR_TABMUX_TIMEOUT'});
  assert.equal(faults[0].code, 'ERR_TABMUX_BAD_FRAME');
  assert.match(faults[0].message, /doc\.fetched/);
});

test('what a layer changes in a message does not change the document', async () => {
  const meddling = {
    name: 'meddling',
    send(message, next) {
      const copy = structuredClone(message);
      if (message.type === 'doc.submitOp') message.body.ops[0].op.create.data.n = 'spoiled';
      next(copy);
    },
  };
  const hub = newHub(newBackend());
  const {tab} = openTab(hub, {middleware: ['timeouts', meddling]});
  const doc = tab.get('things', 'one');
  await call(doc, 'create', {n: 1});
  assert.deepEqual(doc.data, {n: 1});
});

test('a tab that closes at once has its ops pass through its layers', async () => {
  const backend = newBackend();
  const hub = newHub(backend, {middleware: [hiding()]});
  const simple = {
    ...hiding(),
    send: (message, next) => next({...message, body: toHex(message.body ?? null)}),
  };
  const {tab} = openTab(hub, {middleware: ['timeouts', simple, 'batching']});
  await until(() => tab.state === 'connected' && tab.tabs.length === 1);
  tab.get('things', 'one').create({n: 1});
  await turns(1);
  tab.close();
  const doc = plain(backend).get('things', 'one');
  await until(async () => {
    await call(doc, 'fetch');
    return doc.version === 1;
  });
});

test('trace sees messages as the layers above it pass them on', async () => {
  const types = [];
  const hub = newHub(newBackend(), {middleware: [hiding()]});
  const {tab} = openTab(hub, {
    middleware: ['timeouts', hiding(), 'tracing'],
    trace: ({message}) => types.push(`${message.type} ${typeof message.body}`),
  });
  await until(() => tab.state === 'connected');
  assert.equal(types[0], 'hello string');
  assert.ok(types.includes('welcome string'));
});

/** What is thrown. */
function refusal(act) {
  try {
    act();
  } catch (error) {
    return error;
  }
  assert.fail('it was not refused');
}

const REVERSED = {
  name: 'reversed',
  frames: 'strings',
  encode: (value) => `!${[...JSON.stringify(value)].reverse().join('')}`,
  decode(frame) {
    if (frame[0] !== '!') throw new Error('there is no mark');
    return JSON.parse([...frame.slice(1)].reverse().join(''));
  },
};

const FLIPPED = {
  name: 'flipped',
  frames: 'bytes',
  encode: (value) => Buffer.from(JSON.stringify(value)).map((byte) => byte ^ 1),
  decode: (bytes) => JSON.parse(Buffer.from(bytes.map((byte) => byte ^ 1)).toString()),
};

const WRAPPED = {
  name: 'wrapped',
  frames: 'objects',
  encode: (value) => ({wrapped: value}),
  decode({wrapped}) {
    if (wrapped === undefined) throw new Error('nothing is wrapped');
    return wrapped;
  },
};

const OWN = [REVERSED, FLIPPED, WRAPPED];

for (const codec of OWN) {
  for (const transport of ['direct', 'message-port', 'broadcast-channel']) {
    test(`a codec of one's own, ${codec.frames}, works over ${transport} with a backend`, async () => {
      const backend = newBackend();
      const options = {transport, codec, name: `${codec.name} ${transport}`};
      const tabs = [1, 2].map(() => closing(createConnection(backend, options)));
      await collaborate(tabs, backend);
    });
  }
}

test('tabs with different codecs work together at one hub, which answers each in its own', async () => {
  const backend = newBackend();
  const hub = newHub(backend, {codecs: OWN});
  const own = OWN.map((codec) => openTab(hub, {codec}));
  const builtIn = ['structured-clone', 'json', 'cbor'].map((codec) => openTab(hub, {codec}));
  await collaborate(
    [...own, ...builtIn].map(({tab}) => tab),
    backend,
  );
  assert.ok(own[0].hubEnd.frames.every((frame) => frame[0] === '!'));
  assert.ok(own[2].hubEnd.frames.every((frame) => 'wrapped' in frame));
  assert.ok(builtIn[0].hubEnd.frames.every((frame) => 'session' in frame));
  assert.ok(builtIn[1].hubEnd.frames.every((frame) => 'session' in JSON.parse(frame)));
});

test('tabs of one backend may have codecs and layers that the hub has not heard of before', async () => {
  const backend = newBackend();
  const name = 'several';
  const first = closing(createConnection(backend, {transport: 'direct', name}));
  await until(() => first.state === 'connected');
  const middleware = ['timeouts', hiding(), 'batching'];
  const others = [{codec: REVERSED}, {codec: WRAPPED, middleware}].map((options) =>
    closing(createConnection(backend, {transport: 'direct', name, ...options})),
  );
  await collaborate([first, ...others], backend);
  assert.equal(first.tabs.length, 3);
});

test('what a codec throws is told with its name', async () => {
  let isBroken = false;
  const codec = {
    ...REVERSED,
    name: 'brittle',
    encode(value) {
      if (isBroken && JSON.stringify(value).includes('doc.fetch')) throw new Error('too hard');
      return REVERSED.encode(value);
    },
  };
  const hub = newHub(newBackend(), {codecs: [codec]});
  const {tab, tabEnd, hubEnd} = openTab(hub, {codec, middleware: [{layer: 'timeouts', after: 50}]});
  const faults = [];
  tab.on('fault', (error) => faults.push(error));
  await until(() => tab.state === 'connected');
  isBroken = true;
  await assert.rejects(call(tab.get('things', 'one'), 'fetch'), {code: 'ERR_TABMUX_TIMEOUT'});
  assert.equal(faults[0].code, 'ERR_TABMUX_UNCARRIABLE');
  assert.match(faults[0].message, /the brittle codec failed: too hard/);
  hub.on('fault', (error) => faults.push(error));
  tabEnd.onframe('no mark');
  hubEnd.onframe('no mark');
  await until(() => faults.length === 3);
  for (const {message} of faults.slice(1)) {
    assert.match(message, /the brittle codec failed: there is no mark/);
  }
});

test('a codec that makes other frames than it says is told so', async () => {
  let isWrong = false;
  const encode = (value) => (isWrong ? 'text' : FLIPPED.encode(value));
  const codec = {...FLIPPED, encode};
  const {tab} = openTab(newHub(newBackend(), {codecs: [codec]}), {codec});
  await until(() => tab.state === 'connected');
  const faults = [];
  tab.on('fault', (error) => faults.push(error));
  isWrong = true;
  tab.get('things', 'one').fetch();
  await until(() => faults.length > 0);
  assert.match(faults[0].message, /`encode` made strings, and its `frames` are bytes/);
});

test('a codec and a transport that do not fit are refused', () => {
  const [transport] = newPair({carries: ['objects']});
  const error = refusal(() => createConnection({transport, codec: FLIPPED}));
  assert.equal(error.code, 'ERR_TABMUX_CODEC_MISMATCH');
  assert.match(error.message, /the codec flipped makes bytes/);
});

const BAD = [
  [{codec: {}}, 'INVALID', '`codec`: `name` is undefined; it must be a name'],
  [{codec: {...REVERSED, name: 'json'}}, 'INVALID', '`name` is "json"; it must be a name, other'],
  [{codec: {...REVERSED, frames: 'text'}}, 'INVALID', '`codec`: `frames` is "text"; it must be "o'],
  [{codec: {...REVERSED, decode: undefined}}, 'INVALID', '`decode` is undefined; it must be a fu'],
  [{middleware: [{name: 'batching'}]}, 'INVALID', '`middleware[0]`: `name` is "batching"; it must'],
  [{middleware: ['timeouts', {name: ''}]}, 'INVALID', '`middleware[1]`: `name` is ""'],
  [{middleware: [{name: 'x', send: 1}]}, 'INVALID', '`middleware[0]`: `send` is 1; it must be a'],
];

for (const [options, code, message] of BAD) {
  test(`${JSON.stringify(options)} is refused by tab and hub`, () => {
    const error = refusal(() => createConnection({transport: newPair()[0], ...options}));
    assert.equal(error.code, `ERR_TABMUX_OPTION_${code}`);
    assert.ok(error.message.includes(message), error.message);
    const {codec, middleware} = options;
    const ofHub = middleware ? {middleware: middleware.slice(-1)} : {codecs: [codec]};
    const {code: hubCode} = refusal(() => defineHub({connect() {}, ...ofHub}));
    assert.equal(hubCode, `ERR_TABMUX_OPTION_${code}`);
  });
}

test('layers in places where they can not work are refused', () => {
  const refused = (middleware) =>
    refusal(() => createConnection({transport: newPair()[0], middleware}));
  const layer = {name: 'own'};
  assert.equal(refused([layer, 'timeouts']).code, 'ERR_TABMUX_LAYER_MISPLACED');
  assert.match(refused([layer, 'timeouts']).message, /`own` must come after `timeouts`/);
  assert.match(refused(['ordering', layer]).message, /`ordering` must come after `own`/);
  assert.equal(refused([layer, layer]).code, 'ERR_TABMUX_LAYER_REPEATED');
  assert.equal(refused(['own']).code, 'ERR_TABMUX_LAYER_UNKNOWN');
  for (const option of ['codecs', 'middleware']) {
    const error = refusal(() => defineHub({connect() {}, [option]: REVERSED}));
    assert.equal(error.code, 'ERR_TABMUX_OPTION_INVALID');
  }
});

/** Runs the code under a heading of docs/plugins.md in one go, without its imports and exports. */
function runSection(heading, names) {
  const blocks = under('docs/plugins.md', heading);
  assert.equal(blocks.length, 2);
  const code = blocks.map((block) => block.code.replace(/^import .*$/gm, '')).join('\n');
  const run = new Function(
    ...Object.keys(names),
    code
      .replace('export default', 'const definition =')
      .concat('\nreturn {connection, definition, onmessage};'),
  );
  return run(...Object.values(names));
}

/** What the page's examples take for granted: the tab is connected to the hub that is made after it. */
function surroundings(backend, names) {
  const [transport, hubEnd] = newPair();
  return {
    hub: undefined,
    onmessage: undefined,
    connect: () => backend.connect(),
    createConnection: ({hub, ...options}) => closing(createConnection({transport, ...options})),
    defineHub: (options) => {
      const definition = defineHub(options);
      closing(definition.hub()).accept(hubEnd);
      return definition;
    },
    ...names,
    transport,
  };
}

test('the codec of docs/plugins.md works', async () => {
  const backend = newBackend();
  const {encode, decode} = FLIPPED;
  const names = surroundings(backend, {encode, decode});
  const {connection} = runSection('A codec in JavaScript', names);
  await collaborate([connection], backend);
  assert.ok(names.transport.frames.every((frame) => frame instanceof Uint8Array));
});

test('the layer of docs/plugins.md works', async () => {
  const backend = newBackend();
  const names = surroundings(backend, {
    encrypt: async (message) => turn().then(() => toHex(message)),
    decrypt: async (text) => fromHex(text),
  });
  const {connection} = runSection('A layer in JavaScript', names);
  await collaborate([connection], backend);
  const said = JSON.stringify(names.transport.frames);
  assert.ok(said.includes('layered') && !said.includes('doc.submitOp'));
});

test('the transport of docs/plugins.md works', async () => {
  const backend = newBackend();
  // The two ends of a dedicated worker.
  const {port1, port2} = new MessageChannel();
  class Worker {
    set onmessage(listener) {
      port1.onmessage = listener;
    }

    postMessage(frame) {
      port1.postMessage(frame);
    }

    terminate() {
      port1.close();
    }
  }
  const {connection, definition, onmessage} = runSection('A transport in JavaScript', {
    createConnection: (options) => closing(createConnection(options)),
    defineHub,
    Worker,
    Connection: function Connection() {
      return backend.connect();
    },
    openSocket() {},
    onmessage: undefined,
    postMessage: (frame) => port2.postMessage(frame),
    close: () => port2.close(),
  });
  closing(definition.hub());
  port2.onmessage = onmessage;
  await collaborate([connection], backend);
  assert.equal(connection.topology, 'custom');
});
