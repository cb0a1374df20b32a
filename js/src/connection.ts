import {EventEmitter} from 'events';
import {TabCore, type TransportEnd} from '../wasm/tabmux.js';
import type {Callback} from './callbacks.js';
import {ProxyDoc, type WireOp, type WireSnapshot} from './doc.js';
import {type CoreError, codes, makeError, toError} from './errors.js';
import {nextTick} from './next-tick.js';
import type {Layer, TraceEvent} from './options.js';

/** The states of ShareDB's connection. */
export type State = 'connecting' | 'connected' | 'disconnected' | 'closed' | 'stopped';

/** One tab of the hub. */
export interface TabInfo {
  /** The tab's id. */
  id: string;
  /** When it joined the hub, in milliseconds since 1970. */
  since: number;
  /** Whether it is this very tab. */
  self: boolean;
}

/** Where the hub lives, and why there. */
export interface TopologyEvent {
  topology: 'shared-worker' | 'direct' | 'custom';
  reason: string;
}

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
  /** Called once, when this tab leaves the hub. */
  onClose: () => void;
}

/**
 * A tab's connection to the hub: the API and the events of ShareDB's `Connection`.
 *
 * Make one with `createConnection`.
 */
export class ProxyConnection extends EventEmitter {
  /** The documents, by collection and id. */
  readonly collections: Record<string, Record<string, ProxyDoc>> = Object.create(null);
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
  /** Where the hub lives; `null` before that is known. */
  topology: TopologyEvent['topology'] | null = null;
  /** @internal The registry of OT types. */
  readonly types: ConnectionSettings['types'];
  /** @internal */
  readonly core: TabCore;
  /** @internal Why nothing can be asked or submitted any more. */
  failure: Error | null = null;
  readonly #docs = new Map<number, ProxyDoc>();
  readonly #requests = new Map<number, (error: Error | null) => void>();
  readonly #onClose: () => void;
  #lastToken = 0;
  /** `close` was called, and the hub's last word was from before. */
  #closing = false;

  /** @internal Use `createConnection`. */
  constructor(settings: ConnectionSettings) {
    super();
    const {tabId, identity, codec, transport, trace} = settings;
    this.tabId = tabId;
    this.types = settings.types;
    this.#onClose = settings.onClose;
    const core = {id: tabId, identity, codec};
    try {
      this.core = new TabCore(
        core,
        settings.context,
        settings.middleware,
        settings.types.map,
        transport,
        this.#handler(),
        trace && quietly(trace),
      );
    } catch (error) {
      throw toError(error as CoreError);
    }
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
    callback: (error: Error | null, docs?: ProxyDoc[]) => void,
  ): void {
    const docs = ids.map((id) => this.get(collection, id));
    const keys = new Uint32Array(docs.map((doc) => doc.key));
    this.ask(this.core.getBulk(keys), (error) => (error ? callback(error) : callback(null, docs)));
  }

  /** Whether a document has something pending. */
  hasPending(): boolean {
    return this.#anyDoc((doc) => doc.hasPending()) !== undefined;
  }

  /** Whether an op waits for the server. */
  hasWritePending(): boolean {
    return this.#anyDoc((doc) => doc.hasWritePending()) !== undefined;
  }

  /** Calls back once nothing is pending in any document. */
  whenNothingPending(callback: Callback): void {
    const doc = this.#anyDoc((doc) => doc.hasPending());
    if (!doc) return nextTick(callback);
    doc.once('nothing pending', () => nextTick(() => this.whenNothingPending(callback)));
  }

  #anyDoc(fits: (doc: ProxyDoc) => boolean): ProxyDoc | undefined {
    for (const doc of this.#docs.values()) if (fits(doc)) return doc;
    return undefined;
  }

  /** Leaves the hub. What was submitted before still reaches the server. */
  close(): void {
    if (this.state === 'closed') return;
    for (const doc of this.#docs.values()) if (!doc.paused) doc.flush();
    this.leave();
    this.#closing = this.state === 'connecting' || this.state === 'connected';
    this.#setState('closed', 'closed');
  }

  /** @internal What `close` does for good; where a closed connection may come back, it is replaced. */
  leave(): void {
    this.core.leave();
    this.#onClose();
  }

  // For the documents

  /** @internal Keeps what to do when a request has ended. */
  ask(request: number | undefined, callback: (error: Error | null) => void): void {
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
    if (this.state === 'closed' || this.state === 'stopped') return;
    this.failure = error;
    this.#setState('stopped', error.message);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const callback of requests) guard(this, () => callback(error));
    for (const doc of this.#docs.values()) guard(this, () => doc.onConnectionFailed(error));
    nextTick(() => this.emit('error', error));
  }

  /** Nobody but the application can make another of its own transports. */
  #transportClosed(reason: string): void {
    if (this.topology !== 'custom') return this.#setState('disconnected', reason);
    this.fail(makeError(codes.TRANSPORT_CLOSED, `the way to the hub is gone: ${reason}`));
  }

  #setState(state: State, reason?: unknown): void {
    if (this.state === state) return;
    this.state = state;
    this.canSend = state === 'connected';
    for (const doc of this.#docs.values()) doc.onConnectionStateChanged();
    this.emit(state, reason);
    this.emit('state', state, reason);
  }

  /** What the core calls; nothing thrown by a listener may pass through the core. */
  #handler() {
    const withDoc = (key: number, action: (doc: ProxyDoc) => void) =>
      guard(this, () => {
        const doc = this.#docs.get(key);
        if (doc) action(doc);
      });
    return {
      joined: (_epoch: number) => {},
      refused: (error: CoreError) => guard(this, () => this.fail(toError(error))),
      hubLost: () =>
        guard(this, () => {
          this.#setState('disconnected', 'the hub is gone');
          for (const doc of this.#docs.values()) doc.onHubLost();
        }),
      closed: (reason: string | undefined) =>
        guard(this, () => this.#transportClosed(reason ?? 'the transport was closed')),
      state: (state: State, id: string | undefined, reason: unknown) =>
        guard(this, () => {
          if (this.#closing && (state === 'connecting' || state === 'connected')) return;
          this.#closing = false;
          this.id = id ?? this.id;
          this.#setState(state, reason);
        }),
      tabs: (tabs: {id: string; since: number}[]) =>
        guard(this, () => {
          this.tabs = tabs.map((tab) => ({...tab, self: tab.id === this.tabId}));
          this.emit('tabs', this.tabs);
        }),
      callback: (request: number, error: CoreError | null) =>
        guard(this, () => {
          const callback = this.#requests.get(request);
          this.#requests.delete(request);
          callback?.(toError(error));
        }),
      load: (key: number, snapshot: WireSnapshot, dropped: Float64Array) =>
        withDoc(key, (doc) => doc.onLoad(snapshot, dropped)),
      apply: (key: number, op: WireOp, version: number | null, src: string | undefined) =>
        withDoc(key, (doc) => doc.onApply(op, version, src)),
      rolledBack: (key: number, error: CoreError, dropped: Float64Array) =>
        withDoc(key, (doc) => doc.onRolledBack(toError(error), dropped)),
      settled: (
        key: number,
        tokens: Float64Array,
        version: number | null,
        error: CoreError | null,
      ) => withDoc(key, (doc) => doc.onSettled(tokens, version, toError(error))),
      docError: (key: number, error: CoreError) =>
        withDoc(key, (doc) => doc.emit('error', toError(error))),
      fault: (error: CoreError) => guard(this, () => this.emit('fault', toError(error))),
    };
  }
}

/** Runs what calls listeners; as in ShareDB, what they throw becomes the connection's `error`. */
function guard(connection: ProxyConnection, action: () => void): void {
  try {
    action();
  } catch (error) {
    nextTick(() => connection.emit('error', error));
  }
}

/** The callback, with what it throws reported as uncaught. */
function quietly(trace: (event: TraceEvent) => void): (event: TraceEvent) => void {
  return (event) => {
    try {
      trace(event);
    } catch (error) {
      nextTick(() => {
        throw error;
      });
    }
  };
}
