import assert from 'node:assert/strict';
import {test} from 'node:test';
import {call, newBackend, until} from './support.mjs';
import {json0, makeDoc, Upstream} from './upstream.mjs';

/** What the hub does with a document that no tab has wanted for a while. */
function giveUp({adapter}, {subscribed}) {
  if (subscribed) adapter.unsubscribe('notes', 'a');
  adapter.destroy('notes', 'a');
}

function nothingPending({connection}) {
  return new Promise((resolve) => connection.get('notes', 'a').whenNothingPending(resolve));
}

async function hears(hub, other) {
  const before = hub.named('op').length;
  await call(other, 'submitOp', [{p: [0], li: 'news'}]);
  await hub.told('op', before + 1);
  assert.deepEqual(hub.state('a').data[0], 'news');
}

test('a document that is subscribed again before its unsubscription is answered stays subscribed', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  giveUp(hub, {subscribed: true});
  await hub.subscribe('a');
  await nothingPending(hub);
  await hears(hub, other);
});

test('a document that is given up while it waits offline for a fetch stays subscribed to who takes it again', async () => {
  const backend = newBackend();
  const other = await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.online();
  await hub.drop();
  hub.adapter.fetch('notes', 'a');
  giveUp(hub, {subscribed: false});
  const subscribed = hub.subscribe('a');
  await hub.reconnect();
  await subscribed;
  await nothingPending(hub);
  await hears(hub, other);
});

test('a document that is given up and not taken again is forgotten, and not subscribed any more', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  giveUp(hub, {subscribed: true});
  await until(() => hub.connection.getExisting('notes', 'a') === undefined);
  assert.equal(backend.pubsub.streamsCount, 0);
});

test('a subscription that was ended offline is not made again', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', []);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  await hub.drop();
  hub.adapter.unsubscribe('notes', 'a');
  await nothingPending(hub);
  await hub.reconnect();
  await nothingPending(hub);
  assert.equal(backend.pubsub.streamsCount, 0);
  giveUp(hub, {subscribed: false});
  await until(() => hub.connection.getExisting('notes', 'a') === undefined);
  assert.equal(backend.pubsub.streamsCount, 0);
});

test('a document that is given up and taken again at once keeps its state, and tells its head', async () => {
  const backend = newBackend();
  await makeDoc(backend, 'a', ['x']);
  const hub = new Upstream(backend);
  await hub.subscribe('a');
  giveUp(hub, {subscribed: true});
  const head = {version: 1, type: json0};
  const older = {version: 0, type: json0, data: []};
  assert.deepEqual(hub.adapter.restore('notes', 'a', older, [], []), head);
  assert.deepEqual(hub.state('a').data, ['x']);
  assert.deepEqual((await hub.told('moved')).head, head);
});
