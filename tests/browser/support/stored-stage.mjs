import assert from 'node:assert/strict';
import {eventually} from './eventually.mjs';
import {html, openStage, script} from './stage.mjs';

let files;

/** A stage whose tabs share a hub with a store, and whose server can be down. */
export async function openStoredStage(t, browser) {
  files ??= {
    '/stored.html': html('/test/store-page.js'),
    '/test/store-page.js': await script('store-page.mjs'),
    '/test/store-hub.js': await script('store-hub.mjs'),
    '/quick-start.html': html('/tabmux/quick-start.js'),
    '/tabmux/quick-start.js': await script('quick-start.mjs'),
    '/empty.html': '<!doctype html><title>empty</title>',
  };
  const stage = await openStage(t, browser, files);
  const tabs = new Set();
  return {
    ...stage,
    async open(path) {
      const tab = await stage.open(path);
      tabs.add(tab);
      return tab;
    },
    /** A tab of the hub that `query` describes, over all of its options. */
    async connect(options = {}) {
      const tab = await this.open('/stored.html');
      await tab.run((options) => connectStored(options), {url: stage.socketUrl, ...options});
      return tab;
    },
    async close(tab) {
      tabs.delete(tab);
      await stage.close(tab);
    },
    /** Cuts the server off, and waits until the tabs know. */
    async goOffline() {
      stage.server.cut();
      for (const tab of tabs) {
        await eventually(async () =>
          assert.notEqual(await tab.run(() => connection.state), 'connected'),
        );
      }
    },
    /** Closes all tabs, and waits until every hub has ended with them. */
    async closeAll() {
      const observer = await stage.open('/empty.html');
      for (const tab of tabs) await this.close(tab);
      await hubsEnded(observer);
      await stage.close(observer);
    },
    /** As `closeAll`, and starts the browser anew where the engine can keep its profile. */
    async restart(meanwhile) {
      await this.closeAll();
      await browser.restart?.(meanwhile);
    },
  };
}

/** Waits until no hub of this origin lives: no worker's, and none of a page that has a store. */
export const hubsEnded = (observer) =>
  eventually(async () => {
    const held = await observer.run(async () => (await navigator.locks.query()).held);
    assert.deepEqual(
      held.filter(({name}) => /^tabmux:(hub|store):/.test(name)),
      [],
    );
  });
