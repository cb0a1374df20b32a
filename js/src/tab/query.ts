import type {Doc, QueryEventMap} from 'sharedb/lib/sharedb.js';
import type {DocName} from '../shared/doc-name.js';
import {Emitter, type ErrorEvents} from '../shared/emitter.js';
import {codes} from '../shared/errors.js';
import {doAll, forAll} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';
import {type Callback, callbackOrEmit} from './callbacks.js';
import type {ConnectionBase} from './connection-base.js';
import type {ProxyDoc} from './doc.js';
import type {Owner} from './owner.js';
import type {ProxyDocs} from './proxy-docs.js';
import {type QueryStep, stepsBetween} from './query-steps.js';

/** Called once with the results of a query, if there is no error. */
export type QueryCallback<T = any> = (error: any, results: ProxyDoc<T>[], extra?: any) => void;

/** What a query of ShareDB may be given, and whatever else the database takes. */
export interface QueryOptions<T = any> {
  /** Results known by other means, until the database's come. */
  results?: Doc<T>[] | null;
  [option: string]: unknown;
}

/** The events of ShareDB's `Query`. */
export interface QueryEvents<T> extends Omit<QueryEventMap<T>, ListEvent | 'error'>, ErrorEvents {
  insert: (docs: ProxyDoc<T>[], index: number) => void;
  remove: (docs: ProxyDoc<T>[], index: number) => void;
  move: (docs: ProxyDoc<T>[], from: number, to: number) => void;
  changed: (docs: ProxyDoc<T>[]) => void;
}

type ListEvent = 'insert' | 'remove' | 'move' | 'changed';

/** What a query needs of the connection. */
export interface QueryOwner
  extends Pick<ConnectionBase, 'canSend' | 'core'>,
    Pick<ProxyDocs, 'get'> {
  forgetQuery(query: ProxyQuery): void;
}

/**
 * A query: the API and the events of ShareDB's `Query`.
 *
 * Emits `ready`, `error`, and, if it is subscribed, `insert`, `move`, `remove`, `changed` and `extra`.
 */
export class ProxyQuery<T = any> extends Emitter<QueryEvents<T>> {
  /** `qf` for a query that is fetched once, `qs` for one that is subscribed. */
  readonly action: 'qf' | 'qs';
  readonly connection: Owner<QueryOwner>;
  /** The query's number in this connection; ShareDB's typings take it for a string. */
  readonly id: any;
  readonly collection: string;
  readonly query: any;
  readonly options: any;
  /** The documents found, in the database's order; as in ShareDB, `null` before they are known. */
  results: ProxyDoc<T>[];
  /** What the database says beside the results. */
  extra: any = undefined;
  /** Whether the results have come. */
  ready = false;
  callback: QueryCallback<T> | null | undefined;

  /** @internal The query's number in the core. */
  readonly request: number;

  /** @internal Use `createFetchQuery` or `createSubscribeQuery` of the connection. */
  constructor(
    connection: QueryOwner,
    id: number,
    subscribe: boolean,
    collection: string,
    query: any,
    options?: QueryOptions<T> | null,
    callback?: QueryCallback<T> | null,
  ) {
    super();
    this.action = subscribe ? 'qs' : 'qf';
    this.connection = connection as Owner<QueryOwner>;
    this.id = id;
    this.collection = collection;
    this.query = query;
    this.results = (options?.results || null) as any;
    // As in ShareDB: they are documents, and not for the server.
    if (options?.results !== undefined) delete options.results;
    this.options = options;
    this.callback = callback;
    this.request = connection.core.query(
      String(collection),
      query ?? null,
      this.options ?? undefined,
      subscribe,
    );
  }

  /** Whether the query was sent to the server. */
  get sent(): boolean {
    return this.connection.canSend;
  }

  /** Whether the results are still to come. */
  hasPending(): boolean {
    return !this.ready;
  }

  /** Ends the query; nothing more is heard of it. */
  destroy(callback?: Callback): void {
    this.connection.core.endQuery(this.request);
    this.connection.forgetQuery(this);
    if (callback) nextTick(callback);
  }

  /** @internal The results have come. */
  onReady(error: Error | null, names: DocName[] | null | undefined, extra: any): void {
    if (this.action === 'qf') this.connection.forgetQuery(this);
    const {callback} = this;
    this.callback = null;
    doAll(
      () => !error && names && this.#found(names, extra),
      () => this.emit('ready'),
      () => {
        this.ready = true;
        if (error) this.connection.forgetQuery(this);
      },
      () =>
        error
          ? callbackOrEmit(this, error, callback as Callback)
          : callback?.(null, this.results, this.extra),
    );
  }

  #found(names: DocName[], extra: any): void {
    if (this.action === 'qf' || !this.results) {
      this.results = this.#docs(names);
      this.extra = extra;
      return;
    }
    // Of those that it had before, it tells what has changed.
    const steps = stepsBetween(this.results, names);
    const hasNews = !this.ready && extra !== undefined;
    this.extra = extra;
    doAll(
      () => steps.length > 0 && this.onChange(steps),
      () => hasNews && this.emit('extra', extra),
    );
  }

  /** @internal The results changed. */
  onChange(steps: QueryStep[]): void {
    const results = this.results ?? [];
    this.results = results;
    doAll(
      () => forAll(steps, (step) => this.#take(results, step)),
      () => this.emit('changed', results),
    );
  }

  #take(results: ProxyDoc<T>[], step: QueryStep): void {
    if (step.type === 'insert') {
      const docs = this.#docs(step.docs);
      results.splice(step.index, 0, ...docs);
      this.emit('insert', docs, step.index);
    } else if (step.type === 'remove') {
      const docs = results.splice(step.index, step.count);
      this.emit('remove', docs, step.index);
    } else {
      const docs = results.splice(step.from, step.count);
      results.splice(step.to, 0, ...docs);
      this.emit('move', docs, step.from, step.to);
    }
  }

  /** @internal The query had an error, and lives on. */
  onFailed(error: Error & {code?: unknown}): void {
    // ShareDB's own says nothing of this, so nobody need listen.
    if (error.code === codes.OFFLINE && this.listenerCount('error') === 0) return;
    this.emit('error', error);
  }

  /** @internal What the database says beside the results changed. */
  onExtra(extra: any): void {
    this.extra = extra;
    this.emit('extra', extra);
  }

  #docs(names: DocName[]): ProxyDoc<T>[] {
    return names.map(({collection, id}) => this.connection.get(collection, id));
  }
}
