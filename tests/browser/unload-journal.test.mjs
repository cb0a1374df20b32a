import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {create, subscribe} from './support/documents.mjs';
import {eventually} from './support/eventually.mjs';
import {committedOnce, mark} from './support/list-marks.mjs';
import {hubsEnded, openStoredStage} from './support/stored-stage.mjs';
import {left} from './support/unload-journal.mjs';

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

/** A tab with a document that its hub has stored. */
async function openFirst(stage) {
  const tab = await stage.connect();
  await create(tab, 'notes');
  await subscribe(tab, 'notes');
  await tab.run(() => written());
  return tab;
}

/** A tab of whose messages the hub reads no more: what it edits is only in what it leaves. */
async function openUnheard(stage) {
  const tab = await stage.connect();
  await subscribe(tab, 'notes');
  await tab.run(() => {
    MessagePort.prototype.postMessage = () => {};
  });
  return tab;
}

test('a tab that is closed leaves what the hub has not heard, every time', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openFirst(stage);
  const marks = Array.from({length: 8}, (_, at) => `end of tab ${at}`);
  for (const li of marks) {
    const unheard = await openUnheard(stage);
    await mark(unheard, 'notes', li);
    await stage.close(unheard);
  }
  await committedOnce(stage, 'notes', [tab], marks);
  await eventually(async () => assert.deepEqual(await left(tab), []));
});

test('what a hub can’t take while its store fails is passed on once it can', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openFirst(stage);
  const unheard = await openUnheard(stage);
  // With a tab that ends, WebKit may end the worker.
  const journal = await unheard.run(() => {
    doc('notes').submitOp([{p: ['list', 0], li: 'at the end'}]);
    dispatchEvent(new PageTransitionEvent('pagehide'));
    const [journal] = Object.entries(localStorage);
    dispatchEvent(new PageTransitionEvent('pageshow'));
    return journal.map((text) => text.replaceAll(connection.tabId, 'a tab that is gone'));
  });
  await tab.run(() => fillDisk(true));
  await mark(tab, 'notes', 'while the disk is full');
  await eventually(async () =>
    assert((await tab.run(() => stored)).some(({name}) => name === 'quota')),
  );
  await tab.run(() => {
    window.reads = 0;
    const {getItem} = Storage.prototype;
    Storage.prototype.getItem = function (key) {
      if (key.startsWith('tabmux:unload:')) window.reads += 1;
      return getItem.call(this, key);
    };
  });
  await unheard.run((journal) => localStorage.setItem(...journal), journal);
  await eventually(async () => assert((await tab.run(() => reads)) > 2));
  assert.equal((await left(tab)).length, 1);
  await tab.run(() => fillDisk(false));
  await committedOnce(stage, 'notes', [tab], ['while the disk is full', 'at the end']);
  await eventually(async () => assert.deepEqual(await left(tab), []));
});

test('what a tab wrote last is passed on, though it is seen only after what it wrote before', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openFirst(stage);
  const unheard = await openUnheard(stage);
  const [key, all] = await unheard.run(async () => {
    doc('notes').submitOp([{p: ['list', 0], li: 'first'}]);
    dispatchEvent(new PageTransitionEvent('pagehide'));
    await new Promise((resolve) => setTimeout(resolve));
    const [[key, first]] = Object.entries(localStorage);
    doc('notes').submitOp([{p: ['list', 0], li: 'last'}]);
    const all = localStorage.getItem(key);
    localStorage.setItem(key, first);
    Storage.prototype.setItem = () => {};
    return [key, all];
  });
  await tab.run(
    (key, all) => {
      const {getItem} = Storage.prototype;
      Storage.prototype.getItem = function (name) {
        const value = getItem.call(this, name);
        if (name === key) {
          Storage.prototype.getItem = getItem;
          this.setItem(key, all);
        }
        return value;
      };
    },
    key,
    all,
  );
  await stage.close(unheard);
  await committedOnce(stage, 'notes', [tab], ['first', 'last']);
  await eventually(async () => assert.deepEqual(await left(tab), []));
});

test('what a tab can’t read is a fault, and stays for tabs of newer code', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openFirst(stage);
  const key = await tab.run(() => {
    window.unread = [];
    connection.on('fault', ({code}) => unread.push(code));
    doc('notes').submitOp([{p: ['list', 0], li: 'a mark'}]);
    dispatchEvent(new PageTransitionEvent('pagehide'));
    const [key] = Object.keys(localStorage);
    dispatchEvent(new PageTransitionEvent('pageshow'));
    return key.replace(connection.tabId, 'newer');
  });
  const observer = await stage.open('/empty.html');
  await observer.run((key) => localStorage.setItem(key, '{"all": "new"}'), key);
  await eventually(async () =>
    assert.deepEqual(await tab.run(() => unread), ['ERR_TABMUX_BAD_FRAME']),
  );
  assert.deepEqual(await left(tab), [key]);
});

const clear = (tab) =>
  tab.run(() =>
    connection.store.clear().then(
      () => 'cleared',
      ({code}) => code,
    ),
  );

test('a store is not wiped while an ending tab has left what only `localStorage` has', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openFirst(stage);
  const unheard = await openUnheard(stage);
  await mark(unheard, 'notes', 'at the end');
  await unheard.run(() => dispatchEvent(new PageTransitionEvent('pagehide')));
  assert.equal(await clear(tab), 'ERR_TABMUX_STORE_PENDING');
  assert.equal((await left(tab)).length, 1);
  await stage.close(unheard);
  await committedOnce(stage, 'notes', [tab], ['at the end']);
  await eventually(async () => assert.equal(await clear(tab), 'cleared'));
});

test('a page does not wipe the store as it opens, before what was left has been passed on', async (t) => {
  const stage = await openStoredStage(t, browser);
  const first = await openFirst(stage);
  const unheard = await openUnheard(stage);
  await mark(unheard, 'notes', 'at the end');
  await stage.close(first);
  await stage.close(unheard);
  const observer = await stage.open('/empty.html');
  await hubsEnded(observer);
  // As another tab that is passing it on does.
  const [key] = await left(observer);
  await observer.run(
    (tab) =>
      new Promise((resolve) => {
        navigator.locks.request(`tabmux:tab:${tab}`, () => {
          resolve();
          return new Promise((release) => {
            window.release = release;
          });
        });
      }),
    key.split(':').at(-1),
  );
  const tab = await stage.open('/stored.html');
  await tab.run((options) => connectStored(options), {url: stage.socketUrl});
  assert.equal(await clear(tab), 'ERR_TABMUX_STORE_PENDING');
  await observer.run(() => release());
  await subscribe(tab, 'notes');
  await committedOnce(stage, 'notes', [tab], ['at the end']);
  await eventually(async () => assert.equal(await clear(tab), 'cleared'));
});

test('what a tab leaves that had not heard that its store was wiped goes, whether a tab lives or not', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tab = await openFirst(stage);
  const late = await tab.run(() => {
    doc('notes').submitOp([{p: ['list', 0], li: 'a secret'}]);
    dispatchEvent(new PageTransitionEvent('pagehide'));
    const [late] = Object.entries(localStorage);
    dispatchEvent(new PageTransitionEvent('pageshow'));
    return late;
  });
  const ofAnotherStore = 'tabmux:unload:another store:another tab';
  const observer = await stage.open('/empty.html');
  await observer.run((key) => localStorage.setItem(key, '{}'), ofAnotherStore);
  await tab.run(() => connection.store.clear({force: true}));
  const leave = () => observer.run((late) => localStorage.setItem(...late), late);
  const isGone = () =>
    eventually(async () => assert.deepEqual(await left(observer), [ofAnotherStore]));
  await leave();
  await isGone();
  await stage.close(tab);
  await hubsEnded(observer);
  await leave();
  assert.equal((await left(observer)).length, 2);
  await stage.connect();
  await isGone();
});
