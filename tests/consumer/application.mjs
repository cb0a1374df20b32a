import {isDeepStrictEqual} from 'node:util';
import './types.mjs';
import {shown} from './journal.mjs';

/**
 * Two people write together, and do all that ShareDB's API allows.
 *
 * Whatever `connect` returns, ShareDB's connection or a tab's, the journal must be the same.
 */
export async function application({connect, server, journal}) {
  const ann = connect(server.url);
  const bob = connect(server.url);
  /** A client without any network, to change documents behind the others' backs. */
  const outsider = server.connect();
  const clients = [ann, bob];

  journal.step('connect');
  journal.connection('ann', ann);
  journal.connection('bob', bob);
  await until(() => clients.every(({state}) => state === 'connected'));

  const open = (collection, id) => clients.map((client) => client.get(collection, id));
  const page = (doc) => `${doc.connection === ann ? 'ann' : 'bob'} ${doc.collection}/${doc.id}`;
  const call = (doc, method, ...args) => journal.call(page(doc), doc, method, ...args);
  const done = async (...docs) => {
    for (const doc of docs) await new Promise((resolve) => doc.whenNothingPending(resolve));
    const state = ({version, data}) => [version, data];
    await until(() => docs.every((doc) => isDeepStrictEqual(state(doc), state(docs[0]))));
    journal.write('result', docs.map((doc) => shown([doc.version, doc.data])).join(' | '));
  };

  journal.step('a document is created');
  const [note, bobsNote] = open('notes', 'plan');
  await call(note, 'fetch');
  await call(bobsNote, 'subscribe');
  await call(note, 'create', {title: 'Plan', words: 1, tags: []});
  await call(note, 'subscribe');
  await done(note, bobsNote);
  journal.write('ann', `the same object: ${ann.get('notes', 'plan') === note}`);
  journal.write('ann', `existing: ${ann.getExisting('notes', 'plan') === note}`);
  journal.write('ann', `not existing: ${ann.getExisting('notes', 'nothing')}`);
  journal.write('ann', `collections: ${Object.keys(ann.collections)}`);

  journal.step('both edit in turn');
  await call(note, 'submitOp', [{p: ['words'], na: 4}]);
  await done(note, bobsNote);
  await call(bobsNote, 'submitOp', [{p: ['tags', 0], li: 'urgent'}], {source: 'keyboard'});
  await done(note, bobsNote);
  note.submitSource = true;
  await call(note, 'submitOp', [{p: ['title', 4], si: ' A'}], {source: {editor: 'ann', line: 1}});
  await done(note, bobsNote);
  note.submitSource = false;

  journal.step('an op with many components');
  await call(note, 'submitOp', [
    {p: ['title', 0], sd: 'P'},
    {p: ['title', 0], si: 'Super-p'},
    {p: ['tags', 1], li: 'long'},
    {p: ['author'], oi: {name: 'Ann'}},
  ]);
  await done(note, bobsNote);

  journal.step('ops of one tick are one');
  note.submitOp([{p: ['words'], na: 1}]);
  note.submitOp([{p: ['words'], na: 2}], () => journal.write('ann callbacks', 'second'));
  await call(note, 'submitOp', [{p: ['author', 'name', 3], si: '!'}]);
  await done(note, bobsNote);

  journal.step('ops that must not be composed');
  note.preventCompose = true;
  note.submitOp([{p: ['words'], na: 1}]);
  await call(note, 'submitOp', [{p: ['words'], na: 2}]);
  note.preventCompose = false;
  await done(note, bobsNote);

  journal.step('undo and redo');
  const edit = [{p: ['tags', 0], ld: 'urgent', li: 'late'}];
  await call(note, 'submitOp', edit, {source: 'keyboard'});
  const inverse = note.type.invert(edit);
  await call(note, 'submitOp', inverse, {source: 'undo'});
  await call(note, 'submitOp', note.type.invert(inverse), {source: 'redo'});
  await done(note, bobsNote);

  journal.step('edits at the same time');
  bobsNote.pause();
  const held = call(bobsNote, 'submitOp', [{p: ['title', 0], si: 'Bob: '}]);
  await call(note, 'submitOp', [{p: ['title', 0], si: 'Ann: '}]);
  await until(() => bobsNote.version === note.version);
  bobsNote.resume();
  await held;
  await done(note, bobsNote);

  journal.step('a paused document');
  note.pause();
  note.submitOp([{p: ['words'], na: 10}]);
  const last = call(note, 'submitOp', [{p: ['words'], na: 20}]);
  await call(bobsNote, 'submitOp', [{p: ['words'], na: 100}]);
  await until(() => note.version === bobsNote.version);
  journal.write('result', shown([note.data.words, bobsNote.data.words, note.hasWritePending()]));
  note.resume();
  await last;
  await done(note, bobsNote);

  journal.step('a listener submits');
  bobsNote.once('op', (_op, source) => {
    if (!source) bobsNote.submitOp([{p: ['seen'], oi: true}], {source: 'listener'});
  });
  await call(note, 'submitOp', [{p: ['words'], na: 1}]);
  await until(() => note.data.seen);
  await done(note, bobsNote);
  // Or else ShareDB's `op batch` would tell of both ops as one.
  note.preventCompose = true;
  note.once('op', () => note.submitOp([{p: ['again'], oi: 1}], {source: 'listener'}));
  await call(note, 'submitOp', [{p: ['words'], na: 1}], {source: 'keyboard'});
  note.preventCompose = false;
  await done(note, bobsNote);

  journal.step('a listener throws');
  bobsNote.once('op', () => {
    throw new Error('a mistake of the application');
  });
  await call(note, 'submitOp', [{p: ['words'], na: 1}]);
  await done(note, bobsNote);

  journal.step('rich text');
  const [letter, bobsLetter] = open('letters', 'one');
  await call(letter, 'subscribe');
  await call(letter, 'create', [{insert: 'Dear Bob,\n'}], 'rich-text', {source: 'template'});
  await call(bobsLetter, 'subscribe');
  await done(letter, bobsLetter);
  await call(letter, 'submitOp', {
    ops: [{retain: 9}, {insert: ' hello', attributes: {bold: true}}],
  });
  await done(letter, bobsLetter);
  bobsLetter.pause();
  const inserted = call(bobsLetter, 'submitOp', {ops: [{retain: 5}, {insert: 'Bobby, or '}]});
  await call(letter, 'submitOp', {ops: [{delete: 4}, {insert: 'Hi'}]}, {source: 'keyboard'});
  await until(() => bobsLetter.version === letter.version);
  bobsLetter.resume();
  await inserted;
  await done(letter, bobsLetter);

  journal.step('a type of the application');
  const [votes, bobsVotes] = open('votes', 'lunch');
  await call(votes, 'create', 5, 'https://tabmux.example/types/tally');
  await call(bobsVotes, 'subscribe');
  await call(votes, 'subscribe');
  bobsVotes.submitOp(1);
  await call(bobsVotes, 'submitOp', 2);
  await done(votes, bobsVotes);
  votes.pause();
  const vote = call(votes, 'submitOp', 10);
  await call(bobsVotes, 'submitOp', 100);
  await until(() => votes.version === bobsVotes.version);
  votes.resume();
  await vote;
  await done(votes, bobsVotes);

  journal.step('what can not be done');
  const [missing] = open('notes', 'missing');
  await call(missing, 'submitOp', [{p: ['words'], na: 1}]);
  await call(missing, 'fetch');
  await call(missing, 'submitOp', [{p: ['words'], na: 1}]);
  await call(missing, 'del');
  missing.submitOp([{p: ['words'], na: 1}]);
  missing.del();
  await call(note, 'create', {});
  note.create({});
  await call(note, 'submitOp', [{p: ['words'], what: 1}]);
  await call(note, 'submitOp', {not: 'an op of json0'});
  await call(note, 'submitOp', [{p: ['__proto__', 'polluted'], oi: true}]);
  await call(votes, 'submitOp', 'not a number');
  await done(votes, bobsVotes);
  await done(note, bobsNote);

  journal.step('the server refuses');
  await call(note, 'submitOp', [{p: ['title', 0], si: 'forbidden'}]);
  await done(note, bobsNote);
  const refused = eventOf(letter, 'error');
  letter.submitOp({ops: [{insert: 'forbidden'}]});
  await refused;
  await done(letter, bobsLetter);

  journal.step('deleted and created again');
  await call(note, 'del', {source: 'trash'});
  await until(() => bobsNote.type === null);
  await call(note, 'submitOp', [{p: ['words'], na: 1}]);
  await call(bobsNote, 'create', {title: 'Anew', words: 3});
  await until(() => note.type !== null);
  await done(note, bobsNote);

  journal.step('unsubscribed');
  await call(bobsNote, 'unsubscribe');
  await call(note, 'submitOp', [{p: ['words'], na: 1}]);
  await call(note, 'submitOp', [{p: ['title', 0], si: '1. '}]);
  journal.write('result', shown([bobsNote.version, bobsNote.data]));
  await call(bobsNote, 'fetch');
  await call(bobsNote, 'submitOp', [{p: ['words'], na: 1}]);
  await until(() => note.version === bobsNote.version);
  await done(note, bobsNote);
  await call(bobsNote, 'subscribe');

  journal.step('queries');
  for (const [id, words] of Object.entries({a: 10, b: 20, c: 30})) {
    await callOutside(outsider.get('notes', id), 'create', {title: id, words});
  }
  const fetched = ann.createFetchQuery('notes', {words: 10});
  journal.query('ann fetched', fetched);
  await eventOf(fetched, 'ready');
  await until(() => fetched.results);
  journal.write('ann fetched', `${shown([fetched.results, fetched.extra])}`);
  const query = await new Promise((resolve) => {
    const made = bob.createSubscribeQuery('notes', {words: 10}, null, (error, results, extra) => {
      journal.write('bob query', `calls back ${shown([error, results, extra])}`);
      resolve(made);
    });
    journal.query('bob query', made);
  });
  journal.write('bob query', shown(query.results.map((doc) => [doc.version, doc.data])));
  journal.write('bob query', shown([query.id, Object.keys(bob.queries), bob.nextQueryId]));
  const moved = eventOf(query, 'move');
  await callOutside(outsider.get('notes', 'a'), 'submitOp', [{p: ['words'], na: 15}]);
  await moved;
  const insertion = eventOf(query, 'insert');
  await callOutside(outsider.get('notes', 'd'), 'create', {title: 'd', words: 22});
  await insertion;
  const removal = eventOf(query, 'remove');
  await callOutside(outsider.get('notes', 'b'), 'del');
  await removal;
  await until(() => query.extra.count === 3 && !bob.getExisting('notes', 'b').type);
  await until(() => bob.getExisting('notes', 'a').version === 2);
  journal.write('bob query', shown([query.results, query.extra]));
  query.destroy(() => journal.write('bob query', 'destroyed'));
  // The server has heard of that before it answers: what comes then is not for the query.
  const answer = eventOf(bob, 'pong');
  bob.ping();
  await answer;
  await callOutside(outsider.get('notes', 'd'), 'del');
  await new Promise((resolve) => bob.whenNothingPending(resolve));
  const broken = ann.createFetchQuery('notes', {broken: true}, null, (error, results) => {
    journal.write('ann broken', `calls back ${shown([error, results])}`);
  });
  await eventOf(broken, 'ready');
  const silent = ann.createFetchQuery('notes', {broken: true});
  journal.query('ann silent', silent);
  await eventOf(silent, 'error');

  journal.step('presence in a channel');
  const presence = ann.getPresence('room');
  const bobsPresence = bob.getPresence('room');
  journal.presence('ann room', presence);
  journal.presence('bob room', bobsPresence);
  await journal.call('ann room', presence, 'subscribe');
  const here = bobsPresence.create('bob');
  await journal.call('bob room', here, 'submit', {mood: 'good'});
  await until(() => presence.remotePresences.bob);
  await journal.call('bob room', here, 'submit', {mood: 'better'});
  await until(() => presence.remotePresences.bob.mood === 'better');
  journal.write(
    'ann room',
    shown([presence.remotePresences, Object.keys(presence.localPresences)]),
  );
  await journal.call('bob room', here, 'destroy');
  await until(() => !presence.remotePresences.bob);
  await journal.call('ann room', presence, 'unsubscribe');
  await journal.call('ann room', presence, 'destroy');

  journal.step('presence in a document');
  const cursors = ann.getDocPresence('letters', 'one');
  journal.presence('ann cursors', cursors);
  await journal.call('ann cursors', cursors, 'subscribe');
  const cursor = bob.getDocPresence('letters', 'one').create('bob');
  await journal.call('bob cursors', cursor, 'submit', {index: 3, length: 2});
  await until(() => cursors.remotePresences.bob);
  await call(letter, 'submitOp', {ops: [{insert: 'My '}]});
  await done(letter, bobsLetter);
  await until(() => cursors.remotePresences.bob.index === 6);
  journal.write('bob cursors', shown([cursor.value]));
  await journal.call('bob cursors', cursor, 'destroy');
  await until(() => !cursors.remotePresences.bob);
  const nowhere = bob.getDocPresence('letters', 'nowhere').create('bob');
  await journal.call('bob cursors', nowhere, 'submit', {index: 0, length: 0});

  journal.step('snapshots of the past');
  const snapshot = (at, method, ...args) =>
    new Promise((resolve) => {
      ann[method]('notes', at, ...args, (error, found) => {
        const {v, type, data, m} = found ?? {};
        journal.write('ann snapshots', shown([error, v, type, data, m]));
        resolve();
      });
    });
  await snapshot('plan', 'fetchSnapshot', 1);
  await snapshot('plan', 'fetchSnapshot', null);
  await snapshot('plan', 'fetchSnapshot');
  await snapshot('plan', 'fetchSnapshot', 1000);
  await snapshot('nothing', 'fetchSnapshot', null);
  journal.write('ann snapshots', `the next is ${ann.nextSnapshotRequestId}`);
  const before = await nextMillisecond();
  await call(note, 'submitOp', [{p: ['words'], na: 1}]);
  await done(note, bobsNote);
  await snapshot('plan', 'fetchSnapshotByTimestamp', before);
  await snapshot('plan', 'fetchSnapshotByTimestamp', 0);
  await snapshot('plan', 'fetchSnapshotByTimestamp', null);
  for (const wrong of [-1, 'one']) {
    try {
      ann.fetchSnapshot('notes', 'plan', wrong, () => {});
    } catch (error) {
      journal.write('ann snapshots', error.message);
    }
  }

  journal.step('bulk');
  for (const id of ['x', 'y', 'z']) {
    await callOutside(outsider.get('bulk', id), 'create', {id});
  }
  bob.startBulk();
  const bulk = ['x', 'y', 'z'].map((id) => call(bob.get('bulk', id), 'subscribe'));
  bob.endBulk();
  await Promise.all(bulk);

  journal.step('ping');
  const pong = eventOf(ann, 'pong');
  ann.ping();
  await pong;

  journal.step('the network is down');
  const [draft] = open('notes', 'draft');
  await call(draft, 'subscribe');
  await call(draft, 'create', {title: 'Draft', words: 1});
  await callOutside(outsider.get('notes', 'draft'), 'fetch');
  server.cut();
  await until(() => clients.every(({state}) => state !== 'connected'));
  await until(() => clients.every(({state}) => state === 'disconnected'));
  const late = call(draft, 'submitOp', [{p: ['words'], na: 1}]);
  draft.submitOp([{p: ['title', 0], si: 'My '}], {source: 'keyboard'});
  const [second] = open('notes', 'second');
  const made = call(second, 'create', {title: 'Second', words: 0});
  const fetchedLate = call(second, 'fetch');
  await callOutside(outsider.get('notes', 'draft'), 'submitOp', [{p: ['words'], na: 10}]);
  try {
    ann.ping();
  } catch (error) {
    journal.write('ann', shown([error]));
  }
  journal.write('ann', shown([ann.hasPending(), ann.hasWritePending(), bob.hasWritePending()]));
  journal.write('result', shown([draft.version, draft.data, second.version, second.data]));

  journal.step('the network is up');
  server.restore();
  await until(() => clients.every(({state}) => state === 'connected'));
  await Promise.all([late, made, fetchedLate]);
  await until(() => draft.version === 3);
  await done(draft);
  await done(second);
  await Promise.all(clients.map((it) => new Promise((resolve) => it.whenNothingPending(resolve))));
  await until(() => clients.every(({collections}) => allSubscribed(collections)));
  await call(note, 'submitOp', [{p: ['words'], na: 1}]);
  await done(note, bobsNote);

  journal.step('destroyed');
  await call(draft, 'destroy');
  journal.write('ann', `existing: ${ann.getExisting('notes', 'draft')}`);
  const anew = ann.get('notes', 'draft');
  journal.write('ann', `another object: ${anew !== draft} ${shown([anew.version, anew.data])}`);
  await call(anew, 'fetch');
  await call(note, 'destroy');
  await call(bobsNote, 'submitOp', [{p: ['words'], na: 1}]);

  journal.step('closed');
  for (const client of clients) client.close();
  await until(() => clients.every(({state}) => state !== 'connected'));
  outsider.close();
}

function allSubscribed(collections) {
  const docs = Object.values(collections).flatMap((byId) => Object.values(byId));
  return docs.every((doc) => doc.subscribed === doc.wantSubscribe);
}

function callOutside(doc, method, ...args) {
  return new Promise((resolve, reject) => {
    doc[method](...args, (error) => (error ? reject(error) : resolve()));
  });
}

function eventOf(emitter, event) {
  return new Promise((resolve) => emitter.once(event, resolve));
}

async function nextMillisecond() {
  const now = Date.now();
  await until(() => Date.now() > now);
  const later = Date.now();
  await until(() => Date.now() > later);
  return later;
}

/** Waits until the condition holds; after 5 seconds it throws. */
async function until(condition) {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 5000) throw new Error(`it never happened: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
