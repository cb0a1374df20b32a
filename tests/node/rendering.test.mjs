// A page that is rendered on a server: what it does with tabmux must do nothing there.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {inProject} from '../project.mjs';

const program = `
  const {Module} = WebAssembly;
  let compiled = 0;
  WebAssembly.Module = class extends Module {
    constructor(bytes) {
      super(bytes);
      compiled += 1;
    }
  };
  LOAD
  function render() {
    const url = process.argv[2];
    const local = () => Promise.reject(new Error('loaded on a server'));
    return [{url}, {url, store: true}, {url, hub: {worker: () => new SharedWorker('/hub.js'), local}}].map(
      (options) => {
        const connection = createConnection(options);
        const doc = connection.get('notes', 'shopping');
        const called = [];
        doc.subscribe(() => called.push('subscribe'));
        doc.fetch(() => called.push('fetch'));
        connection.createSubscribeQuery('notes', {}, null, () => called.push('query'));
        connection.getDocPresence('notes', 'shopping').subscribe();
        return {connection, doc, called};
      },
    );
  }
  const pages = render();
  setTimeout(() => {
    const seen = pages.map(({connection: {state, topology}, doc, called}) => [state, topology, doc.data, called]);
    for (const {connection} of pages) connection.close();
    console.log(JSON.stringify({compiled, seen}));
  }, 200);`;

for (const [kind, file, load] of [
  ['an ES module', 'page.mjs', "const {createConnection} = await import('tabmux');"],
  ['a CommonJS module', 'page.cjs', "const {createConnection} = require('tabmux');"],
]) {
  test(`rendered on a server by ${kind}, a page opens no socket, and its documents are empty`, async (t) => {
    let opened = 0;
    const server = createServer((socket) => {
      opened += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${server.address().port}/`;
    await inProject({[file]: program.replace('LOAD', load)}, async (project) => {
      // It ends by itself.
      const run = promisify(execFile)('node', [file, url], {cwd: project, timeout: 30_000});
      const {stdout, stderr} = await run;
      assert.equal(stderr, '');
      const {compiled, seen} = JSON.parse(stdout);
      assert.equal(compiled, 0);
      assert.deepEqual(seen, Array(3).fill(['connecting', null, null, []]));
    });
    assert.equal(opened, 0);
  });
}
