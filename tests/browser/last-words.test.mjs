import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {create, subscribe} from './support/documents.mjs';
import {eventually} from './support/eventually.mjs';
import {openStoredStage} from './support/stored-stage.mjs';

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

const left = (tab) =>
  tab.run(() => Object.keys(localStorage).filter((key) => key.startsWith('tabmux:last-words:')));

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
