// What the tests of the store call in a page, as members of `window`.
import {Connection} from 'sharedb/lib/client/index.js';
import {createConnection} from 'tabmux';
import {turn} from './edits.mjs';
import './page.mjs';

const storeEvents = ['error', 'quota', 'evicted', 'lost', 'cleared'];

function hearStore() {
  window.stored = [];
  for (const name of storeEvents) {
    connection.on(`store:${name}`, (detail) => stored.push({name, ...detail, code: detail?.code}));
  }
}

/**
 * Connects to the hub with a store that the query describes, and notes in `stored` what the
 * connection tells of the store, in `faults` what hubs of this origin do of themselves.
 */
window.connectStored = ({query = '', ...options}) => {
  connect({hub: {worker: `/test/store-hub.js?${query}`}, ...options});
  hearStore();
  window.faults = [];
  new BroadcastChannel('hubs').onmessage = ({data}) => faults.push(data);
};

const unreachable = {
  connect: () => new Connection({readyState: 3, send() {}, close() {}}),
};

/** Connects to a hub of this page, which has a store and no server. As `connectStored`. */
window.connectHere = () => {
  window.connection = createConnection(unreachable, {name: 'here', identity: 'here', store: true});
  hearStore();
};

/** Waits until the hub's store has every op of this tab. */
window.written = () => done((callback) => connection.flushWrites(callback));

/** Lets the disk of the hubs of this origin be full, or not. */
window.fillDisk = (isFull) =>
  new Promise((resolve) => {
    const channel = new BroadcastChannel('disk');
    channel.onmessage = () => {
      channel.close();
      resolve();
    };
    channel.postMessage(isFull);
  });

/**
 * Puts marks into the list of a document, some of them in a turn. Not all may be composed, and the
 * hub can follow, as it can those who type.
 */
window.markMany = async (id, name, count) => {
  for (let at = 0; at < count; at++) {
    doc(id).preventCompose = at % 100 === 0;
    doc(id).submitOp([{p: ['list', 0], li: `${name} ${at}`}]);
    if (at % 10 === 0) await turn();
    if (at % 100 === 0) await written();
  }
  doc(id).preventCompose = false;
};

/** Edits, and says so on a channel once `submitOp` has returned: a page may be ended in mid-edit. */
window.markAndTell = (id, li) => {
  const channel = new BroadcastChannel('marks');
  doc(id).submitOp([{p: ['list', 0], li}]);
  channel.postMessage(li);
};

/** Notes what pages of this origin edit with `markAndTell`. */
window.hearMarks = () => {
  window.marks = [];
  new BroadcastChannel('marks').onmessage = ({data}) => marks.push(data);
};

const databaseOf = (identity, name) => `tabmux ${JSON.stringify([identity, name])}`;

const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Deletes the hub's database under its feet. */
window.deleteStore = (identity, name) =>
  result(indexedDB.deleteDatabase(databaseOf(identity, name))).then(() => {});

/** Brings the hub's database to a newer schema under its feet, as newer code does. */
window.upgradeStore = async (identity, name) => {
  const database = databaseOf(identity, name);
  const known = (await indexedDB.databases()).find((it) => it.name === database);
  (await result(indexedDB.open(database, known.version + 1))).close();
};

/** Changes a byte in each record of a document, while no hub runs; returns how many there are. */
window.spoil = async (id) => {
  const database = await result(indexedDB.open(databaseOf('', '')));
  const log = database.transaction('log', 'readwrite').objectStore('log');
  const keys = await result(log.getAllKeys(IDBKeyRange.bound(['test', id], ['test', id, []])));
  for (const key of keys) {
    const bytes = await result(log.get(key));
    bytes[bytes.length >> 1] ^= 1;
    await result(log.put(bytes, key));
  }
  database.close();
  return keys.length;
};
