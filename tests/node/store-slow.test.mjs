// Stores that take longer than a request may, and what a tab asks for meanwhile.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {createConnection} from '../../pkg/index.js';
import {call, closing, newBackend, openStored, storeEventsOf, TRANSPORTS} from './support.mjs';

/** Longer than a request of an impatient tab may take. */
const LONG_MS = 1500;

const IMPATIENT = [{layer: 'timeouts', after: LONG_MS / 2}, 'batching'];

function openImpatient(identity, encryption) {
  const options = {transport: 'message-port', identity, store: {encryption}, middleware: IMPATIENT};
  return closing(createConnection(newBackend(), options));
}

test('a tab waits for a hub whose store is not open for longer than its requests may take', async () => {
  let hasKey = false;
  const tab = openImpatient('late key', async () => {
    await pause(LONG_MS);
    hasKey = true;
    return crypto.subtle.generateKey({name: 'AES-GCM', length: 256}, false, ['encrypt', 'decrypt']);
  });
  await call(tab.get('notes', 'one'), 'subscribe');
  assert.equal(hasKey, true);
  assert.equal(tab.state, 'connected');
});

test('an export takes as long as the store does', async () => {
  let isSlow = false;
  const tab = openImpatient('slow export', {
    encrypt: async (bytes) => bytes,
    decrypt: async (bytes) => {
      if (isSlow) await pause(LONG_MS);
      return bytes;
    },
  });
  for (const id of ['one', 'two']) await call(tab.get('notes', id), 'create', {id});
  await call(tab, 'flushWrites');
  isSlow = true;
  assert.equal((await tab.store.export()).documents.length, 2);
});

for (const transport of TRANSPORTS) {
  test(`over ${transport} a store can be cleared while a document is read`, async () => {
    const identity = `cleared over ${transport}`;
    const tab = openStored(newBackend(), identity, true, transport);
    const events = storeEventsOf(tab);
    await call(tab.get('notes', 'one'), 'subscribe');
    const cleared = tab.store.clear();
    await call(tab.get('notes', 'two'), 'subscribe');
    await cleared;
    assert.equal(tab.state, 'connected');
    assert.deepEqual(
      events.map(([name]) => name),
      ['cleared'],
    );
  });
}
