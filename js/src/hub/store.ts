import {type OpenStore, openStore} from '../../wasm/tabmux.js';
import {type CoreError, codes, makeError, toError} from '../errors.js';
import type {ConnectContext} from './define.js';
import {
  type CipherFunctions,
  databaseName,
  isCipher,
  isKey,
  KEY,
  type StoreOptions,
} from './store-options.js';
import {isSharedWorker} from './worker-scope.js';

/** What makes sure that no other page has a store. */
interface Reservation {
  /** To be called when the hub has closed: the next one of this thread waits for `release`. */
  leave: () => void;
  /** To be called when the hub has let go of the store. */
  release: () => void;
}

/** The store of a hub that is starting. */
export interface FoundStore extends Reservation {
  store: OpenStore;
  /** What the browser says of the room for it. */
  room: () => Promise<Room>;
  /** Why it is another than was asked for. */
  failure?: Error;
}

/** Nobody else can have the store. */
const unreserved: Reservation = {leave: () => {}, release: () => {}};

/** The databases that closed hubs of this thread have not let go of: what ends when they have. */
const leaving = new Map<string, Promise<unknown>>();

/** What the browser says of the room on this device. */
export interface Room {
  usage?: number;
  quota?: number;
  persisted?: boolean;
}

/**
 * Opens the store that the options ask for. If that fails, it is left as it is, and the hub gets one
 * in memory that nobody else has.
 */
export async function findStore(
  options: StoreOptions,
  context: ConnectContext,
  floor: number,
): Promise<FoundStore> {
  const database = databaseName(context.identity, options);
  const settings = {floor, lineage: crypto.randomUUID()};
  let reservation = unreserved;
  try {
    const kind = options.kind ?? defaultKind();
    if (kind === 'indexeddb' && !isSharedWorker) reservation = await reserve(database);
    const encryption = await findKey(options.encryption, context);
    const store = await openStore({...settings, kind, name: database}, encryption);
    return {store, room: kind === 'indexeddb' ? roomOnDevice : unlimited, ...reservation};
  } catch (error) {
    reservation.release();
    const store = await openStore({...settings, kind: 'memory'}, undefined);
    return {store, room: unlimited, failure: toError(error as CoreError), ...unreserved};
  }
}

function defaultKind(): 'indexeddb' | 'memory' {
  // Where storage is forbidden even looking at it may throw; a name that is there needs no look.
  return 'indexedDB' in globalThis ? 'indexeddb' : 'memory';
}

/**
 * Makes sure that no other page has this store: there is a hub in each, and all but the last would
 * have to stop.
 */
async function reserve(database: string): Promise<Reservation> {
  const {locks} = globalThis.navigator ?? {};
  if (!locks) return unreserved;
  await leaving.get(database);
  return new Promise((resolve, reject) => {
    const free = locks.request(`tabmux:store:${database}`, {ifAvailable: true}, (lock) => {
      const leave = () =>
        leaving.set(
          database,
          free.finally(() => leaving.delete(database)),
        );
      if (lock) return new Promise<void>((release) => resolve({leave, release}));
      const message =
        'another page has the store, and this hub can not share it: without a SharedWorker only one page keeps what it does';
      throw makeError(codes.STORE_IN_USE, message);
    });
    free.catch(reject);
  });
}

async function findKey(
  encryption: StoreOptions['encryption'],
  context: ConnectContext,
): Promise<unknown> {
  if (isCipher(encryption)) return answeringLater(encryption);
  if (typeof encryption !== 'function') return encryption;
  try {
    const key = await encryption(context);
    if (!isKey(key)) throw new Error(`it returned ${String(key)}, which is not ${KEY}`);
    return key;
  } catch (error) {
    const cause = (error as Error)?.message ?? String(error);
    throw makeError(codes.STORE_KEY, `the function \`store.encryption\` failed: ${cause}`);
  }
}

/** The core waits for promises only, and for what is thrown in them. */
function answeringLater(cipher: CipherFunctions): CipherFunctions {
  return {
    encrypt: async (bytes, context) => cipher.encrypt(bytes, context),
    decrypt: async (bytes, context) => cipher.decrypt(bytes, context),
  };
}

/** Whether the options want a document kept. Throws if `keep` does not say. */
export function keeps({collections, keep}: StoreOptions, collection: string, id: string): boolean {
  if (collections && !collections.includes(collection)) return false;
  if (!keep) return true;
  const cannot = (why: string) => {
    const message = `option \`store.keep\` can't tell of ${collection}.${id}, which is not stored: ${why}`;
    return makeError(codes.OPTION_INVALID, message);
  };
  let answer: unknown;
  try {
    answer = keep(collection, id);
  } catch (error) {
    throw cannot((error as Error)?.message ?? String(error));
  }
  // A promise would count as true, whatever comes of it.
  if (typeof (answer as any)?.then === 'function') throw cannot('it must not return a promise');
  return Boolean(answer);
}

/** Memory has no quota. */
async function unlimited(): Promise<Room> {
  return {};
}

/** Nothing where the browser does not say. */
async function roomOnDevice(): Promise<Room> {
  const storage = globalThis.navigator?.storage;
  try {
    const {usage, quota} = (await storage?.estimate?.()) ?? {};
    const persisted = await storage?.persisted?.();
    return JSON.parse(JSON.stringify({usage, quota, persisted}));
  } catch {
    // As in a window without an origin of its own.
    return {};
  }
}
