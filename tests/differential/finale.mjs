import {isDeepStrictEqual} from 'node:util';
import {stateOf} from './observe.mjs';

/**
 * Ends a program: connections come back, nothing is refused any more, somebody from outside edits each
 * document, and all fetch. Returns what does not hold then, as `{rule, detail}`.
 */
export async function endProgram(run) {
  const broken = [];
  const report = (rule, detail) => broken.push({rule, detail});
  run.observer.phase = run.program.steps.length;
  await resumeAll(run);
  const edited = await editFromOutside(run);
  checkSubscribed(run, edited, report);
  await fetchAll(run, edited, report);
  return broken;
}

async function resumeAll(run) {
  const {world, hands} = run;
  world.clients.forEach(({line}, c) => {
    run.restore(line);
    run.open(c);
  });
  await run.settle();
  for (const {docs} of hands) for (const held of docs) held?.doc.resume();
  await run.settle();
}

/** An edit of each document by a client that is new. Returns the documents it has edited. */
async function editFromOutside(run) {
  const {world, program} = run;
  const outside = world.quiet.watch(world.server.connect('outside'));
  const docs = program.docs.map(({collection, id}) => outside.get(collection, id));
  for (const doc of docs) doc.on('error', () => {}).fetch();
  await run.settle();
  for (const doc of docs) {
    if (doc.type)
      doc.submitOp(doc.type.name === 'json0' ? [{p: ['end'], oi: 1}] : [{insert: 'end'}]);
    else doc.create({end: 0, marks: {}});
  }
  await run.settle();
  outside.close();
  return docs;
}

/** A change by others reaches a document that says it is subscribed. */
function checkSubscribed({world}, edited, report) {
  world.clients.forEach(({connection}, c) => {
    for (const {collection, id} of edited) {
      const doc = connection.getExisting(collection, id);
      if (!doc) continue;
      const isReached = doc.version === world.server.stored(collection, id).version;
      if (doc.subscribed && !isReached)
        report('subscribed', `c${c} ${collection}/${id} is not told`);
      const mayHear = doc.subscribed || hearsOtherwise(connection);
      if (!mayHear && isReached) report('not subscribed', `c${c} ${collection}/${id} is told`);
      if (doc.hasPending()) report('pending', `c${c} ${collection}/${id} never has an answer`);
    }
  });
}

/** Queries and presence bring documents up to date, too. */
function hearsOtherwise(connection) {
  return Object.keys(connection.queries).length > 0;
}

/** In the end all hold what the server holds. */
async function fetchAll(run, edited, report) {
  const {world} = run;
  const fetched = [];
  world.clients.forEach(({connection}, c) => {
    for (const {collection, id} of edited) {
      const doc = connection.get(collection, id);
      const name = `c${c} ${collection}/${id}`;
      doc.fetch((error) => fetched.push({doc, name, error}));
    }
  });
  await run.settle();
  const count = world.clients.length * edited.length;
  if (fetched.length !== count) report('fetch', `${fetched.length} of ${count} fetches call back`);
  for (const {doc, name, error} of fetched) {
    // If the server can't answer, the document stays as it is.
    if (error) continue;
    const {version, type, data} = world.server.stored(doc.collection, doc.id);
    const held = {version: doc.version, type: doc.type?.name ?? null, data: plain(doc.data)};
    if (isDeepStrictEqual(held, {version, type, data: plain(data)})) continue;
    report(
      'replicas',
      `${name} has ${JSON.stringify(stateOf(doc))}, the server version ${version}`,
    );
  }
}

function plain(value) {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
