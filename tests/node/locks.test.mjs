import assert from 'node:assert/strict';
import {beforeEach, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {install, Locks} from './locks.mjs';
import {call, closing, newBackend, newPair, openTabs, TRANSPORTS, until} from './support.mjs';

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

test('the end of a tab on a transport object shows by its Web Lock, where the hub can see that', async () => {
  const gone = new AbortController();
  const request = locks.request.bind(locks);
  // A tab that ends without a word frees its lock, and its transport says nothing.
  locks.request = (name, act) =>
    request(name, (lock) =>
      Promise.race([act(lock), new Promise((free) => gone.signal.addEventListener('abort', free))]),
    );
  const [end, hubEnd] = newPair();
  const tab = closing(createConnection({transport: end}));
  await until(() => tab.topology !== null);
  const backend = newBackend();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const left = [];
  hub.on('left', (id) => left.push(id));
  hub.accept(hubEnd);
  await call(tab.get('notes', 'one'), 'create', {n: 0});
  await wait(LET_GO);
  assert.deepEqual(left, []);
  gone.abort();
  await until(() => left.length > 0);
  assert.deepEqual(left, [tab.tabId]);
});
