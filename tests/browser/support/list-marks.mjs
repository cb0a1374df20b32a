import assert from 'node:assert/strict';
import {agree} from './documents.mjs';
import {eventually} from './eventually.mjs';

/** Puts marks into the list of a document without waiting for anything; one op each. */
export const mark = (tab, id, ...marks) =>
  tab.run(
    (id, marks) => {
      for (const li of marks) doc(id).submitOp([{p: ['list', 0], li}]);
    },
    id,
    marks,
  );

/** Waits until the document holds these marks in each of the tabs. */
export async function hold(tabs, id, marks) {
  for (const tab of tabs) {
    await eventually(async () => {
      const list = await tab.run((id) => doc(id).data?.list, id);
      assert.deepEqual(list?.toSorted(), marks.toSorted());
    });
  }
}

/** The marks in the server's log of a document. */
export const loggedMarks = ({log}, id) =>
  log
    .filter((entry) => entry.id === id)
    .flatMap(({create, op}) => create?.data.list ?? op?.map(({li}) => li) ?? []);

/** Waits until tabs and server hold these marks; each came to the server in one op, and once. */
export async function committedOnce(stage, id, tabs, marks) {
  await hold(tabs, id, marks);
  await eventually(() =>
    assert.deepEqual(loggedMarks(stage.server, id).toSorted(), marks.toSorted()),
  );
  await agree(stage, id, tabs);
  const names = stage.server.log.map(({src, seq}) => `${src} ${seq}`);
  assert.equal(new Set(names).size, names.length);
}
