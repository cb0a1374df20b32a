import assert from 'node:assert/strict';
import {once} from 'node:events';
import {beforeEach, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {install, Locks} from './locks.mjs';
import {
  call,
  closing,
  newBackend,
  newPair,
  openTabs,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

/** After this the hub would have let go of a tab that holds no lock. */
const LET_GO = 400;

let locks;

beforeEach(() => {
  locks = new Locks();
  install(locks);
});

const lockOf = ({tabId}) => `tabmux:tab:${tabId}`;

for (const transport of TRANSPORTS) {
  test(`where there are Web Locks, a tab over ${transport} with a backend stays until it leaves`, async () => {
    const [tab, other] = openTabs(newBackend(), 2, {transport});
    const doc = tab.get('notes', 'one');
    await call(doc, 'create', {n: 0});
    await wait(LET_GO);
    await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
    assert.equal(other.tabs.length, 2);
    tab.close();
    await until(() => other.tabs.length === 1);
    await locks.request(lockOf(tab), () => {});
  });
}

test('a tab whose Web Lock the hub can not see stays, too', async () => {
  install(new Locks());
  const [end, hubEnd] = newPair();
  const tab = closing(createConnection({transport: end}));
  await until(() => tab.topology !== null);
  // The hub is in another process.
  install(locks);
  const backend = newBackend();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  hub.accept(hubEnd);
  const doc = tab.get('notes', 'one');
  await call(doc, 'create', {n: 0});
  await wait(LET_GO);
  await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
});

/** A tab, and what ends it without a word: its lock is free, and no message comes. */
async function openMortal(options) {
  const end = new AbortController();
  const ended = new Promise((resolve) => end.signal.addEventListener('abort', resolve));
  const request = locks.request.bind(locks);
  locks.request = (name, act) => request(name, (lock) => Promise.race([act(lock), ended]));
  const tab = closing(createConnection(options));
  await until(() => tab.topology !== null);
  locks.request = request;
  return {tab, kill: () => end.abort()};
}

test('the end of a tab on a transport object shows by its Web Lock, where the hub can see that', async () => {
  const [end, hubEnd] = newPair();
  const {tab, kill} = await openMortal({transport: end});
  const backend = newBackend();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const left = [];
  hub.on('left', (id) => left.push(id));
  hub.accept(hubEnd);
  await call(tab.get('notes', 'one'), 'create', {n: 0});
  await wait(LET_GO);
  assert.deepEqual(left, []);
  kill();
  await until(() => left.length > 0);
  assert.deepEqual(left, [tab.tabId]);
});

test('a page that is loaded anew right after a log-out has a store again', async () => {
  const backend = newBackend();
  const definition = defineHub({connect: () => backend.connect(), store: true});
  const options = {identity: 'loaded anew', hub: {local: () => definition}};
  const {tab, kill} = await openMortal(options);
  await call(tab.get('notes', 'one'), 'create', {n: 0});
  await tab.store.clear();
  const left = [];
  definition.hub('loaded anew').on('left', (id) => left.push(id));
  kill();
  await turns(5);
  const next = closing(createConnection(options));
  await call(next.get('notes', 'two'), 'create', {n: 0});
  assert.deepEqual(
    (await next.store.inventory()).map(({id}) => id),
    ['two'],
  );
  await wait(LET_GO);
  assert.deepEqual(left, [tab.tabId]);
});

/** Has the browser refuse Web Locks, as in a sandboxed frame. */
function refuse() {
  const refusal = async () => {
    throw new DOMException('not allowed in this context', 'SecurityError');
  };
  install({request: refusal, query: refusal});
}

test('a tab that is refused Web Locks has its hub in the page, and says why', async () => {
  refuse();
  const backend = newBackend();
  const hub = defineHub({connect: () => backend.connect(), store: true});
  const worker = () => assert.fail('a worker could not tell when the tab is gone');
  const tab = closing(
    createConnection({identity: 'refused', hub: {worker, local: async () => hub}}),
  );
  const [{topology, reason}] = await once(tab, 'topology');
  assert.equal(topology, 'direct');
  assert.match(reason, /refuses Web Locks: not allowed in this context/);
  const doc = tab.get('notes', 'one');
  await call(doc, 'create', {n: 0});
  await wait(LET_GO);
  await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
});

test('a hub that is refused Web Locks tells the code of why it stores in memory', async () => {
  refuse();
  const options = {transport: 'direct', identity: 'refused', store: {kind: 'indexeddb'}};
  const tab = closing(createConnection(newBackend(), options));
  const [error] = await once(tab, 'store:error');
  assert.equal(error.code, 'ERR_TABMUX_STORE_UNAVAILABLE');
  assert.match(error.message, /refuses Web Locks/);
  await assert.rejects(tab.store.clear(), {code: 'ERR_TABMUX_STORE_UNAVAILABLE'});
  await call(tab.get('notes', 'one'), 'create', {n: 0});
});

test('a second page of a store that can not be shared is told that it is in use', async () => {
  const options = {transport: 'direct', identity: 'taken', store: {kind: 'indexeddb'}};
  locks.request('tabmux:store:["taken",""]', () => new Promise(() => {}));
  const tab = closing(createConnection(newBackend(), options));
  const [error] = await once(tab, 'store:error');
  assert.equal(error.code, 'ERR_TABMUX_STORE_IN_USE');
});
