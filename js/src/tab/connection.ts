import type {Connection} from 'sharedb/lib/client/index.js';
import {TabCore, tabIdOf} from '../../wasm/tab/tabmux_tab.js';
import {Emitter} from '../shared/emitter.js';
import {type CoreError, codes, makeError, toError} from '../shared/errors.js';
import {doAll} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';
import {layerCaller} from '../shared/plugins.js';
import {watchCore} from '../shared/trap.js';
import type {WireOp} from '../shared/wire.js';
import type {Callback} from './callbacks.js';
import {codecOf} from './codecs.js';
import type {ConnectionEvents, State, TabInfo, TopologyEvent} from './connection-events.js';
import type {ConnectionSettings} from './connection-settings.js';
import {coreHandler} from './core-handler.js';
import type {ProxyDoc} from './doc.js';
import {guard} from './guard.js';
import {Lifetime} from './lifetime.js';
import {Messages} from './messages.js';
import {isCustomLayer} from './options.js';
import type {ProxyPresence} from './presence/presence.js';
import {Presences} from './presence/registry.js';
import {ProxyDocs} from './proxy-docs.js';
import {ProxyQueries} from './proxy-queries.js';
import type {ProxyQuery, QueryCallback, QueryOptions} from './query.js';
import {Requests} from './requests.js';
import {type SnapshotCallback, SnapshotRequests} from './snapshot-requests.js';
import {TabSocket} from './socket.js';
import {ProxyStore} from './store.js';
import {quietly} from './trace.js';
import {UnloadJournal} from './unload-journal.js';
import {Writes} from './writes.js';

declare module './owner.js' {
  interface Declared {
    connection: ProxyConnection;
  }
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
  /** @internal Why nothing can be asked or submitted any more. */
  failure: Error | null = null;
  readonly #docs = new ProxyDocs(this);
  readonly #queries = new ProxyQueries(this);
  readonly #requests = new Requests(this);
  readonly #snapshotRequests = new SnapshotRequests(this);
  readonly #presences = new Presences(this);
  /** @internal */
  readonly messages = new Messages(this, this.#snapshotRequests, this.#presences);
  /** @internal */
  readonly unloadJournal = new UnloadJournal(this);
  readonly #writes = new Writes(this, this.#docs);
  readonly #lifetime: Lifetime;
  /** Stands for the socket, which is the hub's: to close it is to lose it, for this tab alone. */
  readonly socket: TabSocket;
  readonly #upstream: () => any;
  #lastToken = 0;

  /** @internal Use `createConnection`. */
  constructor(settings: ConnectionSettings) {
    super();
    const {secret, identity, codec, transport, trace} = settings;
    this.tabId = tabIdOf(secret) as string;
    this.types = settings.types;
    this.#upstream = settings.upstream;
    const parts = {
      docs: this.#docs,
      queries: this.#queries,
      requests: this.#requests,
      snapshotRequests: this.#snapshotRequests,
      presences: this.#presences,
      writes: this.#writes,
    };
    this.#lifetime = new Lifetime(this, parts, settings.entrance);
    this.socket = new TabSocket(this, this.#lifetime);
    const core = {id: this.tabId, secret, identity, codec: codecOf(codec)};
    const callLayer = layerCaller(
      (settings.middleware ?? []).filter(isCustomLayer),
      (...passed) => this.core.pass(...passed),
      (error) => guard(this, () => this.emit('fault', error)),
    );
    try {
      this.core = new TabCore(
        core,
        settings.context,
        settings.middleware?.map((it) => (isCustomLayer(it) ? {name: it.name} : it)),
        settings.types.map,
        transport,
        coreHandler(this, parts, this.#lifetime, callLayer),
        trace && quietly(trace),
      );
    } catch (error) {
      throw toError(error as CoreError);
    }
    watchCore(this.core, this, false);
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
    return this.#docs.get(collection, id);
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
    for (const doc of docs) doc.bulkFetches += 1;
    this.#requests.add(this.core.getBulk(keys), (error) => {
      for (const doc of docs) doc.bulkFetches -= 1;
      if (error) (callback as Callback)(error);
      else callback(null, docs);
      for (const doc of docs) doc.tellNothingPending();
    });
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
    this.#writes.putDocs([...this.#docs], callback);
  }

  /** How many documents have ops that the hub does not have yet. */
  getWriteQueueSize(): number {
    return this.#writes.waiting(this.#docs).length;
  }

  /**
   * Whether a document has ops that the hub does not have yet: a tab that ends now may lose them, and
   * does without a store.
   */
  hasPendingWrites(): boolean {
    return this.getWriteQueueSize() > 0;
  }

  /**
   * With `false`, ops stay in this tab until `flushWrites`, `putDoc` or `doc.flush`; with `true`, the
   * default, they go to the hub at the end of each tick.
   */
  setAutoFlush(enabled: boolean): void {
    this.core.setAutoFlush(enabled);
    this.unloadJournal.onChanged();
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
    return this.#queries.add(false, collection, query, options, callback);
  }

  /** Asks the database, and follows the results for as long as the query lives. */
  createSubscribeQuery<T = any>(
    collection: string,
    query: any,
    options?: QueryOptions<T> | null,
    callback?: QueryCallback<T> | null,
  ): ProxyQuery<T> {
    return this.#queries.add(true, collection, query, options, callback);
  }

  /** Fetches a document as it was at a version; `null` is the newest. */
  fetchSnapshot(
    collection: string,
    id: string,
    version: number | null | SnapshotCallback,
    callback?: SnapshotCallback,
  ): void {
    if (typeof version === 'function') return this.fetchSnapshot(collection, id, null, version);
    this.#snapshotRequests.addForVersion(collection, id, version, callback);
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
    this.#snapshotRequests.addForTime(collection, id, timestamp, callback);
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
    doAll(
      () => this.messages.tellSend(message),
      () => {
        try {
          this.core.send(message);
        } catch (error) {
          throw toError(error as CoreError);
        }
      },
    );
  }

  /**
   * Takes a message as if the server had sent it, where no sibling would feel it: the refusal of an op
   * of this tab, or an op that can't be applied. Throws if it is anything else.
   */
  handleMessage(message: any): void {
    this.messages.takeByHand(message);
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
  sendOp(doc: ProxyDoc, op: WireOp & {seq?: number; source?: any}): void {
    const {collection: c, id: d, version: v, submitSource} = doc;
    const {src, seq, create, del, source} = op;
    const edit = 'op' in op && {op: op.op};
    const x = submitSource ? {source} : {};
    this.send({a: 'op', c, d, v, src, seq, x, ...edit, ...(create && {create}), ...(del && {del})});
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
      "the socket is the hub's, made by its function `connect`: to come back after `close`, call `open`",
    );
  }

  /** Whether a document, a query or a snapshot request waits for its answer. */
  hasPending(): boolean {
    return Boolean(
      this.#docs.find((doc) => doc.hasPending()) ||
        this.#queries.pending() ||
        this.#snapshotRequests.oldest(),
    );
  }

  /** Whether an op waits for the server. */
  hasWritePending(): boolean {
    return this.#docs.find((doc) => doc.hasWritePending()) !== undefined;
  }

  /** Calls back once nothing is pending. */
  whenNothingPending(callback: Callback): void {
    const again = () => nextTick(() => this.whenNothingPending(callback));
    const doc = this.#docs.find((doc) => doc.hasPending());
    if (doc) return void doc.once('nothing pending', again);
    const query = this.#queries.pending();
    if (query) return void query.once('ready', again);
    const request = this.#snapshotRequests.oldest();
    if (request) return void request.once('ready', again);
    nextTick(callback);
  }

  /**
   * Takes this tab offline; siblings go on. What was submitted before still reaches the server, but for
   * what a paused document holds back; all else waits for `open`.
   */
  close(): void {
    this.#lifetime.close();
  }

  /**
   * Brings a closed connection back, with all it had: documents, pending ops, queries, presence.
   *
   * @throws an `Error` with a `code`: the connection has failed, or its transport object was closed
   */
  open(): void {
    this.#lifetime.open();
  }

  // For the documents

  /** @internal Why nothing can be written or asked any more, if so. */
  whyNothingIsSent(): Error | null {
    return this.#lifetime.whyNothingIsSent();
  }

  /** @internal Whether the tab is offline of its own accord, whatever the hub is. */
  get isOffline(): boolean {
    return this.#lifetime.isOffline;
  }

  /** @internal Keeps what to do when a request has ended. */
  ask(request: number | undefined, callback: (error: Error | null, answer?: any) => void): void {
    this.#requests.add(request, callback);
  }

  /** @internal Ends a request before it has its answer. */
  endRequest(request: number | undefined): void {
    if (request !== undefined) this.#requests.settle(request, null);
  }

  /** @internal A number for a submit. */
  newToken(): number {
    this.#lastToken += 1;
    return this.#lastToken;
  }

  /** @internal Lets go of a query. */
  forgetQuery(query: ProxyQuery): void {
    this.#queries.forget(query);
  }

  /** @internal Takes in a destroyed document that is used again. */
  keep(doc: ProxyDoc): void {
    this.#docs.keep(doc);
  }

  /** @internal Lets go of a document, unless `get` has taken it back. */
  forget(doc: ProxyDoc): void {
    this.#docs.forget(doc);
  }

  // For the hosts

  /** @internal Says where the hub lives. */
  setTopology(event: TopologyEvent): void {
    this.topology = event.topology;
    nextTick(() => this.emit('topology', event));
  }

  /** @internal The core has failed, and nothing in it holds: this tab is of no more use. */
  onCoreFailed(error: Error): void {
    this.#lifetime.fail(error);
  }

  /** @internal No hub could be had: nothing will answer any more. */
  fail(error: Error): void {
    this.#lifetime.fail(error);
  }
}
