import type {ConnectContext} from './context.js';

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
