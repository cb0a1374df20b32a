import {codes, makeError} from '../shared/errors.js';
import type {CipherFunctions, StoreOptions} from '../shared/store-options.js';

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

/** Whether this is a key that can open again what it has encrypted. */
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
