import {codes, makeError} from '../shared/errors.js';
import {nextTick} from '../shared/next-tick.js';
import {type Callback, callbackOrEmit} from './callbacks.js';
import type {ConnectionBase} from './connection-base.js';
import type {ProxyDoc} from './doc.js';
import type {ProxyDocs} from './proxy-docs.js';
import type {UnloadJournal} from './unload-journal.js';

/** What writing needs of the connection. */
interface WritesOwner extends Pick<ConnectionBase, 'core' | 'emit' | 'whyNothingIsSent'> {
  readonly unloadJournal: UnloadJournal;
}

/** Who waits for documents to be written. */
interface Waiter {
  docs: Set<ProxyDoc>;
  callback: Callback | undefined;
}

/**
 * What tabs write. Only the hub writes, so an op is written once the hub has it: then this tab's end
 * loses nothing, whether the server is there or not.
 */
export class Writes {
  readonly #connection: WritesOwner;
  readonly #docs: ProxyDocs;
  readonly #waiters = new Set<Waiter>();

  /** `docs` are the connection's documents. */
  constructor(connection: WritesOwner, docs: ProxyDocs) {
    this.#connection = connection;
    this.#docs = docs;
  }

  /** The documents with ops that the hub does not have yet. */
  waiting(docs: Iterable<ProxyDoc>): ProxyDoc[] {
    return [...docs].filter((doc) => !this.#connection.core.isSequenced(doc.key));
  }

  /** As `put`, for what an application asks for. */
  putDocs(docs: ProxyDoc[], callback?: Callback): void {
    const strangers = docs.filter((doc) => this.#docs.withKey(doc?.key) !== doc);
    if (strangers.length > 0) {
      const names = strangers.map((doc) => `${doc?.collection}.${doc?.id}`).join(', ');
      const message = `not a document of this connection: ${names}; take it from connection.get`;
      const error = makeError(codes.DOC_DOES_NOT_EXIST, message);
      return callbackOrEmit(this.#connection, error, callback);
    }
    const failure = this.#connection.whyNothingIsSent();
    if (failure) return nextTick(() => callbackOrEmit(this.#connection, failure, callback));
    this.put(docs, callback);
  }

  /** Writes these documents; calls back, later, when that is done. */
  put(docs: Iterable<ProxyDoc>, callback?: Callback): void {
    const waiter = {docs: new Set(this.waiting(docs)), callback};
    this.#waiters.add(waiter);
    for (const doc of waiter.docs) this.#connection.core.write(doc.key);
    this.#connection.unloadJournal.onChanged();
    if (waiter.docs.size === 0) nextTick(() => this.#settle(waiter));
  }

  /** There is a hub: what was to be written before there was one goes now. */
  onJoined(): void {
    for (const {docs} of this.#waiters) {
      for (const doc of docs) this.#connection.core.write(doc.key);
    }
  }

  /** Something became of a document's ops. Returns what tells those whose wait is over. */
  onProgress(doc: ProxyDoc): (() => void)[] {
    const waiters = [...this.#waiters].filter(({docs}) => docs.has(doc));
    if (waiters.length === 0) return [];
    if (!this.#connection.core.isSequenced(doc.key)) {
      this.#connection.core.write(doc.key);
      return [];
    }
    for (const {docs} of waiters) docs.delete(doc);
    const done = waiters.filter(({docs}) => docs.size === 0);
    return done.map((waiter) => () => this.#settle(waiter));
  }

  /** There is no hub: nothing will be written. Returns what tells those who wait. */
  fail(error: Error): (() => void)[] {
    return [...this.#waiters].map((waiter) => () => this.#settle(waiter, error));
  }

  #settle(waiter: Waiter, error?: Error): void {
    if (this.#waiters.delete(waiter)) waiter.callback?.(error);
  }
}
