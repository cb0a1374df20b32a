import assert from 'node:assert/strict';
import {test} from 'node:test';
import {call, newBackend, until} from './support.mjs';
import {makeDoc, Upstream} from './upstream.mjs';

test('documents that are given up while a query finds them are there as it found them, and live', async () => {
  const backend = newBackend();
  const others = [await makeDoc(backend, 'a', []), await makeDoc(backend, 'b', [])];
  const hub = new Upstream(backend);
  for (const id of ['a', 'b']) hub.adapter.fetch('notes', id);
  await hub.told('fetched', 2);
  for (const other of others) await call(other, 'submitOp', [{p: [0], li: 'news'}]);

  // The query finds newer states than the hub's, which are fetched before it is ready.
  let wanted = ['a', 'b'];
  backend.use('reply', ({agent, request}, next) => {
    if (agent.clientId === hub.connection.id && request.a === 'f') {
      for (const id of wanted) hub.adapter.destroy('notes', id);
      wanted = [];
    }
    next();
  });
  hub.adapter.query(1, {collection: 'notes', query: {}, subscribe: true});
  await hub.told('queryReady');
  for (const id of ['a', 'b']) assert.deepEqual(hub.state(id).data, ['news'], id);
  for (const other of others) await call(other, 'submitOp', [{p: [1], li: 'more'}]);
  await until(
    () => ['a', 'b'].every((id) => hub.state(id).version === 3),
    () => JSON.stringify(['a', 'b'].map((id) => hub.state(id))),
  );
});
