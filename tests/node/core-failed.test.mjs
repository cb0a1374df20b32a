// Should the core fail all the same, by a panic or by what passes through it, its hub is gone at once.
import assert from 'node:assert/strict';
import {mock, test} from 'node:test';
import {createConnection, defineHub, hasFailed, panicIn, throwIn} from './instance.mjs';
import {
  call,
  closing,
  converged,
  errorOf,
  newBackend,
  newPair,
  openTabs,
  plain,
  subscribeAll,
  until,
} from './support.mjs';

/** What a failure says on the console. */
const said = mock.method(console, 'error', () => {});

const ADD = [{p: ['n'], na: 1}];

/** Tabs of a hub in this thread that is found by its definition. */
function openLocal(definition, count) {
  return Array.from({length: count}, () =>
    closing(createConnection({hub: {local: async () => ({default: definition})}})),
  );
}

function faultsOf(hub) {
  const faults = [];
  hub.on('fault', (error) => faults.push(error));
  return faults;
}

for (const [how, fail] of Object.entries({'a panic': panicIn, 'an exception': throwIn})) {
  test(`after ${how} in a hub of this thread, its tabs go on with the next`, async () => {
    const backend = newBackend();
    const definition = ending(defineHub({connect: () => backend.connect()}));
    const tabs = openLocal(definition, 2);
    const [one, two, outside] = await subscribeAll([...tabs, plain(backend)], 'things', 'one');
    await call(one, 'create', {n: 0});
    await converged(one, two, outside);
    const failed = definition.hub();
    const faults = faultsOf(failed);
    const states = [];
    tabs[1].on('state', (state) => states.push(state));
    fail('submit');
    const lost = errorOf(one, 'submitOp', ADD);
    assert.equal((await lost).code, 'ERR_TABMUX_HUB_LOST');
    await until(() => tabs.every(({state}) => state === 'connected'));
    assert.ok(hasFailed());
    assert.notEqual(definition.hub(), failed);
    assert.ok(failed.isClosed);
    assert.equal(states[0], 'disconnected');
    assert.deepEqual(
      faults.map(({code}) => code),
      ['ERR_TABMUX_CORE_FAILED'],
    );
    await until(() => [one, two].every((doc) => doc.type));
    await call(two, 'submitOp', ADD);
    await converged(one, two, outside);
    assert.equal(outside.data.n, 1);
  });
}

test('a panic says where it was, on the console and in the fault', async () => {
  said.mock.resetCalls();
  const backend = newBackend();
  const definition = ending(defineHub({connect: () => backend.connect()}));
  const [tab] = openLocal(definition, 1);
  const [doc] = await subscribeAll([tab], 'things', 'one');
  const faults = faultsOf(definition.hub());
  panicIn('submit');
  doc.create({n: 0}, () => {});
  await until(() => faults.length > 0);
  const where = /panicked at bindings\/hub\/src\/hub\.rs:\d+/;
  assert.match(faults[0].message, where);
  assert.match(said.mock.calls[0].arguments[0].message, where);
});

test('the tabs of a backend get another hub after a failure', async () => {
  const backend = newBackend();
  const tabs = openTabs(backend, 2);
  const [one, two, outside] = await subscribeAll([...tabs, plain(backend)], 'things', 'one');
  await call(one, 'create', {n: 0});
  await converged(one, two, outside);
  throwIn('submit');
  assert.equal((await errorOf(one, 'submitOp', ADD)).code, 'ERR_TABMUX_HUB_LOST');
  await until(() => tabs.every(({state}) => state === 'connected'));
  await until(() => [one, two].every((doc) => doc.type));
  await call(two, 'submitOp', ADD);
  await converged(one, two, outside);
  assert.equal(outside.data.n, 1);
});

test('a hub that has failed closes the transports that an application gave it', async () => {
  const backend = newBackend();
  const hub = closing(defineHub({connect: () => backend.connect()}).hub());
  const ends = [newPair(), newPair()];
  const tabs = ends.map(([tabEnd, hubEnd]) => {
    hub.accept(hubEnd);
    return closing(createConnection({transport: tabEnd}));
  });
  const errors = tabs.map(
    (tab) => new Promise((resolve) => tab.on('error', ({code}) => resolve(code))),
  );
  const [one] = await subscribeAll(tabs, 'things', 'one');
  throwIn('submit');
  one.create({n: 0}, () => {});
  one.on('error', () => {});
  assert.deepEqual(await Promise.all(errors), ['ERR_TABMUX_TRANSPORT', 'ERR_TABMUX_TRANSPORT']);
  const [tabEnd, hubEnd] = newPair();
  hub.accept(hubEnd);
  const late = closing(createConnection({transport: tabEnd}));
  const refused = await new Promise((resolve) => late.on('error', resolve));
  assert.equal(refused.code, 'ERR_TABMUX_TRANSPORT');
});

test('a failure in the core of one tab leaves the hub and its siblings as they were', async () => {
  const backend = newBackend();
  const definition = ending(defineHub({connect: () => backend.connect()}));
  const tabs = openLocal(definition, 3);
  const docs = await subscribeAll(tabs, 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
  const hub = definition.hub();
  // In the first tab that hears of the edit of its sibling.
  throwIn('apply');
  docs[0].submitOp(ADD);
  const errors = [];
  for (const tab of tabs) tab.on('error', ({code}) => errors.push(code));
  await until(() => errors.length > 0);
  assert.deepEqual(errors, ['ERR_TABMUX_CORE_FAILED']);
  const stopped = tabs.filter(({state}) => state === 'stopped');
  assert.equal(stopped.length, 1);
  assert.equal(definition.hub(), hub);
  const others = docs.filter(({connection}) => connection.state === 'connected');
  assert.equal(others.length, 2);
  await call(others[0], 'submitOp', ADD);
  await converged(...others);
});

test('a hundred failures leave the next hub with all its room', async () => {
  const backend = newBackend();
  const definition = ending(defineHub({connect: () => backend.connect()}));
  for (let i = 0; i < 100; i++) {
    const hub = definition.hub();
    const faults = faultsOf(hub);
    const [tabEnd, hubEnd] = newPair();
    hub.accept(hubEnd);
    const tab = createConnection({transport: tabEnd});
    tab.on('error', () => {});
    throwIn('subscribe');
    tab.get('things', 'one').subscribe(() => {});
    await until(() => faults.length > 0);
    tab.close();
  }
  const tabs = openLocal(definition, 2);
  const docs = await subscribeAll(tabs, 'things', 'one');
  await call(docs[0], 'create', {n: 0});
  await converged(...docs);
});

/** Closes the definition's hub after the test. */
function ending(definition) {
  closing({close: () => definition.hub().close()});
  return definition;
}
