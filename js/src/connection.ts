import type {Connection} from 'sharedb/lib/client/index.js';
import {TabCore, type TransportEnd} from '../wasm/tabmux.js';
import type {Callback} from './callbacks.js';
import type {ConnectionEvents, State, TabInfo, TopologyEvent} from './connection-events.js';
import {coreHandler, guard} from './core-handler.js';
import {ProxyDoc, type WireOp} from './doc.js';
import {Emitter} from './emitter.js';
import {type CoreError, codes, makeError, toError} from './errors.js';
import {Messages} from './messages.js';
import {nextTick} from './next-tick.js';
import type {Layer, TraceEvent} from './options.js';
import type {ProxyPresence} from './presence/presence.js';
import {Presences} from './presence/registry.js';
import {ProxyQuery, type QueryCallback, type QueryOptions} from './query.js';
import {checkPosition, type SnapshotCallback, SnapshotRequests} from './snapshot-requests.js';
import {ProxyStore} from './store.js';
import {quietly} from './trace.js';
import {Writes} from './writes.js';

/** @internal What a connection is made of. */
export interface ConnectionSettings {
  tabId: string;
  identity: string;
  codec: string;
  middleware?: Layer[] | undefined;
  trace?: ((event: TraceEvent) => void) | undefined;
  types: {map: {[name: string]: any}; defaultType: any};
  /** Given to the hub's `connect`. */
  context: object;
  /** The end whose guarantees the layers must fit. */
  transport: TransportEnd;
  /** The hub's own connection, if the hub is in this process and has one. */
  upstream: () => any;
  /** Called once, when this tab leaves the hub. */
  onClose: () => void;
}

/**
 * A tab's connection to the hub: the API and the events of ShareDB's `Connection`.
 *
 * Make one with `createConnection`.
 */
export class ProxyConnection extends Emitter<ConnectionEvents> {
  /** The documents, by collection and id. */
  readonly collections: Record<string, Record<string, ProxyDoc>> = Object.create(null);
  /** The queries that are not destroyed, by number. */
  readonly queries: Record<string, ProxyQuery> = Object.create(null);
  /** The number of the next query. */
  nextQueryId = 1;
  /** The number of the next snapshot request. */
  nextSnapshotRequestId = 1;
  /** Set it to see every message of `send` and `receive` on the console. */
  debug = false;
  /** The id the server gave the hub's connection; `null` before it did. */
  id: string | null = null;
  /** The state of the hub's connection to the server. */
  state: State = 'connecting';
  /** Whether `state` is `connected`. */
  canSend = false;
  /** This tab's own id. */
  readonly tabId: string;
  /** The tabs of the hub, in the order they joined. */
  tabs: TabInfo[] = [];
  /** What the hub keeps across restarts, if its option `store` says so. */
  readonly store: ProxyStore;
  /** Where the hub lives; `null` before that is known. */
  topology: TopologyEvent['topology'] | null = null;
  /** @internal The registry of OT types. */
  readonly types: ConnectionSettings['types'];
  /** @internal */
  readonly core: TabCore;
  /** @internal Whether this tab has left the hub. */
  left = false;
  /** @internal Why nothing can be asked or submitted any more. */
  failure: Error | null = null;
  readonly #docs = new Map<number, ProxyDoc>();
  /** The queries by their numbers in the core. */
  readonly #queries = new Map<number, ProxyQuery>();
  readonly #requests = new Map<number, (error: Error | null, answer?: any) => void>();
  readonly #snapshotRequests = new SnapshotRequests(this);
  readonly #presences = new Presences(this);
  /** @internal */
  readonly messages = new Messages(this, this.#snapshotRequests, this.#presences);
  readonly #writes: Writes;
  readonly #upstream: () => any;
  readonly #onClose: () => void;
  #lastToken = 0;
  /** `close` was called, and the hub does not have all ops yet. */
  #leaving = false;
  /** `close` was called, and the hub's last word was from before. */
  #closing = false;

  /** @internal Use `createConnection`. */
  constructor(settings: ConnectionSettings) {
    super();
    const {tabId, identity, codec, transport, trace} = settings;
    this.tabId = tabId;
    this.types = settings.types;
    this.#onClose = settings.onClose;
    this.#upstream = settings.upstream;
    const core = {id: tabId, identity, codec};
    try {
      this.core = new TabCore(
        core,
        settings.context,
        settings.middleware,
        settings.types.map,
        transport,
        coreHandler(this, {
          docs: this.#docs,
          queries: this.#queries,
          requests: this.#requests,
          writes: () => this.#writes,
          onHubLost: () => this.#onHubLost(),
          onTransportClosed: (reason) => this.#onTransportClosed(reason),
          onState: (state, id, reason) => this.#onState(state, id, reason),
          onMessage: (message) => this.messages.take(message),
        }),
        trace && quietly(trace),
      );
    } catch (error) {
      throw toError(error as CoreError);
    }
    this.#writes = new Writes(this, this.#docs);
    this.store = new ProxyStore(this);
  }

  /** ShareDB's agent on the server, where the server runs in this process. */
  get agent(): Connection['agent'] {
    return this.#upstream()?.agent ?? null;
  }

  /** The number of the next op among those of the hub's connection, if the hub is in this process. */
  get seq(): number {
    return this.#upstream()?.seq ?? this.#lastToken + 1;
  }

  set seq(seq: number) {
    const upstream = this.#upstream();
    if (upstream) upstream.seq = seq;
  }

  /** The document, the same object for the same name until it is destroyed. */
  get(collection: string, id: string): ProxyDoc {
    let doc = this.getExisting(collection, id);
    if (!doc) {
      doc = new ProxyDoc(this, collection, id);
      this.#docs.set(doc.key, doc);
      let docs = this.collections[collection];
      if (!docs)
        docs = this.collections[collection] = Object.create(null) as Record<string, ProxyDoc>;
      docs[id] = doc;
      this.emit('doc', doc);
    }
    doc.wantsDestroy = false;
    return doc;
  }

  /** The document, if `get` was called for it. */
  getExisting(collection: string, id: string): ProxyDoc | undefined {
    return this.collections[collection]?.[id];
  }

  /** Fetches many documents of one collection at once; calls back with them. */
  getBulk(
    collection: string,
    ids: string[],
    callback: (error: any, docs: ProxyDoc[]) => void,
  ): void {
    const docs = ids.map((id) => this.get(collection, id));
    const keys = new Uint32Array(docs.map((doc) => doc.key));
    this.ask(this.core.getBulk(keys), (error) =>
      error ? (callback as Callback)(error) : callback(null, docs),
    );
  }

  // Writes

  /**
   * Writes a document: calls back once the hub, which alone writes, has all its ops. It has them soon
   * without this as well, and with or without the server. An op that finds no place is reported by
   * its own callback.
   */
  putDoc(doc: ProxyDoc, callback?: Callback): void {
    this.putDocsBulk([doc], callback);
  }

  /** As `putDoc`, for many documents: calls back once, when all are written. */
  putDocs(docs: ProxyDoc[], callback?: Callback): void {
    this.putDocsBulk(docs, callback);
  }

  /** The same as `putDocs`: what is written in one tick goes to the hub as one. */
  putDocsBulk(docs: ProxyDoc[], callback?: Callback): void {
    this.#writes.putDocs(docs, callback);
  }

  /** Writes every document, with `setAutoFlush(false)` too. As `putDoc`. */
  flushWrites(callback?: Callback): void {
    this.#writes.putDocs([...this.#docs.values()], callback);
  }

  /** How many documents have ops that the hub does not have yet. */
  getWriteQueueSize(): number {
    return this.#writes.waiting(this.#docs.values()).length;
  }

  /** Whether a document has ops that the hub does not have yet: a tab that ends now loses them. */
  hasPendingWrites(): boolean {
    return this.getWriteQueueSize() > 0;
  }

  /**
   * With `false`, ops stay in this tab until `flushWrites`, `putDoc` or `doc.flush`; with `true`, the
   * default, they go to the hub at the end of each tick.
   */
  setAutoFlush(enabled: boolean): void {
    this.core.setAutoFlush(enabled);
  }

  /** Whether ops go to the hub by themselves. */
  isAutoFlush(): boolean {
    return this.core.isAutoFlush();
  }

  // Queries and snapshots

  /** Asks the database once. */
  createFetchQuery<T = any>(
    collection: string,
    query: any,
    options?: QueryOptions<T> | null,
    callback?: QueryCallback<T> | null,
  ): ProxyQuery<T> {
    return this.#createQuery(false, collection, query, options, callback);
  }

  /** Asks the database, and follows the results for as long as the query lives. */
  createSubscribeQuery<T = any>(
    collection: string,
    query: any,
    options?: QueryOptions<T> | null,
    callback?: QueryCallback<T> | null,
  ): ProxyQuery<T> {
    return this.#createQuery(true, collection, query, options, callback);
  }

  #createQuery<T>(
    subscribe: boolean,
    collection: string,
    spec: any,
    options?: QueryOptions<T> | null,
    callback?: QueryCallback<T> | null,
  ): ProxyQuery<T> {
    const id = this.nextQueryId++;
    const query = new ProxyQuery<T>(this, id, subscribe, collection, spec, options, callback);
    this.queries[id] = query;
    this.#queries.set(query.request, query);
    const {failure} = this;
    if (failure) nextTick(() => query.onReady(failure, null, undefined));
    return query;
  }

  /** Fetches a document as it was at a version; `null` is the newest. */
  fetchSnapshot(
    collection: string,
    id: string,
    version: number | null | SnapshotCallback,
    callback?: SnapshotCallback,
  ): void {
    if (typeof version === 'function') return this.fetchSnapshot(collection, id, null, version);
    checkPosition(version, 'version');
    this.#snapshotRequests.add({a: 'nf', c: collection, d: id, v: version}, callback);
  }

  /** Fetches a document as it was at a time, in milliseconds since 1970; `null` is now. */
  fetchSnapshotByTimestamp(
    collection: string,
    id: string,
    timestamp: number | null | SnapshotCallback,
    callback?: SnapshotCallback,
  ): void {
    if (typeof timestamp === 'function') {
      return this.fetchSnapshotByTimestamp(collection, id, null, timestamp);
    }
    checkPosition(timestamp, 'timestamp');
    this.#snapshotRequests.add({a: 'nt', c: collection, d: id, ts: timestamp}, callback);
  }

  /** The presence of a channel, the same object for the same channel until it is destroyed. */
  getPresence(channel: string): ProxyPresence {
    return this.#presences.get(channel);
  }

  /** The presence of a document. */
  getDocPresence(collection: string, id: string): ProxyPresence {
    return this.#presences.getForDoc(collection, id);
  }

  /** Asks the server for a sign of life; it comes as the event `pong`. */
  ping(): void {
    if (!this.canSend) {
      throw makeError(codes.CANNOT_PING_OFFLINE, 'Socket must be CONNECTED to ping');
    }
    this.send({a: 'pp'});
  }

  /** Gives the server a message of ShareDB's own protocol, through the hub. */
  send(message: any): void {
    this.messages.tellSend(message);
    this.core.send(message);
  }

  /** Takes a message as if the server had sent it to the hub. */
  handleMessage(message: any): void {
    this.core.handleMessage(message);
  }

  /** Asks for a document; `doc.fetch` calls it. */
  sendFetch(doc: ProxyDoc, anew = false): number | undefined {
    return this.core.fetch(doc.key, anew);
  }

  /** Asks for a document and its changes; `doc.subscribe` calls it. */
  sendSubscribe(doc: ProxyDoc): number | undefined {
    return this.core.subscribe(doc.key);
  }

  /** Asks for no more changes of a document; `doc.unsubscribe` calls it. */
  sendUnsubscribe(doc: ProxyDoc): number | undefined {
    return this.core.unsubscribe(doc.key);
  }

  /** Gives the server an op that is applied nowhere else, as a message of ShareDB's protocol. */
  sendOp(doc: ProxyDoc, {op, create, del, src, seq}: WireOp & {seq?: number}): void {
    const {collection: c, id: d, version: v} = doc;
    this.send({a: 'op', c, d, v, src, seq, x: {}, op, create, del});
  }

  /** The fetches and subscriptions up to `endBulk` are asked of the server as one. */
  startBulk(): void {
    this.core.beginBulk();
  }

  /** Ends what `startBulk` began. */
  endBulk(): void {
    this.core.endBulk();
  }

  /** The hub owns the socket: this throws. */
  bindToSocket(): never {
    throw makeError(
      codes.NO_SOCKET,
      'a ProxyConnection has no socket: bind it in the `connect` function of the hub',
    );
  }

  /** Whether a document, a query or a snapshot request waits for its answer. */
  hasPending(): boolean {
    return Boolean(
      this.#anyDoc((doc) => doc.hasPending()) ||
        this.#pendingQuery() ||
        this.#snapshotRequests.oldest(),
    );
  }

  #pendingQuery(): ProxyQuery | undefined {
    return Object.values(this.queries).find((query) => query.hasPending());
  }

  /** Whether an op waits for the server. */
  hasWritePending(): boolean {
    return this.#anyDoc((doc) => doc.hasWritePending()) !== undefined;
  }

  /** Calls back once nothing is pending. */
  whenNothingPending(callback: Callback): void {
    const again = () => nextTick(() => this.whenNothingPending(callback));
    const doc = this.#anyDoc((doc) => doc.hasPending());
    if (doc) return void doc.once('nothing pending', again);
    const query = this.#pendingQuery();
    if (query) return void query.once('ready', again);
    const request = this.#snapshotRequests.oldest();
    if (request) return void request.once('ready', again);
    nextTick(callback);
  }

  #anyDoc(fits: (doc: ProxyDoc) => boolean): ProxyDoc | undefined {
    for (const doc of this.#docs.values()) if (fits(doc)) return doc;
    return undefined;
  }

  /**
   * Leaves the hub, once it has what was submitted before: that still reaches the server. A document
   * that is paused keeps what it holds back.
   */
  close(): void {
    if (this.left || this.#leaving) return;
    this.#closing = this.state === 'connecting' || this.state === 'connected';
    this.#setState('closed', 'closed');
    this.leave();
  }

  /** @internal What `close` does for good; where a closed connection may come back, it is replaced. */
  leave(): void {
    if (this.left || this.#leaving) return;
    const docs = [...this.#docs.values()].filter(({paused}) => !paused);
    if (this.failure || this.#writes.waiting(docs).length === 0) return this.#end();
    this.#leaving = true;
    this.#writes.put(docs, () => this.#end());
  }

  #end(): void {
    this.#leaving = false;
    this.left = true;
    this.store.fail(closedError());
    this.core.leave();
    this.#onClose();
  }

  // For the documents

  /** @internal Why nothing can be written or asked any more, if so. */
  whyNothingIsSent(): Error | null {
    return this.failure ?? (this.left ? closedError() : null);
  }

  /** @internal Keeps what to do when a request has ended. */
  ask(request: number | undefined, callback: (error: Error | null, answer?: any) => void): void {
    if (request === undefined) {
      const error = makeError(codes.DOC_DOES_NOT_EXIST, 'The document was destroyed: get it again');
      return nextTick(() => callback(error));
    }
    const {failure} = this;
    if (failure) return nextTick(() => callback(failure));
    this.#requests.set(request, callback);
  }

  /** @internal A number for a submit. */
  newToken(): number {
    this.#lastToken += 1;
    return this.#lastToken;
  }

  /** @internal Lets go of a query. */
  forgetQuery(query: ProxyQuery): void {
    delete this.queries[query.id];
    this.#queries.delete(query.request);
  }

  /** @internal Lets go of a document, unless `get` has taken it back. */
  forget(doc: ProxyDoc): void {
    if (!doc.wantsDestroy) return;
    const docs = this.collections[doc.collection];
    if (docs?.[doc.id] === doc) {
      delete docs[doc.id];
      if (Object.keys(docs).length === 0) delete this.collections[doc.collection];
      this.#docs.delete(doc.key);
      this.core.close(doc.key);
    }
    doc.emit('destroy');
  }

  // For the hosts

  /** @internal Says where the hub lives. */
  setTopology(event: TopologyEvent): void {
    this.topology = event.topology;
    nextTick(() => this.emit('topology', event));
  }

  /** @internal No hub could be had: nothing will answer any more. */
  fail(error: Error): void {
    if (this.left || this.state === 'stopped') return;
    this.failure = error;
    if (this.state !== 'closed') this.#setState('stopped', error.message);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const callback of requests) guard(this, () => callback(error));
    for (const settle of this.#writes.fail(error)) guard(this, settle);
    for (const doc of this.#docs.values()) guard(this, () => doc.onConnectionFailed(error));
    for (const query of this.#queries.values()) {
      if (query.hasPending()) guard(this, () => query.onReady(error, null, undefined));
    }
    for (const fail of this.#snapshotRequests.fail(error)) guard(this, fail);
    nextTick(() => this.emit('error', error));
  }

  /** Nobody but the application can make another of its own transports. */
  #onTransportClosed(reason: string): void {
    if (this.topology !== 'custom') return this.#setState('disconnected', reason);
    this.fail(makeError(codes.TRANSPORT_CLOSED, `the way to the hub is gone: ${reason}`));
  }

  #onHubLost(): void {
    this.#setState('disconnected', 'the hub is gone');
    for (const doc of this.#docs.values()) doc.onHubLost();
  }

  #onState(state: State, id: string | undefined, reason: unknown): void {
    if (this.#closing && (state === 'connecting' || state === 'connected')) return;
    this.#closing = false;
    this.id = id ?? this.id;
    this.#setState(state, reason);
  }

  #setState(state: State, reason?: unknown): void {
    if (this.state === state || this.#leaving) return;
    this.state = state;
    this.canSend = state === 'connected';
    for (const doc of this.#docs.values()) doc.onConnectionStateChanged();
    this.#presences.onConnectionStateChanged();
    this.#snapshotRequests.onConnectionStateChanged();
    this.emit(state, reason);
    this.emit('state', state, reason);
  }
}

function closedError(): Error {
  return makeError(
    codes.CLOSED,
    'the connection was closed: nothing can be written or asked any more',
  );
}
