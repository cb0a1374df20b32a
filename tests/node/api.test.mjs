// Properties, arguments, return values and errors, method by method, beside ShareDB's own.
import {outcome, sameInBoth} from './parity.mjs';
import {call, errorOf, turns, until} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

// The connection

sameInBoth('a connection has these properties', async ({connection, log}) => {
  const {id, state, canSend, debug, agent, seq, nextQueryId, nextSnapshotRequestId} = connection;
  log(typeof id, state, canSend, debug, typeof agent, seq, nextQueryId, nextSnapshotRequestId);
  const doc = connection.get('things', 'one');
  log(Object.keys(connection.collections), connection.collections.things.one === doc);
  log(connection.getExisting('things', 'one') === doc, connection.getExisting('things', 'two'));
  log(connection.getExisting('others', 'one'), connection.hasPending());
});

sameInBoth('calls return what they return in ShareDB', async ({connection, log}) => {
  const doc = connection.get('things', 'one');
  log(doc.fetch(), doc.subscribe(), doc.create({n: 1}), doc.submitOp(ADD), doc.pause());
  log(doc.resume(), doc.flush(), doc.del(), doc.unsubscribe(), doc.destroy());
  log(connection.hasPending(), connection.hasWritePending());
  log(connection.startBulk(), connection.endBulk(), connection.ping());
  await turns(30);
});

sameInBoth('`whenNothingPending` calls back after all, without arguments', async (all) => {
  const {connection, log} = all;
  const doc = connection.get('things', 'one');
  doc.create({n: 0}, (...args) => log('created', args));
  doc.whenNothingPending((...args) => log('the document', args));
  connection.whenNothingPending((...args) => log('the connection', args));
  log('at once');
  await turns(20);
});

sameInBoth('the events of a connection have these arguments', async (all) => {
  const {connection, log, drop, restore} = all;
  for (const event of ['connecting', 'connected', 'disconnected', 'state', 'pong']) {
    connection.on(event, (...args) => log(event, args));
  }
  connection.on('doc', (...args) => log('doc', args.length, args[0].id));
  connection.get('things', 'one');
  connection.get('things', 'one');
  await drop();
  log(outcome(() => connection.ping()));
  await restore();
  connection.ping();
  await turns(10);
});

sameInBoth('an op that is sent by hand is sent as it is', async ({connection, outside, log}) => {
  const doc = connection.get('things', 'one');
  await call(doc, 'create', {n: 0});
  connection.on('send', (message) => log(Object.keys(message), message.v, message.x, message.op));
  doc.submitSource = true;
  connection.sendOp(doc, {op: ADD, src: connection.id, seq: connection.seq++, source: 'mine'});
  await turns(20);
  const seen = outside.get('things', 'one');
  await call(seen, 'fetch');
  log(seen.data);
});

// Documents

sameInBoth('a document that is new has these properties', async ({connection, log}) => {
  const doc = connection.get('things', 'one');
  log(doc.collection, doc.id, doc.connection === connection, doc.version, doc.type, doc.data);
  log(doc.inflightFetch, doc.inflightSubscribe, doc.pendingFetch, doc.pendingSubscribe);
  log(doc.subscribed, doc.wantSubscribe, doc.inflightOp, doc.pendingOps);
  log(doc.preventCompose, doc.submitSource, doc.paused, doc.hasPending(), doc.hasWritePending());
});

sameInBoth('`create` takes its arguments in each form', async ({connection, log}) => {
  const forms = [
    [{}],
    [{}, 'json0'],
    [{}, null],
    [{}, undefined, undefined],
    [{}, 'json0', {}],
    [{}, 'json0', null],
    [[{insert: 'x'}], 'rich-text', {source: 1}],
  ];
  for (const [at, form] of forms.entries()) {
    const doc = connection.get('things', String(at));
    log(await errorOf(doc, 'create', ...form), doc.type?.name, doc.data, doc.version);
  }
});

sameInBoth('a source that is falsy is `true` to listeners', async ({connection, log}) => {
  const doc = connection.get('things', 'one');
  for (const event of ['create', 'op', 'del']) doc.on(event, (...args) => log(event, args));
  await call(doc, 'create', {n: 0}, null, {source: 0});
  for (const source of ['', null, false, undefined, Number.NaN, 'mine']) {
    await call(doc, 'submitOp', ADD, {source});
  }
  await call(doc, 'submitOp', ADD, null);
  await call(doc, 'del', {source: ''});
});

sameInBoth('what an application does wrong is thrown if nobody listens', async (all) => {
  const {connection, log} = all;
  const doc = connection.get('things', 'one');
  log(outcome(() => doc.submitOp([])));
  log(outcome(() => doc.del()));
  log(outcome(() => doc.ingestSnapshot({})));
  await call(doc, 'create', {});
  log(outcome(() => doc.create({})));
});

sameInBoth('ops are composed by `preventCompose`', async ({connection, log}) => {
  const doc = connection.get('things', 'one');
  await call(doc, 'create', {n: 0});
  doc.preventCompose = true;
  doc.submitOp(ADD);
  doc.submitOp(ADD);
  doc.preventCompose = false;
  doc.submitOp(ADD);
  log(doc.pendingOps.length);
  await call(doc, 'submitOp', ADD);
  log(doc.version, doc.data);
});

sameInBoth('ops of equal sources are composed if `submitSource` is set', async (all) => {
  const {connection, log} = all;
  const doc = connection.get('things', 'one');
  await call(doc, 'create', {n: 0});
  doc.submitSource = true;
  for (const source of [{a: 1}, {a: 1}, 'b', undefined]) doc.submitOp(ADD, {source});
  log(doc.pendingOps.length);
  await call(doc, 'submitOp', ADD, {source: true});
  log(doc.version, doc.data);
});

sameInBoth('`ingestSnapshot` takes what it takes in ShareDB', async ({connection, log}) => {
  const snapshots = [
    undefined,
    null,
    {},
    {v: '1'},
    {v: 1, data: {n: 1}},
    {v: 1, data: {n: 5}, type: 'json0'},
    {v: 1, type: null},
  ];
  for (const [at, snapshot] of snapshots.entries()) {
    const doc = connection.get('things', String(at));
    doc.on('error', ({code}) => log('error', code));
    doc.on('load', (...args) => log('load', args));
    doc.ingestSnapshot(snapshot, (error) => log('calls back', error?.code));
    doc.ingestSnapshot(snapshot);
    log(doc.version, doc.data, doc.type?.name);
  }
});

sameInBoth('a later snapshot has a document catch up, an earlier one is ignored', async (all) => {
  const {connection, outside, log} = all;
  const theirs = outside.get('things', 'one');
  await call(theirs, 'create', {n: 1});
  const doc = connection.get('things', 'one');
  await call(doc, 'fetch');
  await call(theirs, 'submitOp', ADD);
  for (const v of [2, 1]) {
    await call(doc, 'ingestSnapshot', {v, type: 'json0', data: {n: 99}});
    log(doc.version, doc.data);
  }
});

sameInBoth('`toSnapshot` is a copy of a document that exists', async ({connection, log}) => {
  const doc = connection.get('things', 'one');
  log(outcome(() => doc.toSnapshot())[0]);
  await call(doc, 'create', {n: 1, none: undefined});
  const snapshot = doc.toSnapshot();
  log(snapshot, snapshot.data === doc.data);
});

sameInBoth('a document is destroyed once, and got anew after that', async ({connection, log}) => {
  const doc = connection.get('things', 'one');
  await call(doc, 'subscribe');
  doc.on('destroy', (...args) => log('destroy', args));
  doc.destroy((...args) => log('calls back', args, connection.getExisting('things', 'one')));
  log(connection.getExisting('things', 'one') === doc);
  await turns(20);
  log(Object.keys(connection.collections), doc.subscribed);
  log(connection.get('things', 'one') === doc);
});

for (const [how, use] of Object.entries({
  'to fetch': (doc) => call(doc, 'fetch'),
  'to subscribe': (doc) => call(doc, 'subscribe'),
  'to edit': (doc) => call(doc, 'submitOp', ADD),
  'to create it anew': async (doc) => {
    await call(doc, 'del');
    await call(doc, 'create', {n: 5});
  },
})) {
  sameInBoth(`a destroyed document that is used again, ${how}, is there again`, async (all) => {
    const {connection, outside, log} = all;
    const theirs = outside.get('things', 'one');
    const doc = connection.get('things', 'one');
    await call(doc, 'create', {n: 0});
    await call(doc, 'destroy');
    await turns(10);
    log(Object.keys(connection.collections), doc.data, doc.version, doc.type?.name);
    await use(doc);
    log(connection.getExisting('things', 'one') === doc, doc.data, doc.version, doc.subscribed);
    await call(theirs, 'fetch');
    await call(theirs, 'submitOp', ADD);
    await call(doc, 'fetch');
    await call(doc, 'submitOp', ADD);
    log(doc.data, doc.version);
    await call(doc, 'destroy');
    log(Object.keys(connection.collections));
  });
}

sameInBoth('subscriptions and fetches call back in this order', async ({connection, log}) => {
  const doc = connection.get('things', 'one');
  const note = (what) => (error) => log(what, error, doc.subscribed);
  doc.subscribe(note('subscribe'));
  doc.unsubscribe(note('unsubscribe'));
  doc.subscribe(note('subscribe again'));
  doc.subscribe(note('subscribe once more'));
  doc.fetch(note('fetch'));
  log(doc.hasPending());
  await turns(30);
  log(doc.subscribed, doc.wantSubscribe, doc.hasPending());
});

sameInBoth('a read that the server refuses is an error with its code', async (all) => {
  const {connection, outside, backend, log} = all;
  await call(outside.get('things', 'one'), 'create', {n: 1});
  backend.use('readSnapshots', (_context, next) => next({code: 'ERR_MINE', message: 'No'}));
  const doc = connection.get('things', 'one');
  doc.on('error', (error) => log('error', error));
  for (const method of ['fetch', 'subscribe']) {
    log(await errorOf(doc, method), doc.subscribed, doc.wantSubscribe);
    doc[method]();
    await turns(20);
  }
  log(doc.subscribed, doc.hasPending());
});

for (const silent of [true, false]) {
  const how = silent ? 'silently' : 'with an error';
  sameInBoth(`a snapshot that the server rejects ${how} is not there`, async (all) => {
    const {connection, outside, backend, log} = all;
    await call(outside.get('things', 'one'), 'create', {n: 1});
    backend.use('readSnapshots', (context, next) => {
      const reject = silent ? 'rejectSnapshotReadSilent' : 'rejectSnapshotRead';
      context[reject](context.snapshots[0], {code: 'ERR_MINE', message: 'No'});
      next();
    });
    const doc = connection.get('things', 'one');
    for (const event of ['load', 'error']) doc.on(event, (...args) => log(event, args));
    for (const method of ['fetch', 'subscribe']) {
      log(await errorOf(doc, method), doc.version, doc.subscribed, doc.wantSubscribe);
    }
  });
}

sameInBoth('the events of a document have these arguments', async ({connection, outside, log}) => {
  const theirs = outside.get('things', 'one');
  await call(theirs, 'create', {n: 0});
  const doc = connection.get('things', 'one');
  const names = new Map([
    [outside.id, 'the outside client'],
    [connection.id, 'this client'],
  ]);
  for (const event of ['load', 'before op batch', 'before op', 'op', 'op batch', 'create', 'del']) {
    doc.on(event, (...args) => log(event, ...args.map((value) => names.get(value) ?? value)));
  }
  await call(doc, 'subscribe');
  await call(theirs, 'submitOp', [...ADD, {p: ['m'], oi: 2}]);
  await call(theirs, 'del');
  await call(theirs, 'create', {z: 1});
  await turns(20);
  await call(
    doc,
    'submitOp',
    [
      {p: ['a'], oi: 1},
      {p: ['b'], oi: 2},
    ],
    {source: 'mine'},
  );
  await call(doc, 'del', {source: 'mine'});
});

// Queries

sameInBoth('a query has these properties, before it is ready and after', async (all) => {
  const {connection, outside, log} = all;
  await call(outside.get('things', 'one'), 'create', {n: 1});
  for (const method of ['createFetchQuery', 'createSubscribeQuery']) {
    const options = {limit: 1};
    const query = connection[method]('things', {a: 1}, options, (...args) => {
      log('calls back', args.length, args[0], args[2], query.ready);
    });
    const {action, id, collection, results, extra, ready, sent} = query;
    log(action, id, collection, query.query, results, extra, ready, sent, query.hasPending());
    log(query.options === options, connection.queries[id] === query, connection.nextQueryId);
    query.on('ready', (...args) => log(args, query.ready, connection.queries[id] === query));
    await until(() => query.ready);
    log(
      query.results.map(({data}) => data),
      query.callback,
      connection.queries[id] === query,
    );
    log(query.destroy(), connection.queries[id]);
  }
});

/** Names of documents, of which all but `none` are there, as results that are given. */
const GIVEN = {
  'nothing at all': [],
  'all of them': ['a', 'b', 'c', 'd'],
  'one of them': ['b'],
  'the last of them': ['d'],
  'one that is gone': ['none'],
  'some of them, and one that is gone': ['a', 'none', 'd'],
};

for (const [what, ids] of Object.entries(GIVEN)) {
  sameInBoth(
    `results that are given, ${what}, are those of the query until it is ready`,
    async (all) => {
      const {connection, outside, log, drop, restore} = all;
      const idsOf = (docs) => docs.map(({id}) => id);
      for (const id of ['a', 'b', 'c', 'd']) await call(outside.get('things', id), 'create', {id});
      for (const method of ['createFetchQuery', 'createSubscribeQuery']) {
        await drop();
        const results = ids.map((id) => connection.get('things', id));
        const options = {results, limit: 5};
        const query = connection[method]('things', {}, options);
        log(query.results === results, query.ready, query.sent, connection.hasPending());
        log(query.options === options, Object.keys(options));
        for (const event of ['insert', 'remove', 'move', 'changed']) {
          query.on(event, (docs, ...at) => log(event, idsOf(docs), at, query.ready));
        }
        await restore();
        await until(() => query.ready);
        log(idsOf(query.results), query.results === results, query.sent);
        log(query.results.map(({data, version}) => [data, version]));
        await turns(5);
        query.destroy();
      }
    },
  );
}

sameInBoth('the results of a failed query are those that were given', async (all) => {
  const {connection, backend, log} = all;
  backend.use('query', (_context, next) => next({code: 'ERR_MINE', message: 'No'}));
  const results = [connection.get('things', 'one')];
  for (const method of ['createFetchQuery', 'createSubscribeQuery']) {
    const query = connection[method]('things', {}, {results}, (...args) =>
      log(...args, query.ready),
    );
    query.on('ready', () => log(query.ready, connection.queries[query.id] === query));
    await until(() => query.ready);
    log(query.results === results, connection.queries[query.id]);
    const other = connection[method]('things', {});
    other.on('error', (error) => log(error, other.ready));
    await until(() => other.ready);
  }
});

sameInBoth('the events of a query have these arguments', async ({connection, outside, log}) => {
  const ids = (docs) => docs.map(({id}) => id);
  const query = connection.createSubscribeQuery('things', {});
  for (const event of ['insert', 'remove']) {
    query.on(event, (docs, ...rest) => log(event, ids(docs), rest));
  }
  query.on('changed', (...args) => log('changed', args.length, args[0] === query.results));
  await until(() => query.ready);
  for (const id of ['one', 'two']) {
    await call(outside.get('things', id), 'create', {n: 1});
    await until(() => query.results.some((doc) => doc.id === id));
  }
  await call(outside.get('things', 'one'), 'del');
  await until(() => query.results.length === 1);
  query.destroy((...args) => log('destroyed', args));
  await turns(5);
});

// Snapshots

sameInBoth('snapshot requests check their arguments as in ShareDB', async ({connection, log}) => {
  const noop = () => {};
  for (const args of [
    [undefined, noop],
    [-1, noop],
    [1.5, noop],
    ['1', noop],
    [Number.NaN, noop],
    [true, noop],
    [0],
    [-1],
    [],
  ]) {
    for (const method of ['fetchSnapshot', 'fetchSnapshotByTimestamp']) {
      log(
        method,
        args.length,
        outcome(() => connection[method]('things', 'one', ...args)),
      );
    }
  }
  log(connection.nextSnapshotRequestId, connection.hasPending());
});

sameInBoth('a snapshot is what it is in ShareDB', async ({connection, outside, backend, log}) => {
  const theirs = outside.get('things', 'one');
  await call(theirs, 'create', {n: 1});
  await call(theirs, 'del');
  for (const version of [0, 1, 2, null]) {
    log(await call(connection, 'fetchSnapshot', 'things', 'one', version));
  }
  log(await call(connection, 'fetchSnapshot', 'things', 'one'));
  log(await errorOf(connection, 'fetchSnapshot', 'things', 'one', 9));
  backend.use('readSnapshots', (_context, next) => next({code: 'ERR_MINE', message: 'No'}));
  const error = await errorOf(connection, 'fetchSnapshot', 'things', 'one', 1);
  log(error, error.data);
});

sameInBoth('a snapshot that is asked for offline is pending until it comes', async (all) => {
  const {connection, log, drop, restore} = all;
  await drop();
  connection.fetchSnapshot('things', 'one', (error, {v}) => log('calls back', error, v));
  connection.whenNothingPending(() => log('nothing pending'));
  log(connection.hasPending());
  await restore();
  await turns(20);
});

// Presence

sameInBoth('presence checks its arguments as in ShareDB', async ({connection, log}) => {
  /** Ours goes on to say what the value is. */
  const start = (text, [how, what]) => [how, how === 'threw' ? what.startsWith(text) : what];
  for (const channel of [undefined, null, '', 5, {}]) {
    const got = outcome(() => connection.getPresence(channel));
    log(start('Presence channel must be provided', got));
  }
  const presence = connection.getPresence('channel');
  for (const id of [5, {}, true]) {
    const got = outcome(() => presence.create(id));
    log(start('LocalPresence presenceId must be a string', got));
  }
  log(typeof presence.create().presenceId, presence.create('').presenceId.length > 5);
  log(connection.getPresence('channel') === presence, presence.connection === connection);
  log(connection.getDocPresence('a', 'b') === connection.getPresence('a.b'));
  log(presence.channel, presence.subscribed, presence.wantSubscribe);
});

sameInBoth('presence in a document that does not exist is an error', async ({connection, log}) => {
  const says = ({code, message}) => [code, message.split('. ').slice(0, 2)];
  const local = connection.getDocPresence('things', 'one').create('cursor');
  local.on('error', (error) => log('error', says(error).flat()[0]));
  log(await errorOf(local, 'submit', null));
  log((await errorOf(local, 'submit', {index: 1})).code);
  local.submit({index: 1});
});

sameInBoth('presence in a document of a type without presence is an error', async (all) => {
  const {connection, log} = all;
  const doc = connection.get('things', 'one');
  await call(doc, 'create', {n: 0});
  const local = connection.getDocPresence('things', 'one').create('cursor');
  local.on('error', ({code, message}) => log('error', code, message));
  log(await errorOf(local, 'submit', {index: 1}));
  log(await errorOf(doc, 'submitOp', ADD));
});

sameInBoth('presence that is destroyed can be got anew', async ({connection, log}) => {
  const presence = connection.getPresence('channel');
  await call(presence, 'subscribe');
  const local = presence.create('cursor');
  await call(local, 'submit', 1);
  presence.destroy((...args) => log('calls back', args));
  log(outcome(() => presence.create('other')));
  await turns(20);
  log(Object.keys(presence.localPresences), presence.subscribed, presence.wantSubscribe);
  log(connection.getPresence('channel') === presence, local.value);
});
