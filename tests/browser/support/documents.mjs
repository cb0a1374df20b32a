import assert from 'node:assert/strict';
import {eventually} from './eventually.mjs';

/** Subscribes a tab to a document. */
export const subscribe = (tab, id) =>
  tab.run((id) => done((callback) => doc(id).subscribe(callback)), id);

/** Creates a document in a tab. */
export const create = (tab, id, type = 'json0') =>
  tab.run((id, type) => createDoc(id, type), id, type);

/** What a tab holds of a document. */
export const held = (tab, id) =>
  tab.run((id) => ({version: doc(id).version, data: doc(id).data}), id);

/** What the server holds of a document. */
function stored({backend}, id) {
  return new Promise((resolve, reject) => {
    backend.db.getSnapshot('test', id, null, null, (error, {v, data} = {}) =>
      error ? reject(error) : resolve({version: v, data}),
    );
  });
}

/** The data in the one form in which JSON, ShareDB's server and its clients have it. */
const asJson = ({version, data}) => JSON.parse(JSON.stringify({version, data: data.ops ?? data}));

/** Waits until the tabs and the plain ShareDB documents hold what the server holds; returns it. */
export async function agree(stage, id, tabs, plainDocs = []) {
  for (const tab of tabs) {
    await tab.run(() => new Promise((resolve) => connection.whenNothingPending(resolve)));
  }
  return eventually(async () => {
    const server = asJson(await stored(stage.server, id));
    for (const tab of tabs) assert.deepEqual(asJson(await held(tab, id)), server);
    for (const doc of plainDocs) assert.deepEqual(asJson(doc), server);
    return server;
  });
}

/** Adds one to the count and a mark to the list. */
export const leaveMark = (tab, id, mark) =>
  tab.run(
    (id, mark) => {
      doc(id).submitOp([{p: ['count'], na: 1}]);
      doc(id).submitOp([{p: ['list', 0], li: mark}]);
    },
    id,
    mark,
  );

/** Waits until a tab holds the mark. */
export const seesMark = (tab, id, mark) =>
  eventually(async () => assert((await held(tab, id)).data.list.includes(mark)));
