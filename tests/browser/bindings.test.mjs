import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import ShareDB from 'sharedb';
import {launch} from './engines/index.mjs';
import {agree} from './support/documents.mjs';
import {editAtRandom, types} from './support/edits.mjs';
import {eventually} from './support/eventually.mjs';
import {html, openStage, script} from './support/stage.mjs';

const ROUNDS = 4;
const EDITS_A_ROUND = 15;

let browser;
let files;

before(async () => {
  const styles = fileURLToPath(import.meta.resolve('quill/dist/quill.core.css'));
  files = {
    '/applications.html': `${html('/applications.js')}
      <link rel="icon" href="data:,"><link rel="stylesheet" href="/quill.css">`,
    '/applications.js': await script('../applications/page.mjs'),
    '/quill.css': await readFile(styles, 'utf8'),
  };
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

/** A stage with two tabs that are connected, but have started no application yet. */
async function openTwoTabs(t, backend) {
  const stage = await openStage(t, browser, files, backend);
  const tabs = [];
  for (let count = 0; count < 2; count++) tabs.push(await stage.connect({}, '/applications.html'));
  return {stage, tabs};
}

/** Nothing went wrong in the tabs, as far as their engine tells. */
async function noErrors(...tabs) {
  for (const tab of tabs) {
    assert.deepEqual(await tab.run(() => events.error), []);
    assert.deepEqual(tab.errors ?? [], []);
  }
}

/** Two tabs with a text area each, and a plain client, on one text. */
async function openTextAreas(t, text) {
  const {stage, tabs} = await openTwoTabs(t);
  const outside = await stage.plainDoc('text');
  outside.create({...types.json0.initial, text});
  await new Promise((resolve) => outside.whenNothingPending(resolve));
  for (const tab of tabs) await tab.run(() => startTextArea('text'));
  return {stage, tabs, outside};
}

const reads = (tab, expected) =>
  eventually(async () => assert.equal(await tab.run(() => area.value), expected));

test('two tabs type at once in text areas with sharedb-string-binding, and end equal', async (t) => {
  const {stage, tabs, outside} = await openTextAreas(t, 'Once upon a time');
  for (let round = 0; round < ROUNDS; round++) {
    const typing = tabs.map((tab, at) =>
      tab.run((...args) => typeInArea(...args), round * 10 + at, EDITS_A_ROUND),
    );
    await Promise.all([...typing, editAtRandom(outside, 'json0', round, EDITS_A_ROUND)]);
  }
  const {data} = await agree(stage, 'text', tabs, [outside]);
  for (const tab of tabs) await reads(tab, data.text);
  assert.equal(stage.server.opened, 2, 'one WebSocket is the plain client’s, one the tabs’');
  await noErrors(...tabs);
});

test('the caret of a text area stays in its place as others type and delete before it', async (t) => {
  const {tabs, outside} = await openTextAreas(t, 'one two three');
  const [first, second] = tabs;
  const select = (tab, start, end) =>
    tab.run((...range) => area.setSelectionRange(...range), start, end);
  const aroundCaret = (tab) =>
    tab.run(() => {
      const {value, selectionStart, selectionEnd} = area;
      return [value.slice(0, selectionStart), value.slice(selectionEnd)];
    });

  await select(first, 8, 8);
  await select(second, 0, 0);
  await second.run(() => type('zero '));
  await reads(first, 'zero one two three');
  assert.deepEqual(await aroundCaret(first), ['zero one two ', 'three']);

  await select(second, 5, 9);
  await second.run(() => document.execCommand('delete'));
  await reads(first, 'zero two three');
  assert.deepEqual(await aroundCaret(first), ['zero two ', 'three']);

  outside.submitOp([{p: ['text', 0], si: 'less '}]);
  for (const tab of tabs) await reads(tab, 'less zero two three');
  assert.deepEqual(await aroundCaret(first), ['less zero two ', 'three']);
  assert.deepEqual(await aroundCaret(second), ['less zero ', 'two three']);

  await select(first, 10, 13);
  await second.run(() => area.setSelectionRange(area.value.length, area.value.length));
  await second.run(() => type('!'));
  await reads(first, 'less zero two three!');
  assert.deepEqual(
    await aroundCaret(first),
    ['less zero ', ' three!'],
    'what is selected stays so',
  );

  await first.run(() => type('2'));
  await reads(second, 'less zero 2 three!');
  await noErrors(first, second);
});

/** Two tabs with an editor each, Ann's and Bob's, and a plain client, on one text. */
async function openEditors(t, text) {
  const backend = new ShareDB({presence: true, doNotForwardSendPresenceErrorsToClient: true});
  const {stage, tabs} = await openTwoTabs(t, backend);
  const outside = await stage.plainDoc('text');
  outside.create([{insert: text}], types['rich-text'].uri);
  await new Promise((resolve) => outside.whenNothingPending(resolve));
  await tabs[0].run(() => startEditor('text', 'Ann'));
  await tabs[1].run(() => startEditor('text', 'Bob'));
  return {stage, tabs, outside};
}

test('two tabs type and format at once in Quill, and end equal', async (t) => {
  const {stage, tabs, outside} = await openEditors(t, 'Once upon a time\n');
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      tabs.map((tab, at) =>
        tab.run((...args) => typeInEditor(...args), round * 10 + at, EDITS_A_ROUND),
      ),
    );
  }
  const {data} = await agree(stage, 'text', tabs, [outside]);
  for (const tab of tabs) assert.deepEqual((await tab.run(() => editor.getContents())).ops, data);
  assert.equal(stage.server.opened, 2, 'one WebSocket is the plain client’s, one the tabs’');
  await noErrors(...tabs);
});

/** Puts the cursor of an editor right before this part of its text, as a click does. */
const pointAt = (tab, part) =>
  tab.run((part) => editor.setSelection(editor.getText().indexOf(part), 0, 'user'), part);

const showsCursors = (tab, expected) =>
  eventually(async () => {
    const cursors = await tab.run(() => cursors());
    const byName = (one, other) => one.name.localeCompare(other.name);
    assert.deepEqual(cursors.sort(byName), expected);
  });

test('a cursor in Quill shows in the other tab, moves with the text, and goes with its tab', async (t) => {
  const {stage, tabs, outside} = await openEditors(t, 'one two\nthree four\n');
  const [ann, bob] = tabs;
  const presence = outside.connection.getDocPresence('test', 'text');
  await new Promise((resolve, reject) => {
    presence.subscribe((error) => (error ? reject(error) : resolve()));
  });
  const seenOutside = () =>
    Object.values(presence.remotePresences).map(({name, index}) => [name, index]);

  await pointAt(ann, 'four');
  await showsCursors(bob, [{name: 'Ann', before: 'one two\nthree '}]);
  await showsCursors(ann, []);

  await pointAt(bob, 'two');
  await showsCursors(ann, [{name: 'Bob', before: 'one '}]);
  await bob.run(() => type('and '));
  await showsCursors(bob, [{name: 'Ann', before: 'one and two\nthree '}]);
  await showsCursors(ann, [{name: 'Bob', before: 'one and '}]);

  await ann.run(() => type('or '));
  await showsCursors(bob, [{name: 'Ann', before: 'one and two\nthree or '}]);
  await bob.run(() => editor.deleteText(0, 4, 'user'));
  await showsCursors(bob, [{name: 'Ann', before: 'and two\nthree or '}]);

  await agree(stage, 'text', tabs, [outside]);
  presence.create('eve').submit({index: 8, length: 0, name: 'Eve'});
  await showsCursors(bob, [
    {name: 'Ann', before: 'and two\nthree or '},
    {name: 'Eve', before: 'and two\n'},
  ]);
  await eventually(() =>
    assert.deepEqual(seenOutside().sort(), [
      ['Ann', 17],
      ['Bob', 4],
    ]),
  );

  await noErrors(...tabs);
  await stage.close(ann);
  await showsCursors(bob, [{name: 'Eve', before: 'and two\n'}]);
  await eventually(() => assert.deepEqual(seenOutside(), [['Bob', 4]]));
  await noErrors(bob);
});

/** Answers queries that sort by one member. */
class SortingDB extends ShareDB.MemoryDB {
  _querySync(snapshots, {$sort}) {
    const [[key, direction]] = Object.entries($sort);
    return {snapshots: snapshots.sort((a, b) => direction * (a.data[key] - b.data[key]))};
  }
}

test('two tabs show one leaderboard, for which they ask the server once', async (t) => {
  const backend = new ShareDB({db: new SortingDB()});
  const {stage, tabs} = await openTwoTabs(t, backend);
  const {connection: outside} = await stage.plainDoc('any');
  const players = {ada: {name: 'Ada', score: 10}, grace: {name: 'Grace', score: 8}};
  for (const [id, player] of Object.entries(players)) outside.get('players', id).create(player);
  await new Promise((resolve) => outside.whenNothingPending(resolve));

  let asked = 0;
  backend.use('receive', ({data}, next) => {
    if (data.a === 'qs') asked += 1;
    next();
  });
  const list = (tab) => tab.run(() => Array.from(list.children, (item) => item.textContent));
  const show = (shown, expected) =>
    Promise.all(
      shown.map((tab) => eventually(async () => assert.deepEqual(await list(tab), expected))),
    );
  const press = (tab, at, button) =>
    tab.run((at, button) => list.children[at].querySelector(`.${button}`).click(), at, button);

  await Promise.all(tabs.map((tab) => tab.run(() => startLeaderboard())));
  await show(tabs, ['Ada 10', 'Grace 8']);

  await press(tabs[0], 0, 'add');
  await show(tabs, ['Ada 15', 'Grace 8']);
  await press(tabs[1], 1, 'add');
  await press(tabs[1], 1, 'add');
  await show(tabs, ['Grace 18', 'Ada 15']);

  await tabs[0].run(() => addPlayer('marie', 'Marie'));
  await show(tabs, ['Grace 18', 'Ada 15', 'Marie 0']);
  outside.get('players', 'carl').create({name: 'Carl', score: 16});
  await show(tabs, ['Grace 18', 'Carl 16', 'Ada 15', 'Marie 0']);

  await press(tabs[1], 0, 'remove');
  await show(tabs, ['Carl 16', 'Ada 15', 'Marie 0']);
  assert.equal(asked, 1);

  await noErrors(...tabs);
  await stage.close(tabs[0]);
  await press(tabs[1], 1, 'add');
  await show([tabs[1]], ['Ada 20', 'Carl 16', 'Marie 0']);
  assert.equal(asked, 1);
  await noErrors(tabs[1]);
});
