import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {randomBytes, webcrypto} from 'node:crypto';
import {once} from 'node:events';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {Connection} from 'sharedb/lib/client/index.js';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {
  call,
  closing,
  drained,
  holdBack,
  newBackend,
  newPair,
  openDroppable,
  openStored,
  plain,
  storeEventsOf,
  TRANSPORTS,
  turns,
  unreachable,
  until,
} from './support.mjs';

/** Has a hub with a store load these documents, which the server has, and leave. */
async function keep(identity, ids, store) {
  const backend = newBackend();
  const tab = openStored(backend, identity, store);
  for (const [collection, id] of ids) {
    const doc = tab.get(collection, id);
    await call(doc, 'subscribe');
    await call(doc, 'create', {id});
  }
  tab.close();
}

/** The ids of what the next hub with these options finds. */
async function kept(identity, store) {
  const tab = openStored(unreachable, identity, store);
  const events = storeEventsOf(tab);
  const ids = (await tab.store.inventory()).map(({id}) => id);
  return {ids, tab, events};
}

/** Waits until the server has such data. */
async function eventuallyHas(server, fits) {
  await until(() => {
    server.fetch();
    return server.data && fits(server.data);
  });
}

const key = () =>
  webcrypto.subtle.generateKey({name: 'AES-GCM', length: 256}, false, ['encrypt', 'decrypt']);

test('what was done without the server is there after a restart, and reaches the server once', async () => {
  const backend = newBackend();
  const first = openStored(backend, 'restart');
  await call(first.get('notes', 'one'), 'subscribe');
  await call(first.get('notes', 'one'), 'create', {n: 0});
  first.close();
  const offline = openStored(unreachable, 'restart');
  const doc = offline.get('notes', 'one');
  await call(doc, 'subscribe');
  assert.deepEqual([doc.version, doc.data], [1, {n: 0}]);
  doc.submitOp([{p: ['n'], na: 1}]);
  offline.get('notes', 'two').create({n: 5});
  await call(offline, 'flushWrites');
  offline.close();
  const next = openStored(backend, 'restart');
  await until(() => next.state === 'connected');
  const again = next.get('notes', 'one');
  await call(again, 'subscribe');
  const server = plain(backend);
  const [one, two] = ['one', 'two'].map((id) => server.get('notes', id));
  await call(two, 'subscribe');
  await call(one, 'subscribe');
  await until(() => one.version === 2 && two.version === 1);
  assert.deepEqual([one.data, two.data], [{n: 1}, {n: 5}]);
  await until(() => again.version === 2);
  assert.deepEqual(again.data, {n: 1});
});

test('what a tab did before it was closed reaches the server from a hub with a store, too', async () => {
  const backend = newBackend();
  const {held, release} = holdBack(backend);
  let upstream;
  const connect = () => {
    upstream = backend.connect();
    return upstream;
  };
  const tab = openStored({connect}, 'closed early');
  tab.get('notes', 'one').create({n: 1});
  tab.close();
  await until(() => held.length > 0);
  assert.equal(upstream.state, 'connected');
  release();
  await until(() => upstream.state === 'closed');
  const doc = plain(backend).get('notes', 'one');
  await call(doc, 'fetch');
  assert.deepEqual(doc.data, {n: 1});
});

for (const transport of TRANSPORTS) {
  test(`a tab over ${transport} joins the hub of its name that waits for the server`, async () => {
    const backend = newBackend();
    const upstreams = [];
    const connect = () => {
      upstreams.push(new Connection({readyState: 3, send() {}, close() {}}));
      return upstreams.at(-1);
    };
    const server = {connect};
    const open = () => {
      const options = {transport, name: 'waiting', identity: transport, store: true};
      return closing(createConnection(server, options));
    };
    const first = open();
    first.get('notes', 'one').create({n: 1});
    await call(first, 'flushWrites');
    first.close();
    const second = open();
    second.close();
    await turns(20);
    const third = open();
    const doc = third.get('notes', 'one');
    await call(doc, 'subscribe');
    assert.deepEqual(doc.data, {n: 1});
    backend.connect(upstreams[0]);
    await until(() => doc.version === 1);
    assert.equal(upstreams[0].state, 'connected');
    third.close();
    await until(() => upstreams[0].state === 'closed');
    assert.equal(upstreams.length, 1);

    await until(() => open() && upstreams.length === 2);
  });
}

test('a connection of the same backend, identity and store joins the hub that waits for the server', async () => {
  const upstreams = [];
  const connect = () => {
    upstreams.push(unreachable.connect());
    return upstreams.at(-1);
  };
  const server = {connect};
  const open = (identity, store = true) =>
    closing(createConnection(server, {identity, store, transport: 'direct'}));
  const first = open('joined');
  const doc = first.get('notes', 'one');
  doc.create({n: 1});
  first.close();
  const second = open('joined');
  const events = storeEventsOf(second);
  const again = second.get('notes', 'one');
  await call(again, 'subscribe');
  assert.deepEqual([again.data, upstreams.length, events], [{n: 1}, 1, []]);
  const others = [open('not joined'), open('joined', {name: 'other'})];
  for (const other of others) assert.deepEqual(await other.store.inventory(), []);
  assert.equal(upstreams.length, 3);
});

test('a hub that waits for its server gives up the store to that of another backend', async () => {
  const options = {identity: 'handed over', store: true, transport: 'direct'};
  let isClosed = false;
  const close = () => {
    isClosed = true;
  };
  const connect = () => new Connection({readyState: 3, send() {}, close});
  const first = closing(createConnection({connect}, options));
  first.get('notes', 'one').create({n: 1});
  await call(first, 'flushWrites');
  first.close();
  await turns(20);
  const backend = newBackend();
  const next = closing(createConnection(backend, options));
  assert(isClosed);
  const doc = next.get('notes', 'one');
  await call(doc, 'subscribe');
  await until(() => doc.version === 1);
  assert.deepEqual(doc.data, {n: 1});
});

for (const transport of TRANSPORTS) {
  test(`what a tab over ${transport} asks of a hub that another has taken the store from ends with an error`, async () => {
    const backend = newBackend();
    const identity = `fenced over ${transport}`;
    const tab = openStored(backend, identity, true, transport);
    const failed = once(tab, 'error');
    const docs = ['one', 'two'].map((id) => tab.get('notes', id));
    for (const doc of docs) {
      await call(doc, 'subscribe');
      await call(doc, 'create', {n: 0});
    }
    await call(tab, 'flushWrites');
    const next = openStored(backend, identity);
    await next.store.inventory();
    const errors = [];
    const edit = (doc) => doc.submitOp([{p: ['n'], na: 1}], (error) => errors.push(error?.code));
    docs.forEach(edit);
    await until(() => tab.state === 'stopped');
    docs.forEach(edit);
    await drained(tab);
    const lost = 'ERR_TABMUX_HUB_LOST';
    assert.deepEqual(errors, [lost, lost, lost, lost]);
    assert.equal((await failed)[0].code, lost);
    assert.equal(tab.hasWritePending(), false);
    tab.close();
    assert.equal(tab.state, 'closed');
    await assert.rejects(tab.store.inventory(), {code: lost});
  });
}

test('what a tab has left to a hub that another has taken the store from goes to the next', async () => {
  const backend = newBackend();
  const tab = openStored(backend, 'fenced and left', true, 'message-port');
  const doc = tab.get('notes', 'one');
  await call(doc, 'subscribe');
  await call(doc, 'create', {n: 0});
  await call(tab, 'flushWrites');
  const next = openStored(backend, 'fenced and left');
  next.on('error', () => {});
  await next.store.inventory();
  const submitted = call(doc, 'submitOp', [{p: ['n'], na: 1}]);
  tab.close();
  await turns(20);
  tab.open();
  await submitted;
  const outside = plain(backend).get('notes', 'one');
  await call(outside, 'fetch');
  assert.deepEqual([outside.data, doc.data, tab.state], [{n: 1}, {n: 1}, 'connected']);
});

test('a name is free for another server once the last tab has left', async () => {
  const options = {transport: 'direct', name: 'moved', identity: 'moved', store: true};
  const first = closing(createConnection(unreachable, options));
  first.get('notes', 'one').create({n: 1});
  await call(first, 'flushWrites');
  const backend = newBackend();
  const connect = () => createConnection(backend, options);
  assert.throws(connect, {code: 'ERR_TABMUX_OPTION_INVALID'});
  first.close();
  const next = closing(connect());
  const doc = next.get('notes', 'one');
  await call(doc, 'subscribe');
  await until(() => doc.version === 1);
  assert.deepEqual(doc.data, {n: 1});
  assert.equal(closing(connect()).tabs.length, 0);
});

test('a hub that had to stop is not joined', async () => {
  const options = {transport: 'direct', name: 'stopped', identity: 'stopped', store: true};
  const backend = newBackend();
  const first = closing(createConnection(backend, options));
  first.on('error', () => {});
  await first.store.inventory();
  const other = openStored(backend, 'stopped');
  await other.store.inventory();
  first.store.pin('notes', 'one').catch(() => {});
  await until(() => first.state === 'stopped');
  first.close();
  const next = closing(createConnection(backend, options));
  await until(() => next.state === 'connected');
});

test('F14: an op that the server committed and never acknowledged to a hub that died is committed once', async () => {
  const backend = newBackend();
  const committed = [];
  let isSilent = false;
  backend.use('afterWrite', ({op}, next) => {
    committed.push(op.op ?? 'creation');
    // The client hears of its op only then.
    if (!isSilent) next();
  });
  const first = openStored(backend, 'F14');
  first.on('error', () => {});
  const doc = first.get('notes', 'one');
  await call(doc, 'subscribe');
  await call(doc, 'create', {n: 0});
  isSilent = true;
  doc.submitOp([{p: ['n'], na: 1}]);
  await until(() => committed.length === 2);
  isSilent = false;

  const next = openStored(backend, 'F14');
  const again = next.get('notes', 'one');
  await call(again, 'subscribe');
  await until(() => again.version === 2);
  assert.deepEqual(again.data, {n: 1});
  again.submitOp([{p: ['n'], na: 10}]);
  await drained(next);
  assert.deepEqual(committed, ['creation', [{p: ['n'], na: 1}], [{p: ['n'], na: 10}]]);
  const server = plain(backend).get('notes', 'one');
  await call(server, 'fetch');
  assert.deepEqual(server.data, {n: 11});
  assert.deepEqual(
    (await next.store.inventory()).map(({pending}) => pending),
    [false],
  );
});

const nested = (depth) => (depth === 0 ? 1 : {a: nested(depth - 1)});

test('D1: a document that can no longer be encoded is told of once, and its ops are kept and committed once', async () => {
  const backend = newBackend();
  const {tabs, drop} = await openDroppable(backend, {store: true, identity: 'too deep'});
  const told = storeEventsOf(tabs[0]);
  const doc = tabs[0].get('notes', 'deep');
  await call(doc, 'subscribe');
  await call(doc, 'create', {a: 1, n: 0});
  await drop();
  doc.submitOp([{p: ['a'], od: 1, oi: nested(300)}]);
  doc.submitOp([{p: Array(301).fill('a'), od: 1, oi: nested(300)}]);
  doc.submitOp([{p: ['n'], na: 1}]);
  // Each time the log is too long, a checkpoint is tried again.
  for (const name of ['one', 'two']) {
    doc.submitOp([{p: [name], oi: name.repeat(100_000)}]);
    await call(tabs[0], 'flushWrites');
    doc.submitOp([{p: ['n'], na: 1}]);
    await call(tabs[0], 'flushWrites');
  }
  await until(() => told.length > 0);
  assert.deepEqual(
    told.map(([name, {code, id}]) => [name, code, id]),
    [['error', 'ERR_TABMUX_UNCARRIABLE', 'deep']],
  );
  assert.deepEqual(
    (await tabs[0].store.inventory()).map(({pending}) => pending),
    [true],
  );
  for (const tab of tabs) tab.close();
  const next = openStored(backend, 'too deep');
  const server = plain(backend).get('notes', 'deep');
  await eventuallyHas(server, ({n, two}) => n === 3 && two);
  assert.deepEqual((await next.store.inventory()).length, 1);
});

test('a document without uncommitted ops that can no longer be encoded is dropped from the store', async () => {
  const backend = newBackend();
  const tab = openStored(backend, 'too deep to keep');
  const told = storeEventsOf(tab);
  const doc = tab.get('notes', 'deep');
  await call(doc, 'subscribe');
  await call(doc, 'create', {a: 1});
  const server = plain(backend).get('notes', 'deep');
  await call(server, 'fetch');
  await call(server, 'submitOp', [{p: ['a'], od: 1, oi: nested(300)}]);
  await call(server, 'submitOp', [{p: Array(301).fill('a'), od: 1, oi: nested(300)}]);
  await call(server, 'submitOp', [{p: ['big'], oi: 'x'.repeat(200_000)}]);
  await until(() => told.length > 0);
  assert.equal(told[0][1].code, 'ERR_TABMUX_UNCARRIABLE');
  await call(tab, 'flushWrites');
  assert.deepEqual(await tab.store.inventory(), []);
});

test('a process whose tabs are closed ends, though the server does not have every op', async () => {
  const script = `
    import {call, openStored, unreachable} from './support.mjs';
    const tab = openStored(unreachable, 'process', true, 'broadcast-channel');
    tab.get('notes', 'one').create({n: 1});
    await call(tab, 'flushWrites');
    tab.close();
  `;
  const args = ['--input-type=module', '--eval', script];
  await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    timeout: 20_000,
  });
});

test('ops that the server can not place any more are told with their content, the others kept', async () => {
  const before = newBackend();
  const tab = openStored(before, 'lost');
  const doc = tab.get('notes', 'one');
  await call(doc, 'subscribe');
  await call(doc, 'create', {n: 1, text: ''});
  await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
  const {held} = holdBack(before);
  doc.submitOp([{p: ['n'], na: 10}]);
  await until(() => held.length > 0);
  doc.submitOp([{p: ['text', 0], si: 'unsent'}]);
  await call(tab, 'flushWrites');

  // The server was set back to an older backup.
  const after = newBackend();
  await call(plain(after).get('notes', 'one'), 'create', {n: 1, text: ''});
  const next = openStored(after, 'lost');
  const told = once(next, 'store:lost');
  const again = next.get('notes', 'one');
  await call(again, 'subscribe');
  const [{collection, id, ops, error}] = await told;
  assert.deepEqual([collection, id, ops], ['notes', 'one', [{op: [{p: ['n'], na: 10}]}]]);
  assert.ok(error instanceof Error);
  assert.equal(typeof error.code, 'string');
  await until(() => again.data?.text === 'unsent');
  assert.equal(again.data.n, 1);
  await drained(next);
  const server = plain(after).get('notes', 'one');
  await call(server, 'fetch');
  assert.deepEqual(server.data, {n: 1, text: 'unsent'});
});

test('an op on its way to a server that says it has lost earlier ones is committed all the same', async () => {
  const backend = newBackend();
  const upstream = backend.connect();
  const tab = openStored({connect: () => upstream}, 'on its way');
  const events = storeEventsOf(tab);
  const doc = tab.get('notes', 'one');
  await call(doc, 'subscribe');
  await call(doc, 'create', {n: 0});
  upstream.socket.close('lost');
  await until(() => tab.state === 'disconnected');
  const committed = call(doc, 'submitOp', [{p: ['n'], na: 1}]);
  const server = plain(backend).get('notes', 'one');
  await call(server, 'fetch');
  for (const na of [10, 20]) await call(server, 'submitOp', [{p: ['n'], na}]);
  await call(backend.db, 'deleteOps', 'notes', 'one', 0, 2, null);

  const {held, release} = holdBack(backend);
  let refusals = 0;
  upstream.prependListener('receive', ({data}) => {
    if (data?.error) refusals += 1;
  });
  backend.connect(upstream);
  await until(() => held.length > 0 && refusals > 0);
  release();
  await committed;
  await until(() => doc.version === 4);
  assert.deepEqual(doc.data, {n: 31});
  await call(server, 'fetch');
  assert.deepEqual([server.version, server.data, events], [4, {n: 31}, []]);
});

test('identities, and names of one identity, never share a store', async () => {
  await keep('ann', [['notes', 'ann']], {name: 'app'});
  await keep('bob', [['notes', 'bob']], {name: 'app'});
  assert.deepEqual((await kept('ann', {name: 'app'})).ids, ['ann']);
  assert.deepEqual((await kept('bob', {name: 'app'})).ids, ['bob']);
  assert.deepEqual((await kept('ann')).ids, []);
  assert.deepEqual((await kept('ann', {name: ''})).ids, []);
});

test('only the collections of the options are kept', async () => {
  const store = {collections: ['notes']};
  await keep(
    'collections',
    [
      ['notes', 'one'],
      ['drafts', 'two'],
    ],
    store,
  );
  assert.deepEqual((await kept('collections')).ids, ['one']);
});

test('only the documents that `keep` wants are kept', async () => {
  const store = {collections: ['notes'], keep: (collection, id) => id.startsWith(collection[0])};
  await keep(
    'keep',
    [
      ['notes', 'n1'],
      ['notes', 'x'],
      ['drafts', 'd1'],
    ],
    store,
  );
  assert.deepEqual((await kept('keep')).ids, ['n1']);
});

for (const [what, keep, says] of [
  [
    'throws',
    () => {
      throw new Error('not today');
    },
    /`store\.keep`.*notes\.one.*not today/,
  ],
  ['returns a promise', async () => true, /`store\.keep`.*notes\.one.*promise/],
]) {
  test(`a document for which \`keep\` ${what} is not kept, and the tabs are told why`, async () => {
    const tab = openStored(newBackend(), `keep ${what}`, {keep});
    const events = storeEventsOf(tab);
    const doc = tab.get('notes', 'one');
    await call(doc, 'subscribe');
    await call(doc, 'create', {n: 1});
    await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
    assert.deepEqual(await tab.store.inventory(), []);
    assert.deepEqual(
      events.map(([name, {code}]) => [name, code]),
      [['error', 'ERR_TABMUX_OPTION_INVALID']],
    );
    assert.match(events[0][1].message, says);
    await tab.store.clear();
  });
}

test('documents beyond `maxBytes` are dropped, but for those that are pinned', async () => {
  const ids = [
    ['notes', 'one'],
    ['notes', 'two'],
    ['notes', 'three'],
  ];
  await keep('maxBytes', ids);
  const {tab} = await kept('maxBytes');
  await tab.store.pin('notes', 'two');
  tab.close();
  const next = openStored(unreachable, 'maxBytes', {maxBytes: 0});
  const [evicted] = await once(next, 'store:evicted');
  const byId = (a, b) => a.id.localeCompare(b.id);
  assert.deepEqual(evicted.sort(byId), [
    {collection: 'notes', id: 'one'},
    {collection: 'notes', id: 'three'},
  ]);
  assert.deepEqual((await kept('maxBytes')).ids, ['two']);
});

test('documents that were not used for longer than `maxAge` are dropped', async () => {
  await keep('maxAge', [['notes', 'one']]);
  const day = 24 * 60 * 60 * 1000;
  assert.deepEqual((await kept('maxAge', {maxAge: day})).ids, ['one']);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const next = openStored(unreachable, 'maxAge', {maxAge: 0});
  assert.deepEqual(await once(next, 'store:evicted'), [[{collection: 'notes', id: 'one'}]]);
});

test('the age of a document counts the time in which the device slept', async (t) => {
  await keep('asleep', [['notes', 'one']]);
  // The hub notes the last use as its tab goes.
  await turns(50);
  const day = 24 * 60 * 60 * 1000;
  const {now} = Date;
  t.mock.method(Date, 'now', () => now() + 2 * day);
  const events = storeEventsOf(openStored(unreachable, 'asleep', {maxAge: day}));
  await until(() => events.length > 0);
  assert.deepEqual(events, [['evicted', [{collection: 'notes', id: 'one'}]]]);
});

test('documents with uncommitted ops are never dropped', async () => {
  const tab = openStored(unreachable, 'evicted pending');
  tab.get('notes', 'one').create({n: 1});
  await call(tab, 'flushWrites');
  tab.close();
  const next = openStored(unreachable, 'evicted pending', {maxBytes: 0, maxAge: 0});
  const doc = next.get('notes', 'one');
  await call(doc, 'fetch');
  assert.deepEqual(doc.data, {n: 1});
  next.close();
  assert.deepEqual((await kept('evicted pending')).ids, ['one']);
});

test('what is kept strictly is there after a restart, too', async () => {
  await keep('strict', [['notes', 'one']], {durability: 'strict'});
  assert.deepEqual((await kept('strict', {durability: 'strict'})).ids, ['one']);
});

test('with a key, the next hub needs the same key', async () => {
  const encryption = await key();
  await keep('key', [['notes', 'one']], {encryption});
  const {tab} = await kept('key', {encryption});
  const doc = tab.get('notes', 'one');
  await call(doc, 'fetch');
  assert.deepEqual(doc.data, {id: 'one'});
});

for (const [what, store, says] of [
  ['another key', {encryption: await key()}, /another key/],
  ['no key', true, /encrypted/],
  [
    'a function that finds none',
    {
      encryption: async () => {
        throw new Error('logged out');
      },
    },
    /logged out/,
  ],
  ['a function that returns none', {encryption: () => 'secret'}, /secret.*CryptoKey/],
  [
    'a function that returns a key for something else',
    {
      encryption: () =>
        webcrypto.subtle.generateKey({name: 'AES-CBC', length: 256}, false, ['encrypt']),
    },
    /AES-GCM/,
  ],
]) {
  test(`${what} is an error, and destroys nothing`, async () => {
    const own = await key();
    await keep(what, [['notes', 'one']], {encryption: own});
    const {tab, events, ids} = await kept(what, store);
    await until(() => events.length > 0);
    const [[name, error]] = events;
    assert.equal(name, 'error');
    assert.ok(error instanceof Error);
    assert.equal(error.code, 'ERR_TABMUX_STORE_KEY');
    assert.match(error.message, says);
    assert.deepEqual(ids, []);
    // The hub goes on in memory.
    tab.get('notes', 'two').create({n: 1});
    await call(tab, 'flushWrites');
    assert.deepEqual(
      (await tab.store.inventory()).map(({id}) => id),
      ['two'],
    );
    assert.deepEqual((await kept(what, {encryption: own})).ids, ['one']);
  });
}

test('the function that finds the key is told whose it is', async () => {
  const found = await key();
  const asked = [];
  const encryption = (context) => {
    asked.push(context);
    return found;
  };
  await keep('owner', [['notes', 'one']], {encryption});
  assert.deepEqual((await kept('owner', {encryption})).ids, ['one']);
  assert.deepEqual(
    asked.map(({identity}) => identity),
    ['owner', 'owner'],
  );
});

for (const [how, wrap] of [
  ['that return promises', (cipher) => async (bytes, context) => cipher(bytes, context)],
  ['that return at once', (cipher) => cipher],
]) {
  test(`an application can encrypt with functions of its own ${how}`, async () => {
    const secret = randomBytes(32);
    const seen = [];
    const encryption = {
      encrypt: wrap((bytes, context) => {
        seen.push(Buffer.from(bytes).toString('latin1'));
        return xor(bytes, context, secret);
      }),
      decrypt: wrap((bytes, context) => xor(bytes, context, secret)),
    };
    await keep(how, [['notes', 'one']], {encryption});
    assert.ok(seen.length > 0);
    const {tab} = await kept(how, {encryption});
    const doc = tab.get('notes', 'one');
    await call(doc, 'fetch');
    assert.deepEqual(doc.data, {id: 'one'});
  });
}

/** No cipher to be trusted, but one whose result depends on all it is given. */
function xor(bytes, context, secret) {
  const mask = (at) => secret[at % secret.length] ^ (context[at % context.length] ?? 0);
  return bytes.map((byte, at) => byte ^ mask(at));
}

test('encryption that fails is a store error, and the hub goes on', async () => {
  const encryption = {
    encrypt: async (bytes) => {
      if (Buffer.from(bytes).toString() !== 'tabmux') throw new Error('out of ink');
      return bytes;
    },
    decrypt: async (bytes) => bytes,
  };
  const tab = openStored(newBackend(), 'ink', {encryption});
  const failed = once(tab, 'store:error');
  const doc = tab.get('notes', 'one');
  await call(doc, 'subscribe');
  // For a second the op waits for the store, and nothing else keeps the process alive.
  const alive = setInterval(() => {}, 1000);
  await call(doc, 'create', {n: 1});
  clearInterval(alive);
  const [error] = await failed;
  assert.equal(error.code, 'ERR_TABMUX_STORE_FAILED');
  assert.match(error.message, /out of ink/);
});

for (const [what, encrypt, says] of [
  [
    'throws at once',
    () => {
      throw new Error('no ink');
    },
    /no ink/,
  ],
  ['returns nothing', () => {}, /`encrypt`.*Uint8Array/],
  ['fails without a reason', () => Promise.reject(), /no message, only undefined/],
]) {
  test(`a hub whose \`encrypt\` ${what} starts nevertheless, and stores in memory`, async () => {
    const encryption = {encrypt, decrypt: async (bytes) => bytes};
    const tab = openStored(newBackend(), what, {encryption});
    const failed = once(tab, 'store:error');
    await call(tab.get('notes', 'one'), 'create', {n: 1});
    const [error] = await failed;
    assert.equal(error.code, 'ERR_TABMUX_STORE_FAILED');
    assert.match(error.message, says);
  });
}

/** What a script says at the end, in a process whose timers run a hundred times as fast. */
async function hurried(script) {
  const clock = `
    const {setTimeout} = globalThis;
    globalThis.setTimeout = (act, ms, ...rest) => setTimeout(act, ms / 100, ...rest);
    const {call, newBackend, openStored, plain, storeEventsOf, until} = await import('./support.mjs');
    const alive = setInterval(() => {}, 1000);
    const say = (told) => {
      console.log(JSON.stringify(told));
      process.exit();
    };
  `;
  const args = ['--input-type=module', '--eval', clock + script];
  const {stdout} = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    timeout: 20_000,
  });
  return JSON.parse(stdout);
}

test('F15: a store that does not open in time is an error, and the hub works in memory', async () => {
  const [code, message, inventory] = await hurried(`
    const encryption = () => new Promise(() => {});
    const tab = openStored(newBackend(), 'never opens', {encryption});
    const events = storeEventsOf(tab);
    tab.get('notes', 'one').create({n: 1});
    await call(tab, 'flushWrites');
    await until(() => events.length > 0);
    const [[, {code, message}]] = events;
    say([code, message, (await tab.store.inventory()).map(({id}) => id)]);
  `);
  assert.equal(code, 'ERR_TABMUX_STORE_UNAVAILABLE');
  assert.match(message, /30 seconds/);
  assert.deepEqual(inventory, ['one']);
});

test('F15: a transaction that does not end in time is an error, and what it had is written later', async () => {
  const [code, message, data, kept] = await hurried(`
    let hangs = false;
    const encryption = {
      encrypt: async (bytes) => (hangs ? new Promise(() => {}) : bytes),
      decrypt: async (bytes) => bytes,
    };
    const backend = newBackend();
    const tab = openStored(backend, 'hangs', {encryption});
    const events = storeEventsOf(tab);
    const doc = tab.get('notes', 'one');
    await call(doc, 'subscribe');
    await call(doc, 'create', {n: 1});
    hangs = true;
    doc.submitOp([{p: ['n'], na: 1}]);
    await until(() => events.length > 0);
    const [[, {code, message}]] = events;
    hangs = false;
    doc.submitOp([{p: ['n'], na: 1}]);
    await call(doc, 'whenNothingPending');
    const server = plain(backend).get('notes', 'one');
    await call(server, 'fetch');
    await call(tab, 'flushWrites');
    let exported;
    do exported = await tab.store.export();
    while (exported.documents[0].data.n !== 3);
    say([code, message, server.data, exported.documents]);
  `);
  assert.equal(code, 'ERR_TABMUX_STORE_FAILED');
  assert.match(message, /10 seconds/);
  assert.deepEqual(data, {n: 3});
  assert.deepEqual(
    kept.map(({data, pending}) => [data, pending]),
    [[{n: 3}, []]],
  );
});

test('F11: a hub whose store another has opened stops, and its tabs hear of it', async () => {
  const backend = newBackend();
  const connect = () => backend.connect();
  const hub = closing(defineHub({connect, store: true}).hub('fenced'));
  const [end, hubEnd] = newPair();
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: end, identity: 'fenced'}));
  tab.on('error', () => {});
  const doc = tab.get('notes', 'one');
  await call(doc, 'subscribe');
  const fault = once(hub, 'fault');
  const next = openStored(backend, 'fenced');
  await next.store.inventory();
  doc.create({n: 1});
  const [error] = await fault;
  assert.equal(error.code, 'ERR_TABMUX_STORE_FENCED');
  await until(() => tab.state === 'stopped');
  assert.equal(hub.connection.state, 'closed');
  const server = plain(backend).get('notes', 'one');
  await call(server, 'fetch');
  assert.equal(server.type, null);
});

for (const [what, opener] of [
  [
    'a hub of a definition',
    (backend, identity) => {
      const hub = defineHub({connect: () => backend.connect(), store: true});
      return () => closing(createConnection({hub: {local: () => hub}, identity}));
    },
  ],
  [
    'a hub with a name',
    (backend, identity) => () =>
      closing(
        createConnection(backend, {transport: 'direct', name: identity, identity, store: true}),
      ),
  ],
]) {
  test(`F11: ${what} that stopped for another is not joined, and what it left behind does not come back`, async () => {
    const backend = newBackend();
    const open = opener(backend, `fenced: ${what}`);
    const old = [open(), open()];
    await until(() => old.every(({state}) => state === 'connected'));
    const newer = openStored(backend, `fenced: ${what}`);
    for (const tab of [...old, newer]) tab.on('error', () => {});
    await newer.store.inventory();
    old[0].get('notes', 'one').create({n: 1});
    await until(() => old.every(({state}) => state === 'stopped'));

    const reloaded = open();
    const doc = reloaded.get('notes', 'two');
    await call(doc, 'create', {n: 2});
    newer.get('notes', 'three').create({n: 3});
    await until(() => newer.state === 'stopped');
    await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
    assert.deepEqual(
      [...old, newer, reloaded].map(({state}) => state),
      ['stopped', 'stopped', 'stopped', 'connected'],
    );
    old[0].close();
    old[1].close();
    await turns(20);
    await call(doc, 'submitOp', [{p: ['n'], na: 1}]);
  });
}

test('a store that has lost its hub takes the ops of the next', async () => {
  const backend = newBackend();
  await keep('again', [['notes', 'one']]);
  const tab = openStored(backend, 'again');
  const doc = tab.get('notes', 'two');
  await call(doc, 'subscribe');
  await call(doc, 'create', {n: 1});
  await drained(tab);
  assert.deepEqual((await tab.store.inventory()).map(({id}) => id).sort(), ['one', 'two']);
});
