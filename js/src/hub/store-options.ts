import {codes, makeError} from '../errors.js';
import type {ConnectContext} from './define.js';

/** A `Uint8Array` that WebCrypto takes; TypeScript before 5.7 has but one kind. */
type Bytes = ReturnType<Uint8Array['slice']>;

/** The application's own cipher. What `encrypt` made opens in the same context only. */
export interface CipherFunctions {
  encrypt(bytes: Bytes, context: Bytes): Promise<Uint8Array>;
  /** Fails if the key or the context is another, or the bytes were changed. */
  decrypt(bytes: Bytes, context: Bytes): Promise<Uint8Array>;
}

/** What a hub keeps across restarts, and how. */
export interface StoreOptions {
  /** By default `indexeddb`; where there is none, as in Node, `memory`, which ends with the thread. */
  kind?: 'indexeddb' | 'memory';
  /** Tells apart applications that share an origin; `''` by default. */
  name?: string;
  /** `strict` survives a power failure, too, and is slower; `relaxed` by default. */
  durability?: 'relaxed' | 'strict';
  /** Only documents of these collections are kept; by default of all. */
  collections?: string[];
  /** Of those, only the documents for which this is true. */
  keep?: (collection: string, id: string) => boolean;
  /** How long a document is kept that nobody uses, in milliseconds; by default for ever. */
  maxAge?: number;
  /** How many bytes all documents may take; by default as many as there is room for. */
  maxBytes?: number;
  /**
   * Encrypts what is kept: with a key for AES-GCM, which may be looked for when the hub starts, or
   * with functions of the application's own.
   */
  encryption?:
    | CryptoKey
    | ((context: ConnectContext) => CryptoKey | Promise<CryptoKey>)
    | CipherFunctions;
}

type Check = (value: any) => boolean;

const isCount: Check = (value) => Number.isSafeInteger(value) && value >= 0;
const isFunction: Check = (value) => typeof value === 'function';
const isText: Check = (value) => typeof value === 'string';

/** What a key must be, for messages. */
export const KEY = 'a CryptoKey for AES-GCM with the usages `encrypt` and `decrypt`';

const known: Record<keyof StoreOptions, [Check, string]> = {
  kind: [(kind) => ['indexeddb', 'memory'].includes(kind), '"indexeddb" or "memory"'],
  name: [isText, 'a string'],
  durability: [(value) => ['relaxed', 'strict'].includes(value), '"relaxed" or "strict"'],
  collections: [(list) => Array.isArray(list) && list.every(isText), 'a list of strings'],
  keep: [isFunction, 'a function'],
  maxAge: [isCount, 'a whole number of milliseconds'],
  maxBytes: [isCount, 'a whole number of bytes'],
  encryption: [
    (value) => isKey(value) || isFunction(value) || isCipher(value),
    `${KEY}, a function that returns one, or an object of the functions \`encrypt\` and \`decrypt\``,
  ],
};

/** Whether this is a key that can open again what it has sealed. */
export function isKey(value: unknown): value is CryptoKey {
  if (typeof CryptoKey === 'undefined' || !(value instanceof CryptoKey)) return false;
  const {algorithm, usages} = value;
  return algorithm.name === 'AES-GCM' && usages.includes('encrypt') && usages.includes('decrypt');
}

/** Whether this is a cipher of the application's own. */
export function isCipher(value: any): value is CipherFunctions {
  return isFunction(value?.encrypt) && isFunction(value.decrypt);
}

/**
 * The options in full, if there is to be a store. Throws an error that names the first that is
 * unknown or out of its range.
 */
export function readStoreOptions(
  store: boolean | StoreOptions | undefined,
): StoreOptions | undefined {
  if (store === undefined || store === false) return undefined;
  if (store === true) return {};
  if (typeof store !== 'object' || store === null) {
    const message = `option \`store\` is ${JSON.stringify(store)}; it must be true, false or an object of options`;
    throw makeError(codes.OPTION_INVALID, message);
  }
  for (const [name, value] of Object.entries(store)) {
    const rule = known[name as keyof StoreOptions];
    if (!rule) {
      const names = Object.keys(known).join(', ');
      const message = `unknown option \`store.${name}\`; the options are ${names}`;
      throw makeError(codes.OPTION_UNKNOWN, message);
    }
    const [fits, expected] = rule;
    // Without a key where one was meant to be, what is private would be there for all to read.
    const isLeftOut = value === undefined && name !== 'encryption';
    if (!isLeftOut && !fits(value)) {
      const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
      const message = `option \`store.${name}\` is ${shown}; it must be ${expected}`;
      throw makeError(codes.OPTION_INVALID, message);
    }
  }
  return store;
}

/** The name of the store with these options. */
export function databaseName(identity: string, store: true | StoreOptions): string {
  return JSON.stringify([identity, (store !== true && store.name) || '']);
}
