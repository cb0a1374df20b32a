import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {create, subscribe} from './support/documents.mjs';
import {eventually} from './support/eventually.mjs';
import {committedOnce, hold, mark} from './support/list-marks.mjs';
import {hubsEnded, openStoredStage} from './support/stored-stage.mjs';
import {tearLogs} from './support/torn-log.mjs';

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

/** A tab that has subscribed to a document with these marks, which its hub has. */
async function openTab(stage, options, ...marks) {
  const tab = await stage.connect(options);
  await create(tab, 'notes');
  await subscribe(tab, 'notes');
  await mark(tab, 'notes', ...marks);
  await tab.run(() => written());
  return tab;
}

/** A tab that has subscribed to the document. */
async function join(stage, options) {
  const tab = await stage.connect(options);
  await subscribe(tab, 'notes');
  return tab;
}

/** The ids of the documents that the hub's store has. */
const stored = async (tab) => {
  const inventory = await tab.run(() => connection.store.inventory());
  return inventory.map(({id}) => id);
};

const storeEvents = (tab) => tab.run(() => stored);

const hears = (tab, name, code) =>
  eventually(async () => {
    const events = await storeEvents(tab);
    assert(
      events.some((event) => event.name === name && event.code === code),
      JSON.stringify(events),
    );
  });

/** Waits until the store has the document's uncommitted ops: after a failure the hub pauses. */
const storesAgain = (tab) =>
  eventually(async () => {
    const [notes] = await tab.run(() => connection.store.inventory());
    assert(notes.pending);
  });

/** A tab of a new hub, which has nothing but what the store has. */
async function reopenOffline(stage, options) {
  await stage.closeAll();
  stage.server.cut();
  return join(stage, options);
}

test('F11: the newer of two hubs on one store goes on, the older stops, and nothing is lost or doubled', async (t) => {
  const stage = await openStoredStage(t, browser);
  const old = await openTab(stage, {query: 'hub=old'}, 'online');
  await stage.goOffline();
  await mark(old, 'notes', 'offline');
  await old.run(() => written());
  const next = await join(stage, {query: 'hub=new'});
  await hold([next], 'notes', ['online', 'offline']);
  await mark(next, 'notes', 'in the new');
  await next.run(() => written());

  stage.server.restore();
  await committedOnce(stage, 'notes', [next], ['online', 'offline', 'in the new']);
  await eventually(async () => {
    const faults = await next.run(() => faults);
    assert.deepEqual(
      faults.map(({hub, fault}) => [hub, fault.code]),
      [['old', 'ERR_TABMUX_STORE_FENCED']],
    );
  });
  await eventually(async () => assert.equal(await old.run(() => connection.state), 'stopped'));
  await stage.close(old);
  const again = await join(stage, {query: 'hub=new'});
  await committedOnce(stage, 'notes', [next, again], ['online', 'offline', 'in the new']);
});

test('an op that a stopped tab was told to be lost is not committed after all when the page has ended', async (t) => {
  const stage = await openStoredStage(t, browser);
  const old = await openTab(stage, {query: 'hub=old'}, 'online');
  const next = await join(stage, {query: 'hub=new'});
  const lost = await old.run(() =>
    failure((callback) => doc('notes').submitOp([{p: ['list', 0], li: 'too late'}], callback)),
  );
  assert.equal(lost.code, 'ERR_TABMUX_HUB_LOST');
  const left = await old.run(() => {
    dispatchEvent(new PageTransitionEvent('pagehide'));
    return Object.keys(localStorage);
  });
  assert.deepEqual(left, []);
  await stage.close(old);
  const again = await join(stage, {query: 'hub=new'});
  await mark(again, 'notes', 'afterwards');
  await committedOnce(stage, 'notes', [next, again], ['online', 'afterwards']);
});

test('D1: a hub whose store newer code has brought to another schema stops, and sends nothing more', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openTab(stage, {query: 'hub=old'}, 'online');
  await stage.goOffline();
  await mark(tab, 'notes', 'for the newer hub to send');
  await tab.run(() => written());
  await tab.run(() => upgradeStore('', ''));
  await eventually(async () => {
    const faults = await tab.run(() => faults);
    assert.deepEqual(
      faults.map(({hub, fault}) => [hub, fault.code]),
      [['old', 'ERR_TABMUX_STORE_NEWER_SCHEMA']],
    );
  });
  stage.server.restore();
  const observer = await join(stage, {query: 'hub=other', identity: 'other'});
  await mark(observer, 'notes', 'afterwards');
  await committedOnce(stage, 'notes', [observer], ['online', 'afterwards']);
  assert.equal(await tab.run(() => connection.state), 'stopped');
});

test('F15: without an IndexedDB the hub says so, and works in memory', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openTab(stage, {query: 'forbidden'}, 'online');
  await hears(tab, 'error', 'ERR_TABMUX_STORE_UNAVAILABLE');
  await stage.goOffline();
  await mark(tab, 'notes', 'offline');
  const other = await join(stage, {query: 'forbidden'});
  await hold([other], 'notes', ['online', 'offline']);
  stage.server.restore();
  await committedOnce(stage, 'notes', [tab, other], ['online', 'offline']);
});

test('F15: on a full disk the hub says so and goes on, and writes everything once there is room', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openTab(stage, {}, 'before');
  await stage.goOffline();
  await tab.run(() => fillDisk(true));
  await mark(tab, 'notes', 'on a full disk');
  await hears(tab, 'quota');
  const other = await join(stage);
  await hold([tab, other], 'notes', ['before', 'on a full disk']);
  await tab.run(() => fillDisk(false));
  await mark(tab, 'notes', 'with room');
  await storesAgain(tab);

  const next = await reopenOffline(stage);
  const marks = ['before', 'on a full disk', 'with room'];
  await hold([next], 'notes', marks);
  stage.server.restore();
  await committedOnce(stage, 'notes', [next], marks);
});

test('beyond nine tenths of the room on the device, what was not used for longest is dropped', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await stage.connect();
  for (const id of ['1st', '2nd', '3rd']) await create(tab, id);
  await tab.run(() => connection.store.pin('test', '1st'));
  await tab.run(() => written());
  await stage.closeAll();
  stage.server.cut();

  const roomy = await stage.connect({query: 'usage=900&quota=1000'});
  assert.deepEqual(await stored(roomy), ['1st', '2nd', '3rd']);
  assert.deepEqual(await storeEvents(roomy), []);
  await stage.closeAll();
  const full = await stage.connect({query: 'usage=901&quota=1000'});
  await eventually(async () =>
    assert.deepEqual(await storeEvents(full), [
      {name: 'quota', usage: 901, quota: 1000},
      {name: 'evicted', 0: {collection: 'test', id: '2nd'}},
    ]),
  );
  assert.deepEqual(await stored(full), ['1st', '3rd']);
});

test('F15: what a damaged record held is told, and the document comes from the server', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openTab(stage, {}, 'online');
  await create(tab, 'sound');
  await tab.run(() => written());
  await stage.closeAll();
  const page = await stage.open('/stored.html');
  assert(await page.run(() => spoil('notes')));
  await stage.close(page);

  const next = await join(stage);
  await hears(next, 'error', 'ERR_TABMUX_STORE_DAMAGED');
  assert.deepEqual(
    (await storeEvents(next)).map(({collection, id}) => [collection, id]),
    [['test', 'notes']],
  );
  await mark(next, 'notes', 'afterwards');
  await committedOnce(stage, 'notes', [next], ['online', 'afterwards']);
  await stage.goOffline();
  await subscribe(next, 'sound');
  await hold([next], 'sound', []);
});

test('without a SharedWorker one page has the store, and the hub of another says so and works in memory', async (t) => {
  const stage = await openStoredStage(t, browser);
  const inPage = {hub: {local: '/test/store-hub.js'}};
  const first = await openTab(stage, inPage, 'in the first');
  assert.equal(await first.run(() => connection.topology), 'direct');
  const second = await join(stage, inPage);
  await hears(second, 'error', 'ERR_TABMUX_STORE_IN_USE');
  await mark(second, 'notes', 'in the second');
  await committedOnce(stage, 'notes', [first, second], ['in the first', 'in the second']);
  await create(second, 'only in the second');
  assert.deepEqual(await stored(second), ['notes', 'only in the second']);
  assert.deepEqual(await stored(first), ['notes']);
  assert.deepEqual(await storeEvents(first), []);

  await stage.close(first);
  await hubsEnded(second);
  stage.server.cut();
  const third = await join(stage, inPage);
  await hold([third], 'notes', ['in the first', 'in the second']);
  assert.deepEqual(await stored(third), ['notes']);
  assert.deepEqual(await storeEvents(third), []);
});

test('F21: identities share no documents, no store and no events', async (t) => {
  const stage = await openStoredStage(t, browser);
  const ann = await openTab(stage, {identity: 'ann'}, 'online');
  const alsoAnn = await join(stage, {identity: 'ann'});
  const bob = await join(stage, {identity: 'bob'});
  await stage.goOffline();
  await mark(ann, 'notes', 'Ann’s');
  await mark(bob, 'notes', 'Bob’s');
  for (const tab of [ann, bob]) await tab.run(() => written());
  await hold([ann, alsoAnn], 'notes', ['online', 'Ann’s']);
  await hold([bob], 'notes', ['online', 'Bob’s']);
  const clear = (options) =>
    ann.run((options) => connection.store.clear(options).catch(({code}) => code), options);
  assert.equal(await clear(), 'ERR_TABMUX_STORE_PENDING');
  assert.equal((await ann.run(() => connection.store.inventory())).length, 1);
  await clear({force: true});
  for (const tab of [ann, alsoAnn]) await hears(tab, 'cleared');
  assert.deepEqual(await storeEvents(bob), []);

  const next = await reopenOffline(stage, {identity: 'bob'});
  await hold([next], 'notes', ['online', 'Bob’s']);
  const empty = await stage.connect({identity: 'ann'});
  assert.deepEqual(await empty.run(() => connection.store.inventory()), []);
  stage.server.restore();
  await committedOnce(stage, 'notes', [next], ['online', 'Bob’s']);
});

for (const transport of ['message-port', 'broadcast-channel']) {
  test(`who logs in after a log-out has a store again, in the same page, over ${transport}`, async (t) => {
    const stage = await openStoredStage(t, browser);
    const options = {url: stage.socketUrl, identity: 'ann', transport};
    const tab = await openTab(stage, options, 'before');
    // Another identity keeps the worker alive.
    await stage.connect({...options, identity: 'bob'});
    await stage.goOffline();
    await mark(tab, 'notes', 'offline');
    await tab.run(async (options) => {
      await written();
      await connection.store.clear({force: true});
      connection.close();
      connectStored(options);
    }, options);
    assert.deepEqual(await stored(tab), []);
    stage.server.restore();
    await subscribe(tab, 'notes');
    await mark(tab, 'notes', 'after');
    await tab.run(() => written());
    assert.deepEqual(await stored(tab), ['notes']);
  });
}

test('F23: site data cleared meanwhile is written again', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openTab(stage, {}, 'online');
  await stage.goOffline();
  await mark(tab, 'notes', 'offline');
  await tab.run(() => written());
  await tab.run(() => deleteStore('', ''));
  await hears(tab, 'error', 'ERR_TABMUX_STORE_CLOSED');
  await mark(tab, 'notes', 'afterwards');
  await storesAgain(tab);

  const next = await reopenOffline(stage);
  await hold([next], 'notes', ['online', 'offline', 'afterwards']);
  stage.server.restore();
  await committedOnce(stage, 'notes', [next], ['online', 'offline', 'afterwards']);
});

test('an encrypted store opens with its own key alone, and another destroys nothing', async (t) => {
  const stage = await openStoredStage(t, browser);
  await openTab(stage, {query: 'password=right'}, 'secret');
  await stage.closeAll();
  stage.server.cut();
  const stranger = await stage.connect({query: 'password=wrong'});
  await hears(stranger, 'error', 'ERR_TABMUX_STORE_KEY');
  assert.deepEqual(await stranger.run(() => connection.store.inventory()), []);
  await stage.closeAll();
  const owner = await join(stage, {query: 'password=right'});
  await hold([owner], 'notes', ['secret']);
  assert.deepEqual(await storeEvents(owner), []);
});

test('a write that a kill tore costs Chromium no database', {
  skip: process.env.TABMUX_BROWSER !== 'chromium' && 'the other engines keep no log of this kind',
}, async (t) => {
  const stage = await openStoredStage(t, browser);
  await openTab(stage, {}, 'before');
  stage.server.cut();
  await stage.restart(tearLogs);
  const next = await stage.connect();
  assert.deepEqual(await stored(next), ['notes']);
  await subscribe(next, 'notes');
  await mark(next, 'notes', 'after');
  await next.run(() => written());

  await stage.restart();
  const last = await stage.connect();
  assert.deepEqual(await stored(last), ['notes']);
  await subscribe(last, 'notes');
  await hold([last], 'notes', ['before', 'after']);
});

test('a page that opens its connection again just after the hub has ended has its store', async (t) => {
  const stage = await openStoredStage(t, browser);
  const page = await stage.open('/stored.html');
  const events = await page.run(async () => {
    const events = [];
    // There is no telling at which of these moments the hub has ended and its store is still open.
    for (let moments = 0; moments < 30; moments++) {
      connectHere();
      await connection.store.inventory();
      events.push(...stored);
      connection.close();
      for (let moment = 0; moment < moments; moment++) await null;
    }
    return events;
  });
  assert.deepEqual(events, []);
});

test('a page that closes its connection and opens it again without the server keeps its store', async (t) => {
  const stage = await openStoredStage(t, browser);
  const page = await stage.open('/stored.html');
  await page.run(async () => {
    connectHere();
    doc('notes').create({list: []});
    await written();
    connection.close();
    connectHere();
  });
  assert.deepEqual(await stored(page), ['notes']);
  assert.deepEqual(await storeEvents(page), []);
});

test('who logs in right after a log-out has a store again in a page that has its hub', async (t) => {
  const stage = await openStoredStage(t, browser);
  const page = await stage.open('/stored.html');
  const [ids, events] = await page.run(async () => {
    const ids = [];
    const events = [];
    // As above: the old hub may or may not have ended.
    for (let moments = 0; moments < 10; moments++) {
      connectHere();
      doc(`${moments}`).create({list: []});
      await written();
      ids.push(...(await connection.store.inventory()).map(({id}) => id));
      events.push(...stored);
      await connection.store.clear({force: true});
      connection.close();
      for (let moment = 0; moment < moments; moment++) await null;
    }
    return [ids, events];
  });
  assert.equal(ids.join(' '), '0 1 2 3 4 5 6 7 8 9');
  assert.deepEqual(events, []);
});
