import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {createRequire} from 'node:module';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {Connection} from 'sharedb/lib/client/index.js';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {
  call,
  closing,
  errorOf,
  newBackend,
  newPair,
  openDroppable,
  openTabs,
  plain,
  slowDown,
  stateEventsOf,
  subscribeAll,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

const require = createRequire(import.meta.url);

const ADD = [{p: ['n'], na: 1}];

/** Counts what reaches the server: its connections, and the messages by their action. */
function watch(backend) {
  const counts = {connections: 0};
  backend.use('connect', (_request, next) => {
    counts.connections += 1;
    next();
  });
  backend.use('receive', ({data}, next) => {
    counts[data.a] = (counts[data.a] ?? 0) + 1;
    next();
  });
  return counts;
}

/** `count` tabs, over a transport of ours, of a hub with these options. */
function openTabsOf(options, count) {
  const hub = closing(defineHub(options).hub());
  return Array.from({length: count}, () => {
    const [tabEnd, hubEnd] = newPair();
    hub.accept(hubEnd);
    return closing(createConnection({transport: tabEnd}));
  });
}

test('in Node, createConnection(backend) is backend.connect()', () => {
  const backend = newBackend();
  assert.ok(closing(createConnection(backend)) instanceof Connection);
  const options = {useSharedWorker: false, transport: 'message-port'};
  assert.ok(closing(createConnection(backend, options)) instanceof Connection);
});

test('get returns one object for one document, until that is destroyed', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const heard = [];
  tab.on('doc', (doc) => heard.push(doc));
  assert.equal(tab.getExisting('things', 'one'), undefined);
  const doc = tab.get('things', 'one');
  assert.equal(tab.get('things', 'one'), doc);
  assert.equal(tab.getExisting('things', 'one'), doc);
  assert.deepEqual([doc.connection, doc.collection, doc.id], [tab, 'things', 'one']);
  assert.deepEqual(heard, [doc]);

  await call(doc, 'destroy');
  assert.equal(tab.getExisting('things', 'one'), undefined);
  assert.notEqual(tab.get('things', 'one'), doc);
  assert.equal(heard.length, 2);
});

test('a document that is asked for while it is being destroyed stays', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const [doc] = await subscribeAll([tab], 'things', 'one');
  const destroyed = call(doc, 'destroy');
  assert.equal(tab.get('things', 'one'), doc);
  await destroyed;
  assert.equal(tab.getExisting('things', 'one'), doc);
});

for (const transport of TRANSPORTS) {
  test(`the states and their events over ${transport} are those of ShareDB's connection`, async () => {
    const logs = [];
    for (const connect of [plain, (backend) => openTabs(backend, 1, {transport})[0]]) {
      const connection = connect(newBackend());
      assert.deepEqual([connection.state, connection.canSend], ['connecting', false]);
      assert.equal(connection.id, null);
      const events = stateEventsOf(connection);
      await until(() => connection.state === 'connected');
      connection.close();
      assert.equal(connection.state, 'closed');
      await turns(10);
      connection.close();
      logs.push(events);
    }
    assert.deepEqual(logs[1], logs[0]);
  });

  test(`what was submitted before close over ${transport} reaches the server`, async () => {
    const backend = newBackend();
    const [tab] = openTabs(backend, 1, {transport});
    const doc = tab.get('things', 'one');
    await call(doc, 'create', {n: 0});
    doc.submitOp(ADD);
    tab.get('things', 'two').create({n: 5});
    tab.close();
    const look = plain(backend);
    const docs = await subscribeAll([look], 'things', 'one');
    docs.push(...(await subscribeAll([look], 'things', 'two')));
    await until(() => docs[0].data.n === 1 && docs[1].data?.n === 5);
  });

  test(`what waits behind an op on its way over ${transport} survives close`, async () => {
    const backend = newBackend();
    const [tab] = openTabs(backend, 1, {transport});
    const doc = tab.get('things', 'one');
    await call(doc, 'create', {n: 0});
    const answers = [];
    doc.submitOp(ADD, () => answers.push('first'));
    await new Promise((resolve) => process.nextTick(resolve));
    doc.submitOp([{p: ['n'], na: 10}]);
    tab.get('things', 'two').create({n: 5});
    tab.close();
    assert.equal(tab.state, 'closed');
    const outside = await subscribeAll([plain(backend)], 'things', 'one');
    await until(() => outside[0].data.n === 11);
    const [two] = await subscribeAll([plain(backend)], 'things', 'two');
    await until(() => two.data?.n === 5);
    await until(() => backend.agentsCount === 2);
  });

  test(`what was submitted over ${transport} before the hub is there survives close`, async () => {
    const backend = newBackend();
    const [tab] = openTabs(backend, 1, {transport});
    tab.get('things', 'one').create({n: 5});
    tab.close();
    const [outside] = await subscribeAll([plain(backend)], 'things', 'one');
    await until(() => outside.data?.n === 5);
  });

  test(`after close, nothing over ${transport} keeps the process alive`, async () => {
    await run(`
      const connection = createConnection(backend, {transport: '${transport}', name: 'hub'});
      const sibling = createConnection(backend, {transport: '${transport}', name: 'hub'});
      const doc = connection.get('things', 'one');
      doc.subscribe(() => doc.create({n: 0}, () => {
        connection.close();
        sibling.close();
      }));
    `);
  });

  test(`after the server has ended, a tab over ${transport} can be closed`, async () => {
    await run(`
      const upstream = backend.connect();
      const options = {transport: '${transport}'};
      const connection = createConnection({connect: () => upstream}, options);
      connection.once('connected', () => upstream.close());
      connection.once('closed', () => connection.close());
    `);
  });

  test(`a connection over ${transport} that was refused does not keep the process alive`, async () => {
    await run(`
      try {
        createConnection(backend, {transport: '${transport}', codec: 'xml'});
        process.exitCode = 1;
      } catch {}
    `);
  });
}

test('a tab that is closed when the server comes back stays closed', async () => {
  const backend = newBackend();
  const {tabs, drop, upstream} = await openDroppable(backend);
  const [tab, sibling] = tabs;
  const doc = tab.get('things', 'one');
  await call(doc, 'create', {n: 0});
  await drop();
  doc.submitOp(ADD);
  tab.close();
  const states = [];
  tab.on('state', (state) => states.push(state));
  backend.connect(upstream);
  const [outside] = await subscribeAll([plain(backend)], 'things', 'one');
  await until(() => outside.data.n === 1 && sibling.tabs.length === 1);
  assert.deepEqual([states, tab.state], [[], 'closed']);
});

test('a hub of another bundle in the page ends with its last tab, too', async () => {
  const backend = newBackend();
  const definition = require('../../pkg/cjs/hub.cjs').defineHub({connect: () => backend.connect()});
  const tab = closing(createConnection({hub: {local: () => definition}}));
  await call(tab.get('things', 'one'), 'create', {n: 0});
  assert.equal(backend.agentsCount, 1);
  tab.close();
  await until(() => backend.agentsCount === 0);
});

/** Runs code in a process of its own, which must end by itself. */
async function run(code) {
  const source = `
    import Backend from 'sharedb';
    import {createConnection} from '${new URL('../../pkg/index.js', import.meta.url)}';
    const backend = new Backend();
    ${code}
  `;
  const args = ['--input-type=module', '--eval', source];
  const options = {cwd: new URL('.', import.meta.url), timeout: 5000};
  await promisify(execFile)(process.execPath, args, options);
}

test('a page that came without TLS, where there is no crypto.randomUUID, works', async () => {
  const script = `
    Object.defineProperty(crypto, 'randomUUID', {value: undefined});
    const {call, newBackend, openStored} = await import('./support.mjs');
    const {defineHub} = await import('../../pkg/hub.js');
    const {createConnection} = await import('../../pkg/index.js');
    const backend = newBackend({presence: true, doNotForwardSendPresenceErrorsToClient: true});
    const hub = defineHub({connect: () => backend.connect()});
    for (const tab of [openStored(backend, 'ann'), createConnection({hub: {local: () => hub}})]) {
      const doc = tab.get('notes', 'one');
      await call(doc, 'subscribe');
      if (!doc.type) await call(doc, 'create', {});
      await call(tab.getPresence('room').create(), 'submit', 1);
      tab.close();
    }
  `;
  const args = ['--input-type=module', '--eval', script];
  const options = {cwd: new URL('.', import.meta.url), timeout: 20_000};
  await promisify(execFile)(process.execPath, args, options);
});

test('calls of the same name share a connection to the server', async () => {
  const backend = newBackend();
  const counts = watch(backend);
  const tabs = openTabs(backend, 3);
  await subscribeAll(tabs, 'things', 'one');
  assert.equal(counts.connections, 1);
  assert.equal(new Set(tabs.map((tab) => tab.id)).size, 1);
  assert.equal(new Set(tabs.map((tab) => tab.tabId)).size, 3);
});

test('calls without a name have a connection to the server each', async () => {
  const backend = newBackend();
  const counts = watch(backend);
  const tabs = [1, 2].flatMap(() => openTabs(backend, 1, {name: undefined}));
  await subscribeAll(tabs, 'things', 'one');
  assert.equal(counts.connections, 2);
});

test('identities never share a hub, whatever its name', async () => {
  const backend = newBackend();
  const counts = watch(backend);
  const tabs = [
    ['ann', 'one'],
    ['bob', 'one'],
    ['bob:one', 'two'],
    ['bob', 'one:two'],
  ].flatMap(([identity, name]) => openTabs(backend, 1, {name, identity}));
  await subscribeAll(tabs, 'things', 'one');
  assert.equal(counts.connections, 4);
  for (const tab of tabs) assert.equal(tab.tabs.length, 1);
});

test('a name belongs to one backend while it is in use', async () => {
  const name = 'taken';
  const [tab] = openTabs(newBackend(), 1, {name});
  assert.throws(() => openTabs(newBackend(), 1, {name}), {
    code: 'ERR_TABMUX_OPTION_INVALID',
    message: /`name` is "taken".*another backend/,
  });
  tab.close();
  const [next] = openTabs(newBackend(), 1, {name});
  await call(next.get('things', 'one'), 'subscribe');
});

test('a tab that closes does not disturb its siblings', async () => {
  const backend = newBackend();
  const counts = watch(backend);
  const [leaving, staying] = openTabs(backend, 2);
  const [, doc] = await subscribeAll([leaving, staying], 'things', 'one');
  leaving.close();
  await call(doc, 'create', {n: 0});
  await call(doc, 'submitOp', ADD);
  await until(() => staying.tabs.length === 1);
  assert.deepEqual([staying.state, counts.connections], ['connected', 1]);
});

test('a tab knows its siblings in the order they came', async () => {
  const backend = newBackend();
  const [first, second] = openTabs(backend, 2);
  const heard = [];
  first.on('tabs', (tabs) => heard.push(tabs.length));
  await until(() => first.tabs.length === 2 && second.tabs.length === 2);
  assert.deepEqual(
    first.tabs.map(({id, self}) => [id, self]),
    [
      [first.tabId, true],
      [second.tabId, false],
    ],
  );
  second.close();
  await until(() => first.tabs.length === 1);
  assert.equal(heard.at(-1), 1);
});

test('a connection says where its hub is, and why', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const heard = new Promise((resolve) => tab.once('topology', resolve));
  assert.deepEqual(await heard, {topology: 'direct', reason: 'a backend was given'});
  assert.equal(tab.topology, 'direct');
});

test('tabs share one subscription, which ends a while after the last of them let go', async () => {
  const backend = newBackend();
  const counts = watch(backend);
  const tabs = openTabsOf({connect: () => backend.connect(), linger: 40}, 3);
  const docs = await subscribeAll(tabs, 'things', 'one');
  assert.equal(counts.s, 1);

  await call(docs[0], 'unsubscribe');
  await call(docs[1], 'destroy');
  await turns(20);
  await call(docs[0], 'subscribe');
  await call(docs[0], 'unsubscribe');
  tabs[2].close();
  assert.deepEqual([counts.s, counts.u], [1, undefined]);
  await until(() => counts.u === 1);

  await call(docs[0], 'subscribe');
  assert.equal(counts.s, 2);
  const outside = plain(backend).get('things', 'one');
  await call(outside, 'create', {n: 3});
  await until(() => docs[0].data?.n === 3);
});

test('a subscription ends, although a query had found the document shortly before it began', async () => {
  const backend = newBackend();
  const counts = watch(backend);
  const [tab, sibling] = openTabsOf({connect: () => backend.connect(), linger: 40}, 2);
  await call(plain(backend).get('things', 'one'), 'create', {n: 0});
  const query = tab.createSubscribeQuery('things', {});
  await until(() => query.ready);
  query.destroy();
  await call(tab.get('things', 'two'), 'fetch');
  const doc = sibling.get('things', 'one');
  await call(doc, 'subscribe');
  await call(doc, 'unsubscribe');
  await until(() => counts.u === 1);
});

test('who subscribes again before that finds the subscription still there', async () => {
  const backend = newBackend();
  const counts = watch(backend);
  const [tab] = openTabsOf({connect: () => backend.connect(), linger: 60_000}, 1);
  const [doc] = await subscribeAll([tab], 'things', 'one');
  await call(doc, 'unsubscribe');
  await call(plain(backend).get('things', 'one'), 'create', {n: 3});
  assert.equal(doc.data, undefined);
  await call(doc, 'subscribe');
  assert.deepEqual([doc.data, doc.version], [{n: 3}, 1]);
  assert.deepEqual([counts.s, counts.u], [1, undefined]);
});

test('getBulk fetches documents with one message, and calls back with them in order', async () => {
  const backend = newBackend();
  const ids = ['a', 'b', 'c'];
  for (const id of ids) await call(plain(backend).get('things', id), 'create', {id});
  const counts = watch(backend);
  const [tab] = openTabs(backend, 1);
  const docs = await call(tab, 'getBulk', 'things', [...ids, 'missing']);
  assert.deepEqual(
    docs.map(({id, data, version}) => [id, data, version]),
    [...ids.map((id) => [id, {id}, 1]), ['missing', undefined, 0]],
  );
  assert.equal(docs[0], tab.get('things', 'a'));
  assert.deepEqual([counts.bf, counts.f], [1, undefined]);
  assert.deepEqual(await call(tab, 'getBulk', 'things', []), []);
});

test('getBulk calls back once with the error of one document', async () => {
  const backend = newBackend();
  for (const id of ['a', 'b']) await call(plain(backend).get('things', id), 'create', {id});
  backend.use('readSnapshots', ({snapshots}, next) => {
    next(
      snapshots.some(({id}) => id === 'b') ? {code: 'ERR_HIDDEN', message: 'Hidden'} : undefined,
    );
  });
  const [tab] = openTabs(backend, 1);
  const error = await errorOf(tab, 'getBulk', 'things', ['a', 'b']);
  assert.deepEqual([error.code, error.message], ['ERR_HIDDEN', 'Hidden']);
});

test('getBulk calls back though one of its documents is destroyed meanwhile', async () => {
  const backend = newBackend();
  await call(plain(backend).get('things', 'b'), 'create', {n: 1});
  const [tab] = openTabs(backend, 1);
  await call(tab.get('things', 'b'), 'fetch');
  slowDown(backend);
  const fetched = call(tab, 'getBulk', 'things', ['a', 'b']);
  tab.get('things', 'a').destroy();
  const [, b] = await fetched;
  assert.deepEqual(b.data, {n: 1});
});

test('a hub in the page ends with its last tab, and the next tab gets another', async () => {
  const backend = newBackend();
  let made = 0;
  const connect = () => {
    made += 1;
    return backend.connect();
  };
  const definition = defineHub({connect});
  const open = () => createConnection({hub: {local: () => ({default: definition})}});
  const [first, second] = [open(), open()];
  await until(() => first.state === 'connected' && second.state === 'connected');
  await call(first.get('things', 'one'), 'create', {n: 0});
  first.close();
  await call(second.get('things', 'one'), 'fetch');
  assert.deepEqual([made, backend.agentsCount], [1, 1]);
  second.get('things', 'one').submitOp(ADD);
  second.close();
  await until(() => backend.agentsCount === 0);

  const third = closing(open());
  const doc = third.get('things', 'one');
  await call(doc, 'fetch');
  assert.deepEqual([made, doc.data.n], [2, 1]);
});
