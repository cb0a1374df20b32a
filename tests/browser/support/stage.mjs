import {fileURLToPath} from 'node:url';
import ShareDB from 'sharedb/lib/client/index.js';
import {WebSocket} from 'ws';
import {bundle} from '../../../examples/demo/bundle.mjs';
import {startServer} from '../../../examples/demo/server.mjs';

/** A script of this folder, bundled. */
export const script = (name) => bundle(fileURLToPath(new URL(name, import.meta.url)));

/** A page that runs a script. */
export const html = (path) =>
  `<!doctype html><title>page</title><script type="module" src="${path}"></script>`;

let scripts;

/**
 * What one test needs: a server of its own, and so an origin of its own, and tabs there. Ends with
 * the test.
 *
 * @param {object} t the test's context
 * @param {object} browser what `launch` gave
 * @param {Record<string, string>} [files] what the server serves beside: text by path
 * @param {ShareDB} [backend] the ShareDB server, if not one without options
 */
export async function openStage(t, browser, files = {}, backend) {
  scripts ??= {
    '/page.html': html('/test/page.js'),
    '/test/page.js': await script('page.mjs'),
    '/test/hub.js': await script('hub.mjs'),
  };
  const server = await startServer({files: {...scripts, ...files}, backend});
  const tabs = new Set();
  const clients = [];
  t.after(async () => {
    for (const tab of tabs) await tab.close();
    for (const client of clients) client.close();
    await server.close();
  });
  const socketUrl = `ws://127.0.0.1:${server.port}/sharedb`;

  return {
    server,
    socketUrl,
    /** Opens a page in a tab; by default the one with the tests' functions. */
    async open(path = '/page.html') {
      const tab = await browser.open(server.url + path);
      tabs.add(tab);
      return tab;
    },
    /** Opens a page in a tab and connects it, by default to the hub in a SharedWorker. */
    async connect(options = {}, path) {
      const tab = await this.open(path);
      const hub = {worker: '/test/hub.js', local: true};
      await tab.run((options) => connect(options), {url: socketUrl, hub, ...options});
      return tab;
    },
    async close(tab) {
      tabs.delete(tab);
      await tab.close();
    },
    /** Ends a tab with its process; in WebKit, where no process can be told, as a user would. */
    async kill(tab) {
      tabs.delete(tab);
      await (tab.kill ?? tab.close).call(tab);
    },
    /** A document of a plain ShareDB client in this process, subscribed. */
    async plainDoc(id) {
      const connection = new ShareDB.Connection(new WebSocket(socketUrl));
      clients.push(connection);
      const doc = connection.get('test', id);
      await new Promise((resolve, reject) => {
        doc.subscribe((error) => (error ? reject(error) : resolve()));
      });
      return doc;
    },
  };
}
