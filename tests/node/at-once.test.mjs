// What is asked for at once, beside what the server refuses or has not answered yet.
import {answerOf, errorsOf, sameOutcome} from './clients.mjs';
import {call} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

const stateOf = ({version, type, data, subscribed}) => ({
  version,
  type: type?.name ?? null,
  data: structuredClone(data),
  subscribed,
});

/** A document of another client, with one version, and the same of a client that has nothing of it. */
async function created(clients) {
  const outside = clients.outside.get('things', 'one');
  await call(outside, 'create', {n: 0});
  const connection = await clients.open();
  return {outside, connection, doc: connection.get('things', 'one')};
}

/** How often the document is loaded from now on, with a state. */
function loadsOf(doc) {
  const loads = [];
  doc.on('load', () => doc.type && loads.push(doc.version));
  return loads;
}

sameOutcome('a state ingested while the connection is lost is loaded once', async (clients) => {
  const {outside, doc} = await created(clients);
  clients.refuse(['s']);
  const refused = await answerOf(doc, 'subscribe');
  clients.allow();
  await clients.drop();
  const loads = loadsOf(doc);
  doc.ingestSnapshot(outside.toSnapshot());
  await clients.quiet();
  return {refused, loads, state: stateOf(doc)};
});

sameOutcome('a state ingested after a reload that failed is loaded once', async (clients) => {
  const {outside, doc} = await created(clients);
  await call(doc, 'subscribe');
  clients.refuse(['op', 'f']);
  const errors = errorsOf(doc);
  const refused = await answerOf(doc, 'del');
  clients.allow();
  const loads = loadsOf(doc);
  doc.ingestSnapshot(outside.toSnapshot());
  await clients.quiet();
  return {refused, errors, loads, state: stateOf(doc)};
});

sameOutcome('a fetch and a subscription in one bulk load a document once', async (clients) => {
  const {connection, doc} = await created(clients);
  const other = connection.get('things', 'two');
  const loads = loadsOf(doc);
  let isRefused = false;
  clients.backend.use('readSnapshots', (context, next) => {
    if (!isRefused) for (const it of context.snapshots) context.rejectSnapshotReadSilent(it, 'no');
    isRefused = true;
    next();
  });
  connection.startBulk();
  doc.subscribe();
  other.subscribe();
  doc.fetch();
  connection.endBulk();
  await clients.quiet();
  return {loads, state: stateOf(doc)};
});

sameOutcome('what is created beside a bulk is not loaded', async (clients) => {
  const connection = await clients.open();
  const doc = connection.get('things', 'one');
  const loads = loadsOf(doc);
  connection.startBulk();
  doc.fetch();
  doc.subscribe();
  connection.endBulk();
  const answer = await answerOf(doc, 'create', {n: 0});
  await clients.quiet();
  return {answer, loads, state: stateOf(doc)};
});

sameOutcome(
  'a subscription refused as the connection is made is not asked again',
  async (clients) => {
    const {doc} = await created(clients);
    await call(doc, 'subscribe');
    await clients.drop();
    let asked = 0;
    clients.backend.use('receive', ({data, agent}, next) => {
      const isIt = data.a === 's' && agent.clientId !== clients.outside.id;
      asked += isIt ? 1 : 0;
      next(isIt && asked === 1 ? {code: 'ERR_TEST_REFUSED', message: 'refused'} : undefined);
    });
    const errors = errorsOf(doc);
    await clients.restore();
    return {asked, errors, state: stateOf(doc)};
  },
);

sameOutcome(
  'a fetch that the server silently refuses does not wait for a paused creation',
  async (clients) => {
    const {connection} = await created(clients);
    const doc = connection.get('things', 'two');
    doc.pause();
    const creation = answerOf(doc, 'create', {n: 0});
    clients.refuse(['f'], 'ERR_SNAPSHOT_READ_SILENT_REJECTION');
    const answer = await answerOf(doc, 'fetch');
    const {version} = doc;
    clients.allow();
    doc.resume();
    return {answer, version, creation: await creation, state: stateOf(doc)};
  },
);

sameOutcome(
  'a document that was destroyed is loaded without the ops in between',
  async (clients) => {
    const {outside, connection, doc} = await created(clients);
    await call(doc, 'fetch');
    await call(doc, 'destroy');
    await call(outside, 'submitOp', ADD);
    await call(outside, 'submitOp', ADD);
    clients.backend.db.ops.things.one[1] = null;
    const next = connection.get('things', 'one');
    const answer = await answerOf(next, 'fetch');
    return {answer, state: stateOf(next)};
  },
);

sameOutcome(
  'a document that was destroyed is among the results without the ops in between',
  async (clients) => {
    const {outside, connection, doc} = await created(clients);
    await call(doc, 'fetch');
    await call(doc, 'destroy');
    await call(outside, 'submitOp', ADD);
    clients.backend.db.ops.things.one[1] = null;
    const results = await new Promise((resolve) => {
      connection.createFetchQuery('things', {}, null, (_error, found) => resolve(found));
    });
    return results.map(stateOf);
  },
);

sameOutcome('a document that was destroyed is created again where it exists', async (clients) => {
  const {connection, doc} = await created(clients);
  await call(doc, 'fetch');
  await call(doc, 'destroy');
  const next = connection.get('things', 'one');
  const errors = errorsOf(next);
  clients.refuse(['f']);
  const answer = await answerOf(next, 'create', {n: 5});
  return {answer, errors, state: stateOf(next)};
});

sameOutcome('ops behind one that is refused have its error', async (clients) => {
  const {doc} = await created(clients);
  doc.preventCompose = true;
  doc.pause();
  const errors = errorsOf(doc);
  const answers = [
    answerOf(doc, 'create', {n: 5}),
    answerOf(doc, 'submitOp', ADD),
    answerOf(doc, 'submitOp', ADD),
  ];
  doc.resume();
  return {answers: await Promise.all(answers), errors, state: stateOf(doc)};
});

sameOutcome('an op sent right behind one that is refused has its error', async (clients) => {
  const {doc} = await created(clients);
  const errors = errorsOf(doc);
  const answers = [answerOf(doc, 'create', {n: 5})];
  doc.flush();
  answers.push(answerOf(doc, 'submitOp', ADD));
  return {answers: await Promise.all(answers), errors, state: stateOf(doc)};
});

sameOutcome(
  'two fetches at once that are refused emit what one has no callback for',
  async (clients) => {
    const {doc} = await created(clients);
    clients.refuse(['f']);
    const errors = errorsOf(doc);
    doc.fetch();
    doc.fetch();
    await clients.quiet();
    doc.fetch();
    await clients.quiet();
    return errors;
  },
);

sameOutcome('a state that is ingested as the same one comes is told once', async (clients) => {
  const {connection, doc} = await created(clients);
  await call(doc, 'subscribe');
  const snapshot = doc.toSnapshot();
  await call(doc, 'destroy');
  const next = connection.get('things', 'one');
  let loads = 0;
  next.on('load', () => loads++);
  const answer = answerOf(next, 'subscribe');
  next.ingestSnapshot(snapshot);
  const edit = await answerOf(next, 'submitOp', ADD);
  return {answer: await answer, edit, loads, state: stateOf(next)};
});

sameOutcome('an edit after a creation that fails has the error of that', async (clients) => {
  await created(clients);
  const connection = await clients.open();
  const doc = connection.get('things', 'one');
  await clients.drop();
  const creation = answerOf(doc, 'create', {n: 0});
  await clients.quiet();
  const other = answerOf(connection.get('things', 'other'), 'create', {});
  await clients.quiet();
  const edit = answerOf(doc, 'submitOp', ADD);
  await clients.restore();
  return {creation: await creation, other: await other, edit: await edit, state: stateOf(doc)};
});
