// A tab's classes can stand where ShareDB's are asked for.

import type Backend from 'sharedb';
import type {Connection, Doc, LocalPresence, Presence, Query} from 'sharedb/lib/client/index.js';
import {
  createConnection,
  type ProxyConnection,
  type ProxyDoc,
  type ProxyPresence,
  type ProxyQuery,
} from 'tabmux';
import {defineHub, type HubDefinition} from 'tabmux/hub';

interface Note {
  title: string;
  words: number;
}

interface Cursor {
  index: number;
}

const tab: ProxyConnection = createConnection({url: 'wss://example.com'});

// What an application that was written for ShareDB asks for.
export const connection: Connection = tab;
export const doc: Doc<Note> = tab.get('notes', 'one');
export const query: Query<Note> = tab.createSubscribeQuery<Note>('notes', {});
export const fetched: Query<Note> = tab.createFetchQuery<Note>('notes', {}, {results: []});
export const presence: Presence<Cursor> = tab.getPresence('channel');
export const docPresence: Presence<Cursor> = tab.getDocPresence('notes', 'one');
export const local: LocalPresence<Cursor> = presence.create('me');

// Not only for `any`: each class for data of a type of its own.
export function typed(
  proxyDoc: ProxyDoc<Note>,
  proxyQuery: ProxyQuery<Note>,
  proxyPresence: ProxyPresence<Cursor>,
): [Doc<Note>, Query<Note>, Doc<Note>[], Presence<Cursor>, LocalPresence<Cursor>] {
  // @ts-expect-error: the data of another type
  const other: Doc<Cursor> = proxyDoc;
  // @ts-expect-error: the results of another type
  const others: Query<Cursor> = proxyQuery;
  return [
    other && proxyDoc,
    others && proxyQuery,
    proxyQuery.results,
    proxyPresence,
    proxyPresence.create(),
  ];
}

// Back to the connection, and to the presence: the whole of it.
export const ofDoc: ProxyConnection = tab.get('notes', 'one').connection;
export const ofQuery: ProxyConnection = tab.createFetchQuery('notes', {}).connection;
export const ofLocal: ProxyPresence<Cursor> = tab.getPresence('channel').create().presence;
// @ts-expect-error: no member of a connection
ofDoc.get('notes', 'one').connection.gett();

// What is tabmux's own.
tab.on('topology', ({topology, reason}) => console.log(topology, reason));
tab.on('tabs', (tabs) => console.log(tabs.filter(({self}) => !self).length));
tab.on('store:error', (error) => console.error(error.code));
tab.on('store:quota', ({usage, quota}) => console.log(usage ?? 0, quota ?? 0));
tab.on('store:evicted', (docs) => console.log(docs.map(({collection, id}) => collection + id)));
tab.on('store:lost', ({collection, id, ops, error}) =>
  console.log(collection, id, ops[0]?.create?.type, ops[0]?.source, error.message),
);
tab.once('store:cleared', () => location.reload());
tab.on('error', (error) => console.error(error.code === 'ERR_TABMUX_HUB_LOST'));

export async function kept(): Promise<string[]> {
  const {documents, bytes, usage, quota, persisted} = await tab.store.usage();
  console.log(documents + bytes, usage ?? 0, quota ?? 0, persisted === true);
  await tab.store.pin('notes', 'one');
  await tab.store.pin('notes', 'one', false);
  const granted: boolean = await tab.store.persist();
  const {identity, documents: exported} = await tab.store.export();
  console.log(granted, identity, exported[0]?.version, exported[0]?.pending[0]?.op);
  await tab.store.clear({force: true});
  const inventory = await tab.store.inventory();
  return inventory.filter(({pinned, pending}) => pinned && !pending).map(({id}) => id);
}
createConnection({url: 'wss://example.com', store: true});
export const hub = (key: CryptoKey, connect: () => Connection): HubDefinition[] => [
  defineHub({connect, store: true}),
  defineHub({
    connect,
    store: {
      kind: 'indexeddb',
      name: 'app',
      durability: 'strict',
      collections: ['notes'],
      keep: (collection, id) => collection.length < id.length,
      maxAge: 1000,
      maxBytes: 1000,
      encryption: async ({identity, auth, url}) => (identity && auth && url ? key : key),
    },
  }),
  defineHub({connect, store: {encryption: key}}),
  defineHub({
    connect,
    store: {
      encryption: {encrypt: async (bytes) => bytes, decrypt: async (bytes, _context) => bytes},
    },
  }),
];
export const ofBackend: ProxyConnection = createConnection({} as Backend, {store: true});

// What does not compile.
// @ts-expect-error: an unknown option of the store
defineHub({connect: () => tab, store: {nam: 'app'}});
// @ts-expect-error: no id
tab.store.pin('notes');
// @ts-expect-error: an unknown event of the store
tab.on('store:full', () => {});
// @ts-expect-error: options of the default hub's store
createConnection({url: 'wss://example.com', store: {name: 'app'}});
// @ts-expect-error: an unknown option
createConnection({url: 'wss://example.com', urls: []});
// @ts-expect-error: an option's value of the wrong type
createConnection({url: 5});
// @ts-expect-error: an unknown codec
createConnection({url: 'wss://example.com', codec: 'xml'});
// @ts-expect-error: an unknown layer
createConnection({url: 'wss://example.com', middleware: ['magic']});
// @ts-expect-error: an option of another layer
createConnection({url: 'wss://example.com', middleware: [{layer: 'batching', after: 5}]});
// @ts-expect-error: nothing to connect to
createConnection();
// @ts-expect-error: no op
tab.get('notes', 'one').submitOp();
// @ts-expect-error: no id
tab.get('notes');
// @ts-expect-error: no callback
tab.fetchSnapshot('notes', 'one');
// @ts-expect-error: an unknown event
tab.get('notes', 'one').on('ops', () => {});
// @ts-expect-error: a listener of another event
tab.on('tabs', (state: string) => console.log(state));
// @ts-expect-error: the name is for reading
tab.get('notes', 'one').id = 'two';
export const own: ProxyDoc<Note> = tab.get('notes', 'one');
// @ts-expect-error: data of another type
own.create({title: 5});
