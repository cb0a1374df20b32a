import assert from 'node:assert/strict';
import {test} from 'node:test';

// Long times pass when a test says so; the hub takes the clock as it is when its module is loaded.
// There are no Web Locks, by which it would hear of the end of a tab.
const {setTimeout, clearTimeout, performance} = globalThis;
const now = performance.now.bind(performance);
const later = [];
let skipped = 0;
Object.defineProperty(performance, 'now', {value: () => now() + skipped});
globalThis.setTimeout = (act, delay, ...rest) => {
  if (!(delay >= 5000)) return setTimeout(act, delay, ...rest);
  const timer = {act: () => act(...rest), at: performance.now() + delay, unref() {}};
  later.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  if (later.includes(timer)) later.splice(later.indexOf(timer), 1);
  else clearTimeout(timer);
};
Object.defineProperty(globalThis, 'navigator', {value: undefined, configurable: true});
const {call, newBackend, openStored, storeEventsOf, turns, unreachable} = await import(
  './support.mjs'
);

/** So many milliseconds pass. */
async function skip(span) {
  skipped += span;
  const isDue = ({at}) => at <= performance.now();
  for (const timer of later.filter(isDue)) {
    globalThis.clearTimeout(timer);
    timer.act();
  }
  await turns(20);
}

/** A tab of a hub whose store has one document, and room for little more. */
async function openWithLittleRoom(identity) {
  const first = openStored(newBackend(), identity);
  const doc = first.get('notes', 'one');
  await call(doc, 'subscribe');
  await call(doc, 'create', {n: 1});
  first.close();
  const tab = openStored(unreachable, identity, {maxBytes: 5000});
  tab.get('notes', 'two').create({n: 0});
  return {tab, events: storeEventsOf(tab)};
}

/** Writes to the store that often. */
async function write(tab, transactions) {
  const doc = tab.get('notes', 'two');
  for (let i = 0; i < transactions; i++) {
    doc.submitOp([{p: ['n'], na: 1}]);
    await call(tab, 'flushWrites');
  }
  await turns(20);
}

const DROPPED = [['evicted', [{collection: 'notes', id: 'one'}]]];

test('documents beyond `maxBytes` are looked for again after a thousand transactions', async () => {
  const {tab, events} = await openWithLittleRoom('transactions');
  await write(tab, 900);
  assert.deepEqual(events, []);
  await write(tab, 100);
  assert.deepEqual(events, DROPPED);
});

test('without Web Locks, a tab of an earlier hub that does not come back is given up after a minute', async () => {
  const {tab, events} = await openWithLittleRoom('expected');
  const doc = tab.get('notes', 'one');
  await call(doc, 'fetch');
  await call(doc, 'destroy');
  await skip(59_000);
  await write(tab, 1000);
  assert.deepEqual(events, []);
  await skip(1000);
  // Only timers for long are skipped: the hub looks at the clock as something happens.
  await write(tab, 1);
  // The hub keeps for a while what no tab wants any more.
  await skip(5000);
  await write(tab, 1000);
  assert.deepEqual(events, DROPPED);
});
