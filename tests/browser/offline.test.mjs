import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {create, subscribe} from './support/documents.mjs';
import {eventually} from './support/eventually.mjs';
import {committedOnce, hold, mark} from './support/list-marks.mjs';
import {hubsEnded, openStoredStage} from './support/stored-stage.mjs';
import {left} from './support/unload-journal.mjs';

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

/** Two tabs that have subscribed to a document, which the server has. */
async function openTwoTabs(stage, options) {
  const tabs = [await stage.connect(options), await stage.connect(options)];
  await create(tabs[0], 'notes');
  for (const tab of tabs) await subscribe(tab, 'notes');
  return tabs;
}

const pending = async (tab) => {
  const inventory = await tab.run(() => connection.store.inventory());
  return inventory.filter(({pending}) => pending).map(({id}) => id);
};

test('what tabs do without the server outlives tabs, hub and browser, and is committed once', async (t) => {
  const stage = await openStoredStage(t, browser);
  const [ann, bob] = await openTwoTabs(stage);
  await create(ann, 'old');
  await subscribe(bob, 'old');
  await stage.goOffline();
  const marks = [];
  for (let round = 0; round < 5; round++) {
    marks.push(`Ann’s ${round}`, `Bob’s ${round}`);
    await Promise.all([mark(ann, 'notes', `Ann’s ${round}`), mark(bob, 'notes', `Bob’s ${round}`)]);
  }
  await ann.run(() => doc('new').create({list: []}));
  await mark(ann, 'new', 'created offline');
  await bob.run(() => doc('old').del());
  for (const tab of [ann, bob]) await tab.run(() => written());

  // In WebKit, where a driven browser keeps nothing on disk, only the hub ends with its tabs.
  await stage.restart();
  const tabs = [await stage.connect(), await stage.connect()];
  for (const tab of tabs) {
    const loaded = await tab.run(() =>
      Promise.all(
        ['notes', 'new', 'old'].map(
          (id) =>
            new Promise((resolve) => {
              doc(id).once('load', () => resolve([id, doc(id).version, doc(id).type !== null]));
              doc(id).subscribe();
            }),
        ),
      ),
    );
    assert.deepEqual(loaded, [
      ['notes', 1, true],
      ['new', null, true],
      ['old', 1, false],
    ]);
  }
  await hold(tabs, 'notes', marks);
  await hold(tabs, 'new', ['created offline']);
  assert.deepEqual((await pending(tabs[0])).sort(), ['new', 'notes', 'old']);
  for (const tab of tabs) assert.notEqual(await tab.run(() => connection.state), 'connected');
  await mark(tabs[0], 'notes', 'edited further');
  await hold(tabs, 'notes', [...marks, 'edited further']);

  stage.server.restore();
  await committedOnce(stage, 'notes', tabs, [...marks, 'edited further']);
  await committedOnce(stage, 'new', tabs, ['created offline']);
  const {log} = stage.server;
  await eventually(() => assert.equal(log.filter(({id, del}) => id === 'old' && del).length, 1));
  assert.equal(log.filter(({id, create}) => id === 'new' && create).length, 1);
  await eventually(async () => assert.deepEqual(await pending(tabs[0]), []));
  for (const tab of tabs) assert.deepEqual(await tab.run(() => stored), []);
});

for (const [topology, options, leave] of [
  [
    'shared-worker',
    {},
    async (stage) => {
      await stage.closeAll();
      return stage.open('/quick-start.html');
    },
  ],
  [
    'direct',
    {useSharedWorker: false},
    async (_, tab) => {
      await tab.reload();
      return tab;
    },
  ],
]) {
  test(`\`store: true\` is enough: what is typed offline outlives its tab, with the hub in ${topology}`, async (t) => {
    const stage = await openStoredStage(t, browser);
    const start = (tab) =>
      tab.run((...args) => quickStart(...args), stage.socketUrl, {store: true, ...options});
    let tab = await stage.open('/quick-start.html');
    await start(tab);
    assert.equal(await tab.run(() => connection.topology), topology);
    await tab.run(() => new Promise((resolve) => connection.whenNothingPending(resolve)));
    await stage.goOffline();
    const typed = [];
    for (const item of ['bread', 'butter', 'salt']) {
      typed.unshift(item);
      await tab.run((item) => {
        doc.submitOp([{p: ['items', 0], li: item}]);
        return new Promise((resolve) => connection.flushWrites(resolve));
      }, item);
      tab = await leave(stage, tab);
      await start(tab);
      assert.deepEqual(await tab.run(() => storeErrors), []);
      assert.deepEqual(await tab.run(() => doc.data.items), typed);
      assert.notEqual(await tab.run(() => connection.state), 'connected');
    }
    stage.server.restore();
    const logged = () => stage.server.log.flatMap(({op}) => op?.map(({li}) => li) ?? []);
    await eventually(() => assert.deepEqual(logged().toSorted(), typed.toSorted()));
  });
}

const waysToLeave = [
  ['is closed', (tab, mark) => tab.run((mark) => markAndTell('notes', mark), mark)],
  [
    'is being closed',
    (tab, mark) =>
      tab.run((mark) => {
        addEventListener('pagehide', () => markAndTell('notes', mark));
      }, mark),
  ],
  [
    'goes elsewhere',
    (tab, mark) =>
      tab.run((mark) => {
        markAndTell('notes', mark);
        location.assign('/empty.html');
      }, mark),
  ],
  [
    'is going elsewhere',
    (tab, mark) =>
      tab.run((mark) => {
        addEventListener('pagehide', () => markAndTell('notes', mark));
        location.assign('/empty.html');
      }, mark),
  ],
];

/** Tabs come one after the other, and each edits as it ends. Returns what they say they did. */
async function endInMidEdit(stage, afterEach) {
  const observer = await stage.open('/stored.html');
  await observer.run(() => hearMarks());
  for (let round = 0; round < 4; round++) {
    for (const [how, edit] of waysToLeave) {
      const tab = await stage.connect();
      await subscribe(tab, 'notes');
      // The page may go before it can answer.
      await edit(tab, `${how} ${round}`).catch(() => {});
      await stage.close(tab);
      await afterEach(observer);
    }
  }
  const marks = await observer.run(() => marks);
  assert(marks.length > 0);
  return marks;
}

test('F4: what a tab edits as it ends is committed, if another tab keeps the hub', async (t) => {
  const stage = await openStoredStage(t, browser);
  const [stays] = await openTwoTabs(stage);
  const marks = await endInMidEdit(stage, () => {});
  await committedOnce(stage, 'notes', [stays], marks);
  await eventually(async () => assert.deepEqual(await left(stays), []));
});

test('F4: what the only tab edits as it ends is committed, though the hub ends with it', async (t) => {
  const stage = await openStoredStage(t, browser);
  await openTwoTabs(stage);
  await stage.closeAll();
  const marks = await endInMidEdit(stage, hubsEnded);
  const tab = await stage.connect();
  await subscribe(tab, 'notes');
  await committedOnce(stage, 'notes', [tab], marks);
  await eventually(async () => assert.deepEqual(await left(tab), []));
});

test('what the only tab types offline as it ends is there without the server, and after a log-out gone', async (t) => {
  const stage = await openStoredStage(t, browser);
  await openTwoTabs(stage);
  await stage.closeAll();
  stage.server.cut();
  const marks = await endInMidEdit(stage, hubsEnded);
  const tab = await stage.connect();
  await subscribe(tab, 'notes');
  await hold([tab], 'notes', marks);
  await tab.run(async () => {
    await connection.store.clear({force: true});
    doc('notes').submitOp([{p: ['list', 0], li: 'after the log-out'}]);
    dispatchEvent(new PageTransitionEvent('pagehide'));
  });
  assert.deepEqual(await left(tab), []);
});

test('what was held back is left only if it is let go as the page ends, in whichever way', async (t) => {
  const stage = await openStoredStage(t, browser);
  const [tab] = await openTwoTabs(stage);
  const counts = await tab.run(async () => {
    const notes = doc('notes');
    const manually = () => connection.setAutoFlush(false);
    const ways = {
      flushWrites: [manually, () => connection.flushWrites()],
      putDoc: [manually, () => connection.putDoc(notes)],
      setAutoFlush: [manually, () => connection.setAutoFlush(true)],
      flush: [manually, () => notes.flush()],
      resume: [() => notes.pause(), () => notes.resume()],
    };
    const counts = {};
    for (const [way, [holdBack, letGo]] of Object.entries(ways)) {
      connection.setAutoFlush(true);
      await written();
      holdBack();
      notes.submitOp([{p: ['list', 0], li: way}]);
      counts[way] = [];
      const end = () => {
        counts[way].push(localStorage.length);
        letGo();
        counts[way].push(localStorage.length);
      };
      addEventListener('pagehide', end, {once: true});
      dispatchEvent(new PageTransitionEvent('pagehide'));
      dispatchEvent(new PageTransitionEvent('pageshow'));
    }
    return counts;
  });
  const ways = ['flushWrites', 'putDoc', 'setAutoFlush', 'flush', 'resume'];
  assert.deepEqual(counts, Object.fromEntries(ways.map((way) => [way, [0, 1]])));
});

test('with `encryption` a page leaves nothing that could be read', async (t) => {
  const stage = await openStoredStage(t, browser);
  const leftBy = async (query) => {
    const tab = await stage.connect({identity: query, query});
    await create(tab, `notes${query}`);
    return tab.run((id) => {
      doc(id).submitOp([{p: ['list', 0], li: 'a secret'}]);
      dispatchEvent(new PageTransitionEvent('pagehide'));
      const {length} = localStorage;
      dispatchEvent(new PageTransitionEvent('pageshow'));
      return [length, localStorage.length];
    }, `notes${query}`);
  };
  assert.deepEqual(await leftBy(''), [1, 0]);
  assert.deepEqual(await leftBy('password=open'), [0, 0]);
});

test('F13: 10,000 ops made without the server in two tabs reach it once', async (t) => {
  const stage = await openStoredStage(t, browser);
  const tabs = await openTwoTabs(stage);
  await stage.goOffline();
  const edits = 5000;
  const names = ['Ann’s', 'Bob’s'];
  await Promise.all(
    tabs.map((tab, at) => tab.run((...args) => markMany(...args), 'notes', names[at], edits)),
  );
  for (const tab of tabs) await tab.run(() => written());
  const marks = names.flatMap((name) => Array.from({length: edits}, (_, at) => `${name} ${at}`));
  await hold(tabs, 'notes', marks);
  assert.deepEqual(await pending(tabs[0]), ['notes']);
  stage.server.restore();
  await committedOnce(stage, 'notes', tabs, marks);
  assert(stage.server.log.length < marks.length, 'some were composed');
});

test('without the server, queries by ids are answered from the store, others with an error', async (t) => {
  const stage = await openStoredStage(t, browser);
  const [first] = await openTwoTabs(stage);
  await create(first, 'more');
  await first.run(() => written());
  await stage.closeAll();
  stage.server.cut();
  const tab = await stage.connect();
  const answers = await tab.run(async () => {
    const ask = (query) =>
      new Promise((resolve) => {
        connection.createFetchQuery('test', query, null, (error, docs) =>
          resolve(error ? error.code : docs.map(({id, data}) => [id, data.count])),
        );
      });
    const bulk = new Promise((resolve) => {
      connection.getBulk('test', ['more', 'notes'], (error, docs) =>
        resolve(error ? error.code : docs.map(({id, data}) => [id, data.count])),
      );
    });
    return [await ask({_id: {$in: ['notes', 'more']}}), await bulk, await ask({count: 0})];
  });
  assert.deepEqual(answers, [
    [
      ['notes', 0],
      ['more', 0],
    ],
    [
      ['more', 0],
      ['notes', 0],
    ],
    'ERR_TABMUX_OFFLINE',
  ]);
});
