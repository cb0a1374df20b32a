import {
  type DeviceRoom,
  type OpenStore,
  openingTime,
  openStore,
} from '../../wasm/hub/tabmux_hub.js';
import {clock} from '../shared/clock.js';
import type {ConnectContext} from '../shared/context.js';
import {type CoreError, codes, makeError, toError} from '../shared/errors.js';
import {randomId} from '../shared/random-id.js';
import type {CipherFunctions, StoreOptions} from '../shared/store-options.js';
import {databaseName, isCipher, isKey, KEY} from './read-store-options.js';
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
  room: () => Promise<DeviceRoom>;
  /** Why it is another than was asked for. */
  failure?: Error;
}

/** Nobody else can have the store. */
const unreserved: Reservation = {leave: () => {}, release: () => {}};

/** The databases that closed hubs of this thread have not let go of: what ends when they have. */
const leaving = new Map<string, Promise<unknown>>();

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
  const settings = {floor, lineage: randomId()};
  const kind = options.kind ?? defaultKind();
  let reservation = unreserved;
  let isOpening = false;
  let isLate = false;
  const open = async () => {
    try {
      if (kind === 'indexeddb' && !isSharedWorker) reservation = await reserve(database);
      const encryption = await findKey(options.encryption, context);
      if (isLate) throw late();
      isOpening = true;
      const store = await openStore({...settings, kind, name: database}, encryption);
      if (!isLate) return store;
      store.free();
      throw late();
    } catch (error) {
      reservation.release();
      throw error;
    }
  };
  try {
    const store = await inTime(open(), () => {
      isLate = true;
      // A database that opens after all must not be another page's by then.
      if (!isOpening) reservation.release();
    });
    return {store, room: kind === 'indexeddb' ? roomOnDevice : unlimited, ...reservation};
  } catch (error) {
    const store = await openStore({...settings, kind: 'memory'}, undefined);
    return {store, room: unlimited, failure: toError(error as CoreError), ...unreserved};
  }
}

/** Browsers are known never to answer, and so may the function that finds the key. */
async function inTime<T>(work: Promise<T>, giveUp: () => void): Promise<T> {
  let timer: ReturnType<typeof clock.setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => {
      giveUp();
      reject(late());
    }, openingTime());
  });
  return Promise.race([work, end]).finally(() => clock.clearTimeout(timer));
}

function late(): Error {
  const message = `the store was not open after ${openingTime() / 1000} seconds: close other pages of this site, or start the browser anew`;
  return makeError(codes.STORE_UNAVAILABLE, message);
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
      return reject(makeError(codes.STORE_IN_USE, message));
    });
    free.catch((error) => {
      const message = `the browser refuses Web Locks, without which another page might have the store: ${(error as Error).message}`;
      reject(makeError(codes.STORE_UNAVAILABLE, message));
    });
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
async function unlimited(): Promise<DeviceRoom> {
  return {};
}

/** Nothing where the browser does not say. */
async function roomOnDevice(): Promise<DeviceRoom> {
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
