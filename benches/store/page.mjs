/**
 * What is measured, in one page. The stores take turns, so that what slows the machine for a while
 * slows both; within a turn, so do the sizes. The first turn does not count.
 */
import {peerClient, tabmuxClient} from './clients.mjs';
import * as sharesync from './sharesync.mjs';
import {statistics} from './statistics.mjs';
import * as tabmux from './tabmux.mjs';

const STORES = {tabmux, sharesync};
const CLIENTS = {tabmux: tabmuxClient, sharesync: peerClient};
const SIZES = {'1 KB': 1 << 10, '100 KB': 100 << 10, '1 MB': 1 << 20};
const MANY = 10_000;
const FILL_AT_ONCE = 1000;
/**
 * How many rounds one store has before it is the other's turn, and how many turns each has. tabmux
 * writes the whole document now and then: several of that must be among its ops.
 */
const ROUNDS = {tabmux: 100, sharesync: 30};
const TURNS = 11;
const OPENINGS = 15;

async function timed(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** An object with the same keys, each value made of a store's module. */
async function forEachStore(make) {
  const made = {};
  for (const [name, store] of Object.entries(STORES)) made[name] = await make(store, name);
  return made;
}

async function inTurns(round) {
  for (let turn = 0; turn < TURNS; turn++) {
    for (const name of Object.keys(STORES)) {
      for (let n = 0; n < ROUNDS[name]; n++) await round(name, turn > 0);
    }
  }
}

/** The time of one durable op on a document of each size, interleaved. `openOne` opens what does it. */
async function opsBySize(openOne) {
  const open = await forEachStore(async (_, name) => {
    const store = await openOne(name);
    for (const [id, bytes] of Object.entries(SIZES)) await store.fill([id], bytes);
    return store;
  });
  const times = await forEachStore(() =>
    Object.fromEntries(Object.keys(SIZES).map((id) => [id, []])),
  );
  await inTurns(async (name, counts) => {
    for (const id of Object.keys(SIZES)) {
      const time = await timed(await open[name].op(id));
      if (counts) times[name][id].push(time);
    }
  });
  return forEachStore((_, name) => {
    open[name].close();
    const bySize = Object.entries(times[name]).map(([id, times]) => [id, statistics(times)]);
    return Object.fromEntries(bySize);
  });
}

/** The times of what depends on how many documents there are. */
async function amongMany() {
  const ids = Array.from({length: MANY}, (_, n) => `document ${n}`);
  const times = await forEachStore(() => ({opening: [], inventory: [], op: []}));
  const open = await forEachStore(async ({open}) => {
    const store = await open('many');
    for (let at = 0; at < MANY; at += FILL_AT_ONCE) {
      await store.fill(ids.slice(at, at + FILL_AT_ONCE), SIZES['1 KB']);
    }
    return store;
  });
  await inTurns(async (name, counts) => {
    const time = await timed(open[name].op(ids[0]));
    if (counts) times[name].op.push(time);
  });
  for (let round = 0; round < OPENINGS; round++) {
    for (const name of Object.keys(STORES)) {
      open[name].close();
      const opening = async () => {
        open[name] = await STORES[name].open('many');
      };
      times[name].opening.push(await timed(opening));
      const inventory = async () => {
        const count = await open[name].count();
        if (count !== MANY) throw new Error(`${name} has ${count} documents of ${MANY}`);
      };
      times[name].inventory.push(await timed(inventory));
    }
  }
  return forEachStore((_, name) => {
    open[name].close();
    const byWhat = Object.entries(times[name]).map(([what, times]) => [what, statistics(times)]);
    return Object.fromEntries(byWhat);
  });
}

/**
 * The times from nothing until a new hub has given a tab the one document it asks for, by how many
 * there are in its store.
 */
async function hubStarts(server) {
  const counts = ['1', `${MANY}`];
  for (const count of counts) {
    const tab = tabmuxClient(server, count);
    await tab.fill([count], SIZES['1 KB']);
    tab.close();
    const store = await tabmux.open(JSON.stringify([count, '']));
    for (let at = 1; at < count; at += FILL_AT_ONCE) {
      const length = Math.min(FILL_AT_ONCE, count - at);
      const ids = Array.from({length}, (_, n) => `document ${at + n}`);
      await store.fill(ids, SIZES['1 KB']);
    }
    store.close();
  }
  const times = Object.fromEntries(counts.map((count) => [count, []]));
  for (let round = 0; round < OPENINGS; round++) {
    for (const count of counts) {
      let tab;
      const start = () => {
        tab = tabmuxClient(server, count);
        return tab.load(count);
      };
      times[count].push(await timed(start));
      tab.close();
    }
  }
  return Object.fromEntries(counts.map((count) => [count, statistics(times[count])]));
}

/** `server` is the address of a ShareDB server. */
globalThis.measure = async (server) => ({
  opBySize: await opsBySize((name) => STORES[name].open('sizes')),
  opFromTab: await opsBySize((name) => CLIENTS[name](server)),
  among10000: await amongMany(),
  hubStart: await hubStarts(server),
});
