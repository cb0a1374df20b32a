import {EventEmitter} from 'events';
import {callbackOrEmit} from './callbacks.js';
import type {ProxyConnection} from './connection.js';
import type {ProxyDoc} from './doc.js';
import {nextTick} from './next-tick.js';

/** Called once with the results of a query. */
export type QueryCallback = (error: any, results?: ProxyDoc[], extra?: any) => void;

/** Names a document on the wire. */
export interface DocName {
  collection: string;
  id: string;
}

/** One change of a query's results on the wire. */
export type QueryDiff =
  | {type: 'insert'; index: number; docs: DocName[]}
  | {type: 'remove'; index: number; count: number}
  | {type: 'move'; from: number; to: number; count: number};

/**
 * A query: the API and the events of ShareDB's `Query`.
 *
 * Emits `ready`, `error`, and, if it is subscribed, `insert`, `move`, `remove`, `changed` and `extra`.
 */
export class ProxyQuery extends EventEmitter {
  /** `qf` for a query that is fetched once, `qs` for one that is subscribed. */
  readonly action: 'qf' | 'qs';
  readonly connection: ProxyConnection;
  /** The query's number in this connection. */
  readonly id: number;
  readonly collection: string;
  readonly query: any;
  readonly options: any;
  /** The documents found, in the database's order; `null` before they are known. */
  results: ProxyDoc[] | null;
  /** What the database says beside the results. */
  extra: any = undefined;
  /** Whether the results have come. */
  ready = false;
  /** Whether the query was sent. */
  sent = true;
  callback: QueryCallback | null | undefined;

  /** @internal Use `createFetchQuery` or `createSubscribeQuery` of the connection. */
  constructor(
    connection: ProxyConnection,
    subscribe: boolean,
    collection: string,
    query: any,
    options: any,
    callback?: QueryCallback | null,
  ) {
    super();
    const {results = null, ...rest} = options ?? {};
    this.action = subscribe ? 'qs' : 'qf';
    this.connection = connection;
    this.collection = collection;
    this.query = query;
    this.options = options && rest;
    this.results = results;
    this.callback = callback;
    this.id = connection.core.query(
      String(collection),
      query ?? null,
      this.options ?? undefined,
      subscribe,
    );
  }

  /** Whether the results are still to come. */
  hasPending(): boolean {
    return !this.ready;
  }

  /** Ends the query; nothing more is heard of it. */
  destroy(callback?: () => void): void {
    this.connection.core.endQuery(this.id);
    this.connection.forgetQuery(this);
    if (callback) nextTick(callback);
  }

  /** @internal The results have come. */
  onReady(error: Error | null, names: DocName[] | null | undefined, extra: any): void {
    if (error || this.action === 'qf') this.connection.forgetQuery(this);
    if (!error && names) {
      this.results = this.#docs(names);
      this.extra = extra;
    }
    const {callback} = this;
    this.callback = null;
    this.emit('ready');
    this.ready = true;
    if (error) callbackOrEmit(this, error, callback);
    else callback?.(null, this.results ?? undefined, this.extra);
  }

  /** @internal The results changed. */
  onChange(diff: QueryDiff[]): void {
    const results = this.results ?? [];
    this.results = results;
    for (const step of diff) {
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
    this.emit('changed', results);
  }

  /** @internal What the database says beside the results changed. */
  onExtra(extra: any): void {
    this.extra = extra;
    this.emit('extra', extra);
  }

  #docs(names: DocName[]): ProxyDoc[] {
    return names.map(({collection, id}) => this.connection.get(collection, id));
  }
}
