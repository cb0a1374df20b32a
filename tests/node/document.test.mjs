import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import {assertSameLog, Recorder} from './recorder.mjs';
import {
  CODECS,
  call,
  converged,
  frozen,
  newBackend,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turn,
  until,
} from './support.mjs';

const KINDS = {
  json0: {
    type: 'json0',
    data: {list: ['a'], n: 1},
    first: [{p: ['n'], na: 1}],
    second: [{p: ['list', 1], li: 'b'}],
    third: [{p: ['n'], na: 10}],
    // Several components, which ShareDB applies one by one.
    theirs: [
      {p: ['list', 0], li: 'x'},
      {p: ['n'], na: 100},
      {p: ['word'], oi: 'hi'},
    ],
    mineAtOnce: [{p: ['list', 0], li: 'mine'}],
    theirsAtOnce: [
      {p: ['list', 0], li: 'theirs'},
      {p: ['n'], na: 1},
    ],
    again: {list: [], n: 5},
    late: [{p: ['n'], na: 7}],
    empty: {list: []},
    insert: ({list}, word) => [{p: ['list', list.length >> 1], li: word}],
  },
  'rich-text': {
    type: 'rich-text',
    data: [{insert: 'text'}],
    first: {ops: [{insert: 'a '}]},
    second: {ops: [{retain: 2, attributes: {bold: true}}]},
    third: {ops: [{retain: 2}, {insert: 'bold '}]},
    theirs: {ops: [{delete: 1}, {retain: 1}, {insert: 'theirs'}]},
    mineAtOnce: {ops: [{insert: 'mine'}]},
    theirsAtOnce: {ops: [{insert: 'theirs'}]},
    again: [{insert: 'again'}],
    late: {ops: [{insert: 'late '}]},
    empty: [{insert: '|'}],
    insert: (_data, word) => ({ops: [{retain: 1}, {insert: word}]}),
  },
};

/**
 * An application that does all there is to do with a document of `own`, while another client,
 * `outside`, works on it too. Returns what the application saw.
 */
async function application(own, outside, kind) {
  const doc = own.get('things', 'one');
  await new Promise((resolve) => outside.whenNothingPending(resolve));
  const app = new Recorder(doc);
  app.names.set(outside.id, 'the id of the outside client');
  const theirs = outside.get('things', 'one');
  const seen = async (event, action) => {
    const there = once(doc, event);
    await action();
    await there;
  };

  await app.call('fetch');
  await app.call('subscribe');
  await call(theirs, 'subscribe');
  await app.call('create', kind.data, kind.type, {source: 'me'});

  await app.call('submitOp', kind.first, {source: {who: 'me'}});
  await Promise.all([app.call('submitOp', kind.second), app.call('submitOp', kind.third)]);
  doc.create(kind.data, kind.type);

  await converged(doc, theirs);
  await seen('op batch', () => call(theirs, 'submitOp', kind.theirs));
  const fromThem = call(theirs, 'submitOp', kind.theirsAtOnce);
  await Promise.all([app.call('submitOp', kind.mineAtOnce), fromThem]);

  await app.call('del', {source: 'me'});
  await app.call('create', kind.again, kind.type);
  await converged(doc, theirs);
  await seen('del', () => call(theirs, 'del'));
  await seen('create', () => call(theirs, 'create', kind.again, kind.type));

  await app.call('unsubscribe');
  await call(theirs, 'submitOp', kind.late);
  await app.call('fetch');
  await app.call('submitOp', kind.first);
  await call(theirs, 'fetch');
  await seen('destroy', () => app.call('destroy'));
  return app.log;
}

/** What the sibling, which only looks on, has seen. */
async function lookOn(connection) {
  const doc = connection.get('things', 'one');
  await call(doc, 'subscribe');
  return new Recorder(doc);
}

async function run(kind, connect) {
  const backend = newBackend();
  const [own, sibling] = connect(backend);
  const outside = plain(backend);
  const onlooker = await lookOn(sibling);
  const log = await application(own, outside, kind);
  await converged(onlooker.doc, outside.get('things', 'one'));
  return {log, onlooker: onlooker.log};
}

/**
 * A sibling's change is there before the server has it, so that its version is still the one
 * before; and all tabs are one client of the server.
 */
function withoutVersions(log) {
  return log.map(({version, args, ...rest}) => ({...rest, args: args.slice(0, 2)}));
}

for (const [name, kind] of Object.entries(KINDS)) {
  const expected = run(kind, (backend) => [plain(backend), plain(backend)]);

  for (const transport of TRANSPORTS) {
    for (const codec of CODECS) {
      test(`a ${name} document over ${transport} and ${codec} does what ShareDB's does`, async () => {
        const {log, onlooker} = await expected;
        const actual = await run(kind, (backend) => openTabs(backend, 2, {transport, codec}));
        assertSameLog(actual.log, log);
        assertSameLog(withoutVersions(actual.onlooker), withoutVersions(onlooker));
      });

      test(`a ${name} document edited by two tabs and an outsider at once over ${transport} and ${codec} ends up equal everywhere`, async () => {
        const backend = newBackend();
        const clients = [...openTabs(backend, 2, {transport, codec}), plain(backend)];
        const docs = await subscribeAll(clients, 'things', 'one');
        await call(docs[0], 'create', kind.empty, kind.type);
        await converged(...docs);

        const words = [];
        for (let round = 0; round < 8; round++) {
          for (const [at, doc] of docs.entries()) {
            const word = `<${round}-${at}>`;
            words.push(word);
            doc.submitOp(kind.insert(doc.data, word));
          }
          // Later rounds start while earlier ops are still on their way.
          await turn();
        }
        await converged(...docs);

        const text = JSON.stringify(docs[0].data);
        for (const word of words) assert.equal(text.split(word).length, 2, `${word} in ${text}`);
        const stored = await call(plain(backend), 'fetchSnapshot', 'things', 'one', null);
        assert.deepEqual(stored.data, frozen(docs[0].data));
      });
    }
  }
}

for (const between of [0, 1, 2, 3]) {
  test(`an op that reaches the hub ${between} microtasks before an op of others is told finds its place`, async () => {
    const backend = newBackend();
    const upstream = backend.connect();
    const held = [];
    const take = upstream.handleMessage;
    const [tab] = openTabs({connect: () => upstream}, 1);
    const [own, theirs] = await subscribeAll([tab, plain(backend)], 'things', 'one');
    await call(theirs, 'create', {list: ['x']});
    await converged(own, theirs);
    upstream.handleMessage = (message) => held.push(message);
    theirs.submitOp([{p: ['list', 0], li: 'theirs'}]);
    await until(() => held.length === 1);
    own.submitOp([{p: ['list', 1], li: 'own'}]);
    own.flush();
    for (let i = 0; i < between; i++) await undefined;
    upstream.handleMessage = take;
    upstream.handleMessage(held[0]);
    await converged(own, theirs);
    assert.deepEqual(own.data, {list: ['theirs', 'x', 'own']});
  });
}
