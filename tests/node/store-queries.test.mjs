import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {call, closing, drained, newBackend, newPair, plain, until} from './support.mjs';

/** A cipher that hides nothing; documents are read only while `gate.open`. */
function gatedStore() {
  const gate = {open: true, waiting: []};
  const encryption = {
    encrypt: async (bytes) => bytes,
    async decrypt(bytes) {
      if (!gate.open) await new Promise((resolve) => gate.waiting.push(resolve));
      return bytes;
    },
  };
  const release = () => {
    gate.open = true;
    for (const resolve of gate.waiting.splice(0)) resolve();
  };
  return {gate, release, store: {encryption}};
}

/** A tab, and what gives it another hub in place of the one that it has. */
function openMovable(identity, hub) {
  const [end, hubEnd] = newPair();
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: end, identity}));
  const cut = () => {
    end.deliver = () => {};
    end.other.deliver = () => {};
  };
  const moveTo = (next) => {
    const [other, nextEnd] = newPair();
    next.accept(nextEnd);
    end.other = nextEnd;
    nextEnd.other = end;
    other.close = () => {};
    delete end.deliver;
    // A frame of its session is what the next hub does not know.
    tab.get('notes', 'two').fetch();
  };
  return {tab, cut, moveTo};
}

for (const subscribe of [false, true]) {
  const method = subscribe ? 'createSubscribeQuery' : 'createFetchQuery';
  test(`ops on a stored state are taken though ${method} has found a newer one as it was read`, async () => {
    const backend = newBackend();
    const identity = `${method} ahead`;
    const {gate, release, store} = gatedStore();
    const newHub = () => {
      const upstream = backend.connect();
      const hub = closing(defineHub({connect: () => upstream, store}).hub(identity));
      return {hub, upstream};
    };
    const first = newHub();
    const {tab, cut, moveTo} = openMovable(identity, first.hub);
    const doc = tab.get('notes', 'one');
    await call(doc, 'subscribe');
    await call(doc, 'create', {n: 0});
    await call(tab, 'flushWrites');
    first.upstream.close();
    await until(() => tab.state === 'closed');
    cut();
    const committed = call(doc, 'submitOp', [{p: ['n'], na: 1}]);
    const server = plain(backend).get('notes', 'one');
    await call(server, 'fetch');
    await call(server, 'submitOp', [{p: ['n'], na: 10}]);

    const second = newHub();
    const sibling = openMovable(identity, second.hub).tab;
    await sibling.store.inventory();
    gate.open = false;
    const found = new Promise((resolve, reject) => {
      sibling[method]('notes', {}, null, (error, docs) => (error ? reject(error) : resolve(docs)));
    });
    await until(() => gate.waiting.length > 0);
    moveTo(second.hub);
    release();
    const [result] = await found;
    assert.deepEqual([result.version >= 2, result.data.n >= 10], [true, true]);
    await committed;
    await drained(tab);
    await until(() => doc.version === 3);
    assert.deepEqual(doc.data, {n: 11});
    await call(server, 'fetch');
    assert.deepEqual([server.version, server.data], [3, {n: 11}]);
  });
}
