import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {agree, create, held, leaveMark, seesMark, subscribe} from './support/documents.mjs';
import {editAtRandom, types} from './support/edits.mjs';
import {eventually} from './support/eventually.mjs';
import {openStage} from './support/stage.mjs';

const ROUNDS = 6;
const EDITS_A_ROUND = 15;

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

const tabIds = (tab) => tab.run(() => connection.tabs.map(({id}) => id));

for (const type of Object.keys(types)) {
  test(`${type}: three tabs and a plain client edit one document at once and end equal, over one WebSocket`, async (t) => {
    const stage = await openStage(t, browser);
    const outside = await stage.plainDoc('shared');
    const tabs = [await stage.connect(), await stage.connect(), await stage.connect()];
    await create(tabs[0], 'shared', type);
    await Promise.all(tabs.map((tab) => subscribe(tab, 'shared')));
    await eventually(() => assert(outside.type));

    for (let round = 0; round < ROUNDS; round++) {
      const edits = tabs.map((tab, at) =>
        tab.run((...args) => edit('shared', ...args), type, round * 10 + at, EDITS_A_ROUND),
      );
      await Promise.all([...edits, editAtRandom(outside, type, round * 10 + 9, EDITS_A_ROUND)]);
    }

    await agree(stage, 'shared', tabs, [outside]);
    assert.equal(stage.server.opened, 2, 'one WebSocket is the plain client’s, one the browser’s');
    assert.equal(new Set(stage.server.log.map(({src}) => src)).size, 2);
    for (const tab of tabs) assert.deepEqual(await tab.run(() => events.error), []);
  });
}

test('an edit reaches the other tabs, and a document that one has costs the server nothing', async (t) => {
  const stage = await openStage(t, browser);
  const [first, second] = [await stage.connect(), await stage.connect()];
  await create(first, 'notes');
  await subscribe(first, 'notes');

  const asked = [];
  stage.server.backend.use('receive', ({data}, next) => {
    asked.push(data);
    next();
  });
  await subscribe(second, 'notes');
  assert.deepEqual((await held(second, 'notes')).data, types.json0.initial);
  assert.deepEqual(asked, []);

  await leaveMark(first, 'notes', 'from the first');
  await seesMark(second, 'notes', 'from the first');
  await leaveMark(second, 'notes', 'from the second');
  await seesMark(first, 'notes', 'from the second');
  await agree(stage, 'notes', [first, second]);
  assert.equal(stage.server.opened, 1);
});

test('with the network cut, tabs see each other’s edits, and the server gets each exactly once', async (t) => {
  const stage = await openStage(t, browser);
  const {server} = stage;
  const [first, second] = [await stage.connect(), await stage.connect()];
  await create(first, 'notes');
  await Promise.all([first, second].map((tab) => subscribe(tab, 'notes')));

  // Whether the server took this one before the cut, nobody can tell.
  await leaveMark(first, 'notes', 'at the cut');
  server.cut();
  const isOffline = (tab) =>
    eventually(async () => assert.notEqual(await tab.run(() => connection.state), 'connected'));
  await Promise.all([first, second].map(isOffline));
  const before = server.log.length;

  await leaveMark(first, 'notes', 'first');
  await leaveMark(second, 'notes', 'second');
  await seesMark(second, 'notes', 'first');
  await seesMark(first, 'notes', 'second');

  const third = await stage.connect();
  await subscribe(third, 'notes');
  assert.deepEqual((await held(third, 'notes')).data, (await held(first, 'notes')).data);
  await leaveMark(third, 'notes', 'third');
  await Promise.all([first, second].map((tab) => seesMark(tab, 'notes', 'third')));
  assert.equal(server.log.length, before, 'the server was not reached meanwhile');

  server.restore();
  const outside = await stage.plainDoc('notes');
  const {data} = await agree(stage, 'notes', [first, second, third], [outside]);
  assert.equal(data.count, 4);
  assert.deepEqual([...data.list].sort(), ['at the cut', 'first', 'second', 'third']);
  const committed = server.log.map(({src, seq}) => `${src} ${seq}`);
  assert.equal(new Set(committed).size, committed.length);
});

test('a tab that closes leaves the list of tabs, and the others go on', async (t) => {
  const stage = await openStage(t, browser);
  const tabs = [await stage.connect(), await stage.connect(), await stage.connect()];
  const ids = await Promise.all(tabs.map((tab) => tab.run(() => connection.tabId)));
  const listed = async (tab, expected) =>
    eventually(async () => assert.deepEqual((await tabIds(tab)).sort(), [...expected].sort()));
  await Promise.all(tabs.map((tab) => listed(tab, ids)));
  const self = await tabs[1].run(() => connection.tabs.filter(({self}) => self).map(({id}) => id));
  assert.deepEqual(self, [ids[1]]);

  // The first, which the hub began with.
  await stage.close(tabs.shift());
  await Promise.all(tabs.map((tab) => listed(tab, ids.slice(1))));

  await create(tabs[0], 'notes');
  await Promise.all(tabs.map((tab) => subscribe(tab, 'notes')));
  await leaveMark(tabs[0], 'notes', 'still here');
  await seesMark(tabs[1], 'notes', 'still here');
  await agree(stage, 'notes', tabs);
  assert.equal(stage.server.sockets.size, 1);
});

for (const options of [
  {transport: 'message-port', codec: 'json'},
  {transport: 'message-port', codec: 'cbor'},
  {transport: 'broadcast-channel', codec: 'structured-clone'},
  {transport: 'broadcast-channel', codec: 'json'},
  {transport: 'broadcast-channel', codec: 'cbor'},
]) {
  test(`tabs end equal over ${options.transport} with ${options.codec}`, async (t) => {
    const stage = await openStage(t, browser);
    const tabs = [await stage.connect(options), await stage.connect(options)];
    await create(tabs[0], 'json', 'json0');
    await create(tabs[1], 'rich', 'rich-text');
    for (const [id, type] of [
      ['json', 'json0'],
      ['rich', 'rich-text'],
    ]) {
      await Promise.all(tabs.map((tab) => subscribe(tab, id)));
      await Promise.all(
        tabs.map((tab, seed) => tab.run((...args) => edit(...args), id, type, seed, EDITS_A_ROUND)),
      );
      await agree(stage, id, tabs);
    }
    assert.equal(await tabs[1].run(() => connection.topology), 'shared-worker');
    assert.equal(stage.server.opened, 1);
  });
}
