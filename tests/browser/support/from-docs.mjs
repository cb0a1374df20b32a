import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {build} from 'esbuild';
import {packageFolder} from '../../../examples/demo/bundle.mjs';
import {root} from '../../project.mjs';
import {eventually} from './eventually.mjs';
import {html} from './stage.mjs';

/**
 * Bundles code of a page as its readers do, for a browser. A hub's module that it names stays a file of its
 * own.
 */
export async function bundleCode(code) {
  const {outputFiles} = await build({
    stdin: {contents: code, resolveDir: root},
    bundle: true,
    format: 'esm',
    external: ['./hub.js'],
    write: false,
    logLevel: 'error',
    alias: {tabmux: `${packageFolder}page.js`, 'tabmux/hub': `${packageFolder}hub.js`},
  });
  return outputFiles[0].text;
}

/** A page that runs a script, and asks for no icon. */
export const pageOf = (path) => `${html(path)}<link rel="icon" href="data:,">`;

/**
 * Runs the server of a page in a process of its own, on a port that is free, until the test ends.
 *
 * @param {object} t the test's context
 * @param {string} code which listens on port 8080, and has its WebSockets in `sockets`
 */
export async function startServerOf(t, code) {
  const toldApart = `${code.replace('port: 8080', 'port: 0')}
    const tell = () => process.send({port: sockets.address().port, clients: sockets.clients.size});
    sockets.once('listening', tell);
    process.on('message', tell);`;
  const server = spawn(process.execPath, ['--input-type=module', '--eval', toldApart], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.after(() => server.kill());
  const [{port}] = await once(server, 'message');
  return {
    address: `ws://localhost:${port}`,
    /** How many WebSockets are open. */
    async clients() {
      server.send('how many?');
      const [{clients}] = await once(server, 'message');
      return clients;
    },
  };
}

/** Opens a page in two tabs, each of which is connected to the one hub then, as `connection`. */
export async function openConnected(stage, path) {
  const tabs = [await stage.open(path), await stage.open(path)];
  for (const tab of tabs) {
    await eventually(async () => assert.equal(await tab.run(() => connection.state), 'connected'));
    assert.equal(await tab.run(() => connection.topology), 'shared-worker');
  }
  return tabs;
}

/**
 * That what the first tab does to a new document arrives in the second; that the server has one client, and
 * nothing went wrong.
 */
export async function assertShared(server, [first, second], {data, op, type}) {
  const open = () =>
    new Promise((resolve, reject) => {
      window.shared = connection.get('tests', 'shared');
      shared.subscribe((error) => (error ? reject(error) : resolve()));
    });
  for (const tab of [first, second]) await tab.run(open);
  await first.run((data, type) => shared.create(data, type), data, type);
  await first.run((op) => shared.submitOp(op), op);
  const read = (tab) => tab.run(() => JSON.stringify(shared.data));
  await eventually(async () => assert.match(await read(second), /milk/));
  assert.equal(await read(second), await read(first));
  assert.equal(await server.clients(), 1);
  for (const {errors} of [first, second]) assert.deepEqual(errors ?? [], []);
}

/** A document of each type that the pages speak of, and an edit that brings milk. */
export const SHARED = {
  json0: {data: {items: []}, op: [{p: ['items', 0], li: 'milk'}]},
  json1: {
    data: {items: []},
    op: ['items', 0, {i: 'milk'}],
    type: 'http://sharejs.org/types/JSONv1',
  },
  'rich-text': {data: [{insert: '\n'}], op: {ops: [{insert: 'milk'}]}, type: 'rich-text'},
};

/** What a server needs to know of the types of {@link SHARED}. */
export const REGISTER_TYPES = `
  import json1 from 'ot-json1';
  import richText from 'rich-text';
  for (const {type} of [json1, richText]) ShareDB.types.register(type);`;
