import assert from 'node:assert/strict';
import {test} from 'node:test';
import {sameAsShareDB} from './recorder.mjs';
import {
  CODECS,
  call,
  converged,
  errorOf,
  frozen,
  newBackend,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turns,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

/** A document of two versions, as a client of its own has it. */
async function newDoc(backend) {
  const [doc] = await subscribeAll([plain(backend)], 'things', 'one');
  await call(doc, 'create', {n: 0, words: []});
  await call(doc, 'submitOp', ADD);
  return doc;
}

for (const transport of TRANSPORTS) {
  for (const codec of CODECS) {
    test(`what is ingested over ${transport} in ${codec} can be used at once`, async () => {
      const backend = newBackend();
      const outside = await newDoc(backend);
      const [tab, sibling] = openTabs(backend, 2, {transport, codec});
      const doc = tab.get('things', 'one');
      doc.ingestSnapshot(outside.toSnapshot());
      assert.deepEqual([doc.data, doc.version, doc.type], [{n: 1, words: []}, 2, outside.type]);
      doc.submitOp(ADD);
      assert.equal(doc.data.n, 2);
      await call(doc, 'submitOp', ADD);
      await call(doc, 'subscribe');
      await call(outside, 'submitOp', ADD);
      const [other] = await subscribeAll([sibling], 'things', 'one');
      await call(other, 'submitOp', ADD);
      await converged(doc, other, outside);
      assert.deepEqual([doc.data.n, doc.version], [5, 5]);
    });
  }
}

sameAsShareDB('an ingested state is followed like any other', async ({app, doc, outside}) => {
  await call(outside, 'create', {n: 0});
  await app.call('ingestSnapshot', outside.toSnapshot());
  await app.call('subscribe');
  await app.call('submitOp', ADD);
  await call(outside, 'fetch');
  await call(outside, 'submitOp', [{p: ['n'], na: 10}]);
  await converged(doc, outside);
  await app.call('del');
});

sameAsShareDB('a state that is out of date catches up by ops', async ({app, outside}) => {
  await call(outside, 'create', {n: 0});
  const old = outside.toSnapshot();
  await call(outside, 'submitOp', ADD);
  await call(outside, 'submitOp', [{p: ['n'], na: 10}]);
  await app.call('ingestSnapshot', old);
  await app.call('subscribe');
});

// The change by others and the commit reach the tab in one turn, with the version after both.
const withoutVersions = (log) => log.map(({version, ...entry}) => entry);

sameAsShareDB(
  'an op on a state that is out of date is transformed',
  async ({app, outside}) => {
    await call(outside, 'create', {words: ['a']});
    const old = outside.toSnapshot();
    await call(outside, 'submitOp', [{p: ['words', 0], li: 'first'}]);
    await app.call('ingestSnapshot', old);
    await app.call('submitOp', [{p: ['words', 1], li: 'b'}]);
  },
  withoutVersions,
);

sameAsShareDB('a state older than the own one is ignored', async ({app, outside}) => {
  await call(outside, 'create', {n: 0});
  const old = outside.toSnapshot();
  await call(outside, 'submitOp', ADD);
  await app.call('fetch');
  await app.call('ingestSnapshot', old);
});

sameAsShareDB('a state newer than the own one is fetched', async ({app, outside}) => {
  await call(outside, 'create', {n: 0});
  await app.call('fetch');
  await call(outside, 'submitOp', ADD);
  await app.call('ingestSnapshot', outside.toSnapshot());
});

sameAsShareDB('a state without a version is refused, no state is none', async ({app}) => {
  await app.call('ingestSnapshot', {data: {n: 0}});
  await app.call('ingestSnapshot', null);
});

test('a state without a version has the code of ShareDB', async () => {
  const [tab] = openTabs(newBackend(), 1);
  const error = await errorOf(tab.get('things', 'one'), 'ingestSnapshot', {data: {n: 0}});
  assert.equal(error?.code, 'ERR_INGESTED_SNAPSHOT_HAS_NO_VERSION');
});

test('siblings keep what they have, whatever a tab ingests', async () => {
  const backend = newBackend();
  const outside = await newDoc(backend);
  const old = outside.toSnapshot();
  await call(outside, 'submitOp', ADD);
  const [tab, following, waiting] = openTabs(backend, 3);
  const [followed] = await subscribeAll([following], 'things', 'one');
  const untouched = waiting.get('things', 'one');
  const events = [];
  for (const sibling of [followed, untouched]) {
    for (const event of ['load', 'op', 'create', 'del', 'error']) {
      sibling.on(event, () => events.push(event));
    }
  }
  const doc = tab.get('things', 'one');
  doc.ingestSnapshot(old);
  assert.deepEqual([doc.data.n, doc.version], [1, 2]);
  await turns(20);
  assert.deepEqual(events, []);
  assert.deepEqual([followed.data.n, untouched.data], [2, undefined]);
  assert.deepEqual([followed.version, untouched.version], [3, null]);

  await call(doc, 'submitOp', ADD);
  await call(untouched, 'fetch');
  await converged(doc, followed, untouched, outside);
  assert.deepEqual([doc.data.n, doc.version], [3, 4]);
});

for (const [type, data, op] of [
  ['json0', {words: ['a']}, [{p: ['words', 0], li: 'b'}]],
  ['rich-text', [{insert: 'text'}], {ops: [{insert: 'more '}]}],
]) {
  test(`what toSnapshot gives of ${type}, ingestSnapshot takes`, async () => {
    const backend = newBackend();
    const [tab] = openTabs(backend, 1);
    const [source] = await subscribeAll([tab], 'things', 'one');
    await call(source, 'create', data, type);
    await call(source, 'submitOp', op);
    const snapshot = source.toSnapshot();
    assert.deepEqual(
      [snapshot.v, snapshot.type, snapshot.data],
      [2, source.type.uri, frozen(source.data)],
    );
    const outside = plain(backend).get('things', 'one');
    await call(outside, 'fetch');
    assert.deepEqual(snapshot, outside.toSnapshot());

    const [other] = openTabs(backend, 1);
    const doc = other.get('things', 'one');
    doc.ingestSnapshot(snapshot);
    assert.deepEqual(doc.toSnapshot(), snapshot);
    await call(doc, 'subscribe');
    await call(doc, 'submitOp', op);
    await converged(doc, source);
  });
}

for (const [what, before, version] of [
  ['that was never there', [['fetch']], 0],
  ['that was deleted', [['create', {n: 0}], ['del']], 2],
]) {
  sameAsShareDB(`a document ${what} is ingested as it is, and then created`, async ({app, doc}) => {
    for (const step of before) await app.call(...step);
    doc.ingestSnapshot({v: version, type: null});
    await app.call('create', {n: 1});
  });
}

sameAsShareDB(
  'a document that the server has not shown is ingested as one that is not there, and created',
  async ({app, backend, doc}) => {
    let isHidden = true;
    backend.use('readSnapshots', (context, next) => {
      if (isHidden)
        for (const snapshot of context.snapshots)
          context.rejectSnapshotReadSilent(snapshot, 'hidden');
      isHidden = false;
      next();
    });
    await app.call('fetch');
    doc.ingestSnapshot({v: 0, type: null});
    await app.call('create', {n: 1});
  },
);
