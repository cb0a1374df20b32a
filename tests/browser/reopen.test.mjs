import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {agree, create, leaveMark, seesMark, subscribe} from './support/documents.mjs';
import {eventually} from './support/eventually.mjs';
import {openStage} from './support/stage.mjs';

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

/** Waits until the tab's connection is in this state. */
const is = (tab, state) =>
  eventually(async () => assert.equal(await tab.run(() => connection.state), state));

const tabsOf = (tab) => tab.run(() => connection.tabs.length);

for (const transport of ['message-port', 'broadcast-channel']) {
  test(`a tab over ${transport} closes and opens, while its sibling at the same worker goes on`, async (t) => {
    const stage = await openStage(t, browser);
    const tabs = [await stage.connect({transport}), await stage.connect({transport})];
    await create(tabs[0], 'notes');
    for (const tab of tabs) await subscribe(tab, 'notes');
    await leaveMark(tabs[0], 'notes', 'before');
    await seesMark(tabs[1], 'notes', 'before');

    for (const round of ['first', 'second']) {
      await tabs[0].run(() => connection.close());
      await eventually(async () => assert.equal(await tabsOf(tabs[1]), 1));
      await leaveMark(tabs[1], 'notes', `sibling, ${round} time`);
      await leaveMark(tabs[0], 'notes', `offline, ${round} time`);
      assert.equal(await tabs[0].run(() => connection.hasWritePending()), true);
      await tabs[0].run(() => connection.open());
      await is(tabs[0], 'connected');
      await seesMark(tabs[0], 'notes', `sibling, ${round} time`);
      await seesMark(tabs[1], 'notes', `offline, ${round} time`);
      await eventually(async () => assert.equal(await tabsOf(tabs[1]), 2));
    }
    await agree(stage, 'notes', tabs);
    assert.equal(stage.server.opened, 1);
  });
}

test('the last tab of a worker comes back to it', async (t) => {
  const stage = await openStage(t, browser);
  const tab = await stage.connect();
  await create(tab, 'notes');
  await subscribe(tab, 'notes');
  await tab.run(() => connection.close());
  await leaveMark(tab, 'notes', 'offline');
  const outside = await stage.plainDoc('notes');
  await tab.run(() => connection.open());
  await is(tab, 'connected');
  await eventually(async () => assert.match(JSON.stringify(outside.data), /offline/));
  await agree(stage, 'notes', [tab]);
  assert.equal(await tab.run(() => connection.topology), 'shared-worker');
});
