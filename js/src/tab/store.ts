import type {DocName} from '../shared/doc-name.js';
import {codes, makeError, toError} from '../shared/errors.js';
import type {ConnectionBase} from './connection-base.js';
import type {ConnectionEvents} from './connection-events.js';
import type {UnloadJournal} from './unload-journal.js';

/** What the hub's store knows of a document. */
export interface StoredDocument extends DocName {
  /** The size of its records. */
  bytes: number;
  /** How many records were stored since it was last stored as a whole: about three an op. */
  entries: number;
  /** Whether it has ops that the server does not have, as far as is known. */
  pending: boolean;
  /** Whether `pin` keeps it. */
  pinned: boolean;
  /** When it was last used, in milliseconds since 1970. */
  used?: number;
}

/** How much the hub's store takes. */
export interface StoreUsage {
  /** How many documents it holds. */
  documents: number;
  /** The size of their records. */
  bytes: number;
  /** How many bytes the origin takes on this device, if the browser says so. */
  usage?: number;
  /** How many it may take. */
  quota?: number;
  /** Whether the browser has promised not to clear it of its own accord. */
  persisted?: boolean;
}

/** All that the hub's store holds. */
export interface StoreExport {
  identity: string;
  documents: ExportedDocument[];
}

/** A document with what its uncommitted ops did. */
export interface ExportedDocument extends DocName {
  /** The version of the server it was made from, if the server ever had it. */
  version?: number;
  /** The URI of its type, unless it is deleted. */
  type?: string;
  data?: any;
  /** The ops that the server does not have, oldest first. */
  pending: {op?: any; create?: {type: string; data?: any}; del?: true; source?: any}[];
}

type Question =
  | {type: 'inventory' | 'usage' | 'persist' | 'export'}
  | {type: 'pin'; doc: DocName; pinned: boolean}
  | {type: 'clear'; force: boolean};

/** What the store needs of the connection. */
interface StoreOwner extends Pick<ConnectionBase, 'ask' | 'core' | 'whyNothingIsSent'> {
  readonly unloadJournal: UnloadJournal;
}

/**
 * What the hub keeps across restarts. All promises fail with `ERR_TABMUX_STORE_OFF` if it keeps
 * nothing.
 */
export class ProxyStore {
  readonly #connection: StoreOwner;
  /** What fails those who wait for an answer, by their request. */
  readonly #waiting = new Map<number | undefined, (error: Error) => void>();

  /** @internal Use `connection.store`. */
  constructor(connection: StoreOwner) {
    this.#connection = connection;
  }

  /** The documents in the store. */
  inventory(): Promise<StoredDocument[]> {
    return this.#ask({type: 'inventory'});
  }

  /** How much there is in the store, and how much room. */
  usage(): Promise<StoreUsage> {
    return this.#ask({type: 'usage'});
  }

  /** Keeps a document however long it is not used; with `false`, no longer. */
  async pin(collection: string, id: string, pinned = true): Promise<void> {
    for (const [name, value] of Object.entries({collection, id})) {
      if (typeof value === 'string') continue;
      const message = `\`${name}\` of the document to pin is ${value}; it must be a string`;
      throw makeError(codes.OPTION_INVALID, message);
    }
    await this.#ask({type: 'pin', doc: {collection, id}, pinned: Boolean(pinned)});
  }

  /**
   * Asks the browser never to clear the store of its own accord. It may ask the user; whether it has
   * agreed is the result.
   */
  async persist(): Promise<boolean> {
    const persisted: boolean = await this.#ask({type: 'persist'});
    // Only a page may ask, whether or not the hub is in one.
    return persisted || ((await globalThis.navigator?.storage?.persist?.()) ?? false);
  }

  /** Every document with its uncommitted ops, to be saved by other means. */
  export(): Promise<StoreExport> {
    return this.#ask({type: 'export'});
  }

  /**
   * Wipes the store, as at a log-out: every tab hears `store:cleared`, and the hub keeps nothing any
   * more. Fails with `ERR_TABMUX_STORE_PENDING` if that would lose ops that the server does not
   * have, unless it is forced to.
   */
  async clear(options: {force?: boolean} = {}): Promise<void> {
    if (typeof options !== 'object' || options === null) {
      const message = `\`clear\` is given ${options}; it takes an object such as {force: true}, or nothing`;
      throw makeError(codes.OPTION_INVALID, message);
    }
    const {force = false} = options;
    if (typeof force !== 'boolean') {
      const message = `option \`force\` of \`clear\` is ${force}; it must be true or false`;
      throw makeError(codes.OPTION_INVALID, message);
    }
    if (!force) await this.#connection.unloadJournal.passOnAll();
    await this.#ask({type: 'clear', force});
  }

  #ask(question: Question): Promise<any> {
    const connection = this.#connection;
    return new Promise((resolve, reject) => {
      const failure = connection.whyNothingIsSent();
      if (failure) return reject(failure);
      const request = connection.core.askStore(question);
      this.#waiting.set(request, reject);
      connection.ask(request, (error, answer) => {
        this.#waiting.delete(request);
        if (error) reject(error);
        else resolve(answer);
      });
    });
  }

  /** @internal The tab leaves the hub: nothing will be answered. */
  fail(error: Error): void {
    for (const [request, reject] of this.#waiting) {
      if (request !== undefined) this.#connection.core.forget(request);
      reject(error);
    }
    this.#waiting.clear();
  }
}

/** What to emit for an event of the hub's store. */
export function storeEvent(
  name: string,
  detail: any,
): [event: keyof ConnectionEvents, ...args: unknown[]] {
  const event = `store:${name}` as keyof ConnectionEvents;
  if (name === 'cleared') return [event];
  if (name === 'error') return [event, Object.assign(toError(detail), detail)];
  if (name === 'lost') return [event, {...detail, error: toError(detail.error)}];
  return [event, detail];
}
