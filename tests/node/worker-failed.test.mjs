// A SharedWorker whose core has failed ends itself, so that its pages start the next.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {mock, test} from 'node:test';
import {install, Locks} from './locks.mjs';

const locks = new Locks();
install(locks);
globalThis.SharedWorkerGlobalScope = {[Symbol.hasInstance]: (value) => value === globalThis};
const scope = new EventTarget();
globalThis.addEventListener = (...values) => scope.addEventListener(...values);
globalThis.self = globalThis;
const close = mock.fn();
globalThis.close = close;
mock.method(console, 'error', () => {});

const {defineHub, throwIn} = await import('./instance.mjs');
const {closing, newBackend, until} = await import('./support.mjs');

test('a worker whose hub has failed closes, and its lock is free', async () => {
  const backend = newBackend();
  const definition = defineHub({connect: () => backend.connect()});
  closing({close: () => definition.hub().close()});
  const {port1: page, port2: ofWorker} = new MessageChannel();
  scope.dispatchEvent(Object.assign(new Event('connect'), {ports: [ofWorker]}));
  const [answer] = await once(page, 'message');
  assert.equal(answer.tabmux, 'ready');
  const isHeld = async () => (await locks.query()).held.some(({name}) => name === answer.lock);
  assert.equal(await isHeld(), true);

  const {port1: tab, port2: ofHub} = new MessageChannel();
  page.postMessage({tabmux: 'port', identity: '', context: {}, port: ofHub}, [ofHub]);
  const body = {request: 1, protocol: 1, codec: 'json', tab: 'raw', identity: ''};
  const packet = {messages: [{type: 'hello', body}]};
  throwIn('connect');
  tab.postMessage(['text', JSON.stringify({session: 1, layers: [], packet})]);
  const said = new Promise((resolve) => tab.on('message', resolve));
  assert.deepEqual((await said)[0], 'close');
  await until(() => close.mock.callCount() === 1);
  while (await isHeld()) await new Promise(setImmediate);
  page.close();
  tab.close();
});
