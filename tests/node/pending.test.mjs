import assert from 'node:assert/strict';
import {test} from 'node:test';
import {sameAsShareDB} from './recorder.mjs';
import {
  call,
  converged,
  drained,
  holdBack,
  newBackend,
  openTabs,
  plain,
  subscribeAll,
  turn,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

/** The same test on a connection of ShareDB's own, and on tabs over the transport between threads. */
function onBoth(name, body) {
  test(`ShareDB's connection: ${name}`, () => body((backend) => plain(backend)));
  test(`a tab: ${name}`, () =>
    body((backend) => openTabs(backend, 1, {transport: 'message-port'})[0]));
}

/** A document that is created and subscribed. */
async function countingDoc(connect, backend = newBackend()) {
  const [doc] = await subscribeAll([connect(backend)], 'things', 'one');
  await call(doc, 'create', {n: 0});
  return doc;
}

/** What the server was sent as sources, in order. */
function sourcesSeenBy(backend) {
  const sources = [];
  backend.use('submit', ({extra}, next) => {
    sources.push(extra.source);
    next();
  });
  return sources;
}

onBoth('the ops of one tick are one version', async (connect) => {
  const doc = await countingDoc(connect);
  let answers = 0;
  for (let i = 0; i < 5; i++) doc.submitOp(ADD, () => answers++);
  await drained(doc.connection);
  assert.deepEqual([doc.version, doc.data.n, answers], [2, 5, 5]);
});

onBoth('a creation and the ops of its tick are one version', async (connect) => {
  const [doc] = await subscribeAll([connect(newBackend())], 'things', 'one');
  doc.create({n: 1});
  doc.submitOp(ADD);
  await call(doc, 'submitOp', ADD);
  assert.deepEqual([doc.version, doc.data.n], [1, 3]);
});

onBoth('a creation without a fetch, and the ops of its tick, are one version', async (connect) => {
  const doc = connect(newBackend()).get('things', 'one');
  doc.create({n: 1});
  await call(doc, 'submitOp', ADD);
  assert.deepEqual([doc.version, doc.data.n], [1, 2]);
});

onBoth('deletion and creation are versions of their own', async (connect) => {
  const doc = await countingDoc(connect);
  doc.submitOp(ADD);
  doc.del();
  doc.create({n: 9});
  await call(doc, 'submitOp', ADD);
  assert.deepEqual([doc.version, doc.data.n], [4, 10]);
});

onBoth('the ops submitted while one is on its way are one version', async (connect) => {
  const backend = newBackend();
  const doc = await countingDoc(connect, backend);
  const server = holdBack(backend);
  doc.submitOp(ADD);
  await until(() => server.held.length === 1);
  for (let i = 0; i < 4; i++) {
    doc.submitOp(ADD);
    await turn();
    await turn();
  }
  server.release();
  await drained(doc.connection);
  assert.deepEqual([doc.version, doc.data.n], [3, 5]);
});

onBoth('preventCompose keeps each op a version of its own', async (connect) => {
  const doc = await countingDoc(connect);
  doc.preventCompose = true;
  doc.submitOp(ADD);
  doc.submitOp(ADD);
  doc.submitOp(ADD);
  await drained(doc.connection);
  assert.deepEqual([doc.version, doc.data.n], [4, 3]);
  doc.preventCompose = false;
  doc.submitOp(ADD);
  doc.submitOp(ADD);
  await drained(doc.connection);
  assert.deepEqual([doc.version, doc.data.n], [5, 5]);
});

onBoth('preventCompose holds while an op is on its way', async (connect) => {
  const backend = newBackend();
  const doc = await countingDoc(connect, backend);
  const server = holdBack(backend);
  doc.preventCompose = true;
  doc.submitOp(ADD);
  await until(() => server.held.length === 1);
  doc.submitOp(ADD);
  doc.submitOp(ADD);
  server.release();
  await drained(doc.connection);
  assert.deepEqual([doc.version, doc.data.n], [4, 3]);
});

onBoth(
  'with submitSource the server sees sources, and only equal ones compose',
  async (connect) => {
    const backend = newBackend();
    const doc = await countingDoc(connect, backend);
    const sources = sourcesSeenBy(backend);
    doc.submitSource = true;
    doc.submitOp(ADD, {source: {by: 'a'}});
    doc.submitOp(ADD, {source: {by: 'a'}});
    doc.submitOp(ADD, {source: {by: 'b'}});
    doc.submitOp(ADD);
    await drained(doc.connection);
    assert.deepEqual(sources, [{by: 'a'}, {by: 'b'}, true]);
    assert.deepEqual([doc.version, doc.data.n], [4, 4]);
  },
);

onBoth('without submitSource the server sees none, and all compose', async (connect) => {
  const backend = newBackend();
  const doc = await countingDoc(connect, backend);
  const sources = sourcesSeenBy(backend);
  doc.submitOp(ADD, {source: 'a'});
  doc.submitOp(ADD, {source: 'b'});
  await drained(doc.connection);
  assert.deepEqual(sources, [undefined]);
  assert.deepEqual([doc.version, doc.data.n], [2, 2]);
});

onBoth('pause holds ops back until resume', async (connect) => {
  const backend = newBackend();
  const doc = await countingDoc(connect, backend);
  doc.pause();
  let answers = 0;
  doc.submitOp(ADD, () => answers++);
  await turn();
  doc.submitOp(ADD, () => answers++);
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual([doc.paused, doc.hasWritePending(), doc.version, answers], [true, true, 1, 0]);

  const outside = plain(backend).get('things', 'one');
  await call(outside, 'fetch');
  assert.equal(outside.data.n, 0);
  await call(outside, 'submitOp', [{p: ['n'], na: 10}]);
  await until(() => doc.data.n === 12);

  doc.resume();
  await drained(doc.connection);
  assert.deepEqual([doc.paused, doc.version, doc.data.n, answers], [false, 3, 12, 2]);
});

onBoth('pause in the callback of an op holds back those after it', async (connect) => {
  const backend = newBackend();
  const doc = await countingDoc(connect, backend);
  const outside = plain(backend).get('things', 'one');
  doc.pause();
  doc.submitOp(ADD, () => doc.pause());
  doc.del();
  doc.resume();
  await until(() => doc.paused);
  for (let i = 0; i < 20; i++) await turn();
  await call(outside, 'fetch');
  assert.deepEqual([outside.version, outside.data, doc.type], [2, {n: 1}, null]);
  doc.resume();
  await drained(doc.connection);
  assert.equal(doc.version, 3);
});

onBoth('hasPending and hasWritePending follow each kind of work', async (connect) => {
  const backend = newBackend();
  const connection = connect(backend);
  const doc = connection.get('things', 'one');
  const pending = () => {
    assert.equal(connection.hasPending(), doc.hasPending());
    assert.equal(connection.hasWritePending(), doc.hasWritePending());
    return [doc.hasPending(), doc.hasWritePending()];
  };
  const during = async (method, ...args) => {
    const done = call(doc, method, ...args);
    const now = pending();
    await done;
    return now;
  };
  assert.deepEqual(pending(), [false, false]);
  assert.deepEqual(await during('fetch'), [true, false]);
  assert.deepEqual(await during('subscribe'), [true, false]);
  assert.deepEqual(await during('create', {n: 0}), [true, true]);
  assert.deepEqual(await during('submitOp', ADD), [true, true]);
  assert.deepEqual(await during('unsubscribe'), [true, false]);
  assert.deepEqual(await during('del'), [true, true]);
  assert.deepEqual(pending(), [false, false]);
});

onBoth(
  'whenNothingPending calls back once, later, when the server has all ops',
  async (connect) => {
    const backend = newBackend();
    const server = holdBack(backend);
    const connection = connect(backend);
    const docs = ['one', 'two'].map((id) => connection.get('things', id));
    let calls = [];
    const ask = () => {
      docs[0].whenNothingPending(() => calls.push('doc'));
      connection.whenNothingPending(() => calls.push('connection'));
    };
    ask();
    assert.deepEqual(calls, []);
    await turn();
    assert.deepEqual(calls.sort(), ['connection', 'doc']);

    calls = [];
    for (const doc of docs) doc.create({n: 0});
    ask();
    await until(() => server.held.length === 2);
    for (let i = 0; i < 10; i++) await turn();
    assert.deepEqual(calls, []);
    server.release();
    await until(() => calls.length === 2);
    for (const doc of docs) assert.equal(doc.version, 1);
    for (const doc of docs) await call(doc, 'submitOp', ADD);
    assert.deepEqual(calls.sort(), ['connection', 'doc']);
  },
);

onBoth(
  'an op is called back for once, and not before the server has written it',
  async (connect) => {
    const backend = newBackend();
    const written = [];
    backend.use('afterWrite', ({op}, next) => {
      written.push(op.v);
      next();
    });
    const doc = await countingDoc(connect, backend);
    const answers = [];
    for (let i = 0; i < 3; i++) {
      doc.submitOp(ADD, (error) => answers.push({i, error, written: written.length}));
      await turn();
    }
    await drained(doc.connection);
    for (let i = 0; i < 10; i++) await turn();
    assert.deepEqual(
      answers.map(({i, error}) => [i, error]),
      [
        [0, undefined],
        [1, undefined],
        [2, undefined],
      ],
    );
    for (const {written} of answers) assert.ok(written >= 2, `${written} written`);
    assert.equal(written.length, doc.version);
  },
);

sameAsShareDB('requests that overlap are answered as in ShareDB', async ({app}) => {
  const methods = ['subscribe', 'fetch', 'subscribe', 'unsubscribe', 'subscribe', 'fetch'];
  await Promise.all(methods.map((method) => app.call(method)));
  await Promise.all([app.call('create', {n: 0}), app.call('fetch'), app.call('submitOp', ADD)]);
  await Promise.all([app.call('submitOp', ADD), app.call('destroy')]);
});

sameAsShareDB('destroy waits for ops that are on their way', async ({app}) => {
  await Promise.all([app.call('create', {n: 0}), app.call('destroy')]);
});

sameAsShareDB('an op that changes nothing is an op', async ({app}) => {
  await app.call('create', {n: 0});
  await app.call('submitOp', []);
});

test('two tabs that edit while an op is on its way make as many versions as two clients', async () => {
  const versions = async (connect) => {
    const backend = newBackend();
    const docs = await subscribeAll(connect(backend), 'things', 'one');
    await call(docs[0], 'create', {n: 0});
    await converged(...docs);
    const server = holdBack(backend);
    for (const doc of docs) doc.submitOp(ADD);
    await until(() => server.held.length > 0);
    for (const doc of docs) doc.submitOp(ADD);
    for (let i = 0; i < 5; i++) await turn();
    server.release();
    await converged(...docs);
    assert.equal(docs[0].data.n, 4);
    return docs[0].version;
  };
  const ofClients = await versions((backend) => [plain(backend), plain(backend)]);
  assert.equal(await versions((backend) => openTabs(backend, 2)), ofClients);
});
