import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import Backend from 'sharedb';
import {createConnection} from '../../pkg/page.js';

const called = (doc, method, ...args) =>
  new Promise((resolve, reject) => {
    doc[method](...args, (error) => (error ? reject(error) : resolve()));
  });

for (const transport of ['direct', 'message-port', 'broadcast-channel']) {
  test(`what a page loads hosts a hub over a backend: ${transport}`, async (t) => {
    const backend = new Backend();
    const options = {transport, name: `page ${transport}`};
    const [ann, bob] = [createConnection(backend, options), createConnection(backend, options)];
    t.after(() => {
      for (const connection of [ann, bob]) connection.close();
    });
    const [anns, bobs] = [ann.get('notes', 'one'), bob.get('notes', 'one')];
    const created = called(anns, 'create', {count: 1});
    assert.deepEqual(anns.data, {count: 1});
    await created;
    await called(bobs, 'subscribe');
    const heard = once(bobs, 'op');
    await called(anns, 'submitOp', [{p: ['count'], na: 2}]);
    await heard;
    assert.deepEqual(bobs.data, {count: 3});
    assert.equal(ann.tabs.length, 2);
  });
}

test('what does not fit a hub of the page is told by an error, once the hub is loaded', async (t) => {
  const first = createConnection(new Backend(), {transport: 'direct', name: 'taken'});
  t.after(() => first.close());
  await once(first, 'connected');
  const second = createConnection(new Backend(), {transport: 'direct', name: 'taken'});
  const [error] = await once(second, 'error');
  assert.equal(error.code, 'ERR_TABMUX_OPTION_INVALID');
  assert.equal(second.state, 'stopped');
});

test('a connection that is closed before its hub is loaded never joins it', async () => {
  let asked = 0;
  const backend = {connect: () => (asked += 1)};
  createConnection(backend, {transport: 'direct'}).close();
  await import('../../pkg/page.js');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(asked, 0);
});
