import type {DocEventMap, IngestibleSnapshot, Type} from 'sharedb/lib/sharedb.js';
import {applyOp, setType} from './apply.js';
import {type Callback, callbackOrEmit, callEach} from './callbacks.js';
import type {ProxyConnection} from './connection.js';
import {Emitter, type ErrorEvents} from './emitter.js';
import {type CoreError, codeOf, codes, isShareDBError, makeError, toError} from './errors.js';
import {nextTick} from './next-tick.js';
import {checkPaths} from './paths.js';

/** An op as it goes over the wire. */
export interface WireOp {
  op?: any;
  create?: {type: string; data?: any; snapshot?: boolean};
  del?: true;
  src?: string;
}

/** A document's state as the hub sends it. */
export interface WireSnapshot {
  version?: number | undefined;
  type?: string | undefined;
  data?: unknown;
}

/** Why a document may load anew without an error, if no op was lost. */
const quiet: unknown[] = [codes.OP_SUBMIT_REJECTED, codes.HUB_LOST];

interface SubscribeRequest {
  wantSubscribe: boolean;
  callback: Callback | null | undefined;
}

/** ShareDB's options of `submitOp`, `create` and `del`. */
export interface SourceOptions {
  /** Who made the op; `true` if missing. Listeners get it as `source`. */
  source?: any;
}

/** The events of ShareDB's `Doc`. */
export interface DocEvents<T> extends Omit<DocEventMap<T>, 'error'>, ErrorEvents {}

/**
 * A document of the hub, as a tab sees it: the API and the events of ShareDB's `Doc`.
 *
 * Local edits are applied at once. `callback`s are called when the server has answered.
 */
export class ProxyDoc<T = any> extends Emitter<DocEvents<T>> {
  /** The connection this document belongs to. */
  readonly connection: ProxyConnection;
  readonly collection: string;
  readonly id: string;
  /** ShareDB's version of the document; `null` before it is known. */
  version: number | null = null;
  /** The OT type; `null` if the document does not exist. */
  type: Type | null = null;
  /** The data, the tab's own ops included. Read only. */
  data: T = undefined as T;
  /** Whether changes by others arrive. */
  subscribed = false;
  /** Whether the application asked for changes by others. */
  wantSubscribe = false;
  /** Whether ops are held back; see `pause`. */
  paused = false;
  /** Set it to keep submitted ops apart that would be composed. */
  preventCompose = false;
  /** Set it to send each op's source to the server. */
  submitSource = false;
  inflightFetch: (Callback | undefined)[] = [];
  pendingFetch: (Callback | undefined)[] = [];
  inflightSubscribe: SubscribeRequest | null = null;
  pendingSubscribe: SubscribeRequest[] = [];

  /** @internal Stands for this document in the core. */
  readonly key: number;
  /** @internal Whether `destroy` was called and not taken back by `connection.get`. */
  wantsDestroy = false;
  /** The submits the server has not answered for, oldest first. */
  readonly #callbacks = new Map<number, Callback | undefined>();
  #settledCallbacks: (() => void)[] = [];
  #inHardRollback = false;
  #willFlush = false;
  /** When an op was sent last, in milliseconds since 1970. */
  #sentAt = 0;
  /** The version as the hub told it. */
  #toldVersion: number | null = null;
  /** Of ops that were dropped: they hear of it once the document is loaded anew. */
  readonly #lost: {callbacks: (Callback | undefined)[]; error: Error}[] = [];

  /** @internal Use `connection.get`. */
  constructor(connection: ProxyConnection, collection: string, id: string) {
    super();
    this.connection = connection;
    this.collection = collection;
    this.id = id;
    this.key = connection.core.open(String(collection), String(id));
  }

  /** @internal Whether the document is being loaded anew after an op that failed. */
  get inHardRollback(): boolean {
    return this.#inHardRollback;
  }

  /** The op the server has and has not answered, if any. */
  get inflightOp(): (WireOp & {sentAt: number}) | null {
    const [op] = this.connection.canSend ? this.#sentAndWaiting()[0] : [];
    return op ? {...op, sentAt: this.#sentAt} : null;
  }

  /** The ops that wait, oldest first. */
  get pendingOps(): WireOp[] {
    const [sent, waiting] = this.#sentAndWaiting();
    return [...(this.connection.canSend ? sent.slice(1) : sent), ...waiting];
  }

  #sentAndWaiting(): [WireOp[], WireOp[]] {
    const [count, ...ops] = this.connection.core.pendingOps(this.key) as [number, ...WireOp[]];
    return [ops.slice(0, count), ops.slice(count)];
  }

  /**
   * Takes a state that came by other means, such as with the page. What is older than the
   * document's own state is ignored.
   */
  ingestSnapshot(
    snapshot: (Omit<IngestibleSnapshot<T>, 'type'> & {type?: string | null}) | null | undefined,
    callback?: Callback,
  ): void {
    if (!snapshot) return callback?.();
    if (typeof snapshot.v !== 'number') {
      const message = `Missing version in ingested snapshot. ${this.collection}.${this.id}`;
      return callbackOrEmit(this, makeError(codes.INGESTED_WITHOUT_VERSION, message), callback);
    }
    if (this.type || this.hasWritePending()) return this.#catchUpTo(snapshot.v, callback);
    if (this.version !== null && this.version > snapshot.v) return callback?.();
    const type =
      snapshot.type === undefined ? this.connection.types.defaultType.uri : snapshot.type;
    const state: WireSnapshot = {version: snapshot.v, type: type ?? undefined, data: snapshot.data};
    try {
      this.connection.core.ingest(this.key, state);
    } catch (error) {
      return callbackOrEmit(this, toError(error as CoreError), callback);
    }
    this.onLoad(state, new Float64Array());
    callback?.();
  }

  /** The document has a state: it needs the ops up to the version, not the state. */
  #catchUpTo(version: number, callback?: Callback): void {
    if (this.version !== null) {
      if (version > this.version) return this.fetch(callback);
      return callback?.();
    }
    if (this.hasWritePending()) {
      if (callback) this.once('no write pending', callback);
      return;
    }
    const message = `Cannot ingest snapshot in doc with null version. ${this.collection}.${this.id}`;
    callbackOrEmit(this, makeError(codes.DOC_MISSING_VERSION, message), callback);
  }

  /** The state of a document that exists, for `ingestSnapshot`. */
  toSnapshot(): IngestibleSnapshot<T> {
    const data = this.data === undefined ? undefined : JSON.parse(JSON.stringify(this.data));
    return {v: this.version as number, data, type: (this.type as Type).uri as string};
  }

  // Pending work

  /** Whether an op, a fetch or a subscription waits for its answer. */
  hasPending(): boolean {
    return (
      this.hasWritePending() ||
      this.inflightFetch.length > 0 ||
      this.pendingFetch.length > 0 ||
      this.inflightSubscribe !== null ||
      this.pendingSubscribe.length > 0
    );
  }

  /** Whether an op waits for the server. */
  hasWritePending(): boolean {
    return this.#callbacks.size > 0;
  }

  /** Calls back once nothing is pending. */
  whenNothingPending(callback: Callback): void {
    nextTick(() => {
      if (this.hasPending()) this.once('nothing pending', callback);
      else callback();
    });
  }

  /**
   * @internal Calls back once nothing is pending and the server has answered for every op in the
   * data, siblings' included: then the data is that of the version.
   */
  whenSettled(callback: () => void): void {
    nextTick(() => {
      if (this.isSettled()) callback();
      else this.#settledCallbacks.push(callback);
    });
  }

  /** @internal */
  isSettled(): boolean {
    return !this.hasPending() && this.connection.core.isSettled(this.key);
  }

  #tellSettled(): void {
    if (this.#settledCallbacks.length === 0 || !this.isSettled()) return;
    const callbacks = this.#settledCallbacks;
    this.#settledCallbacks = [];
    for (const callback of callbacks) callback();
  }

  #emitNothingPending(): void {
    this.#emitPending();
    this.#tellSettled();
  }

  #emitPending(): void {
    if (this.hasWritePending()) return;
    this.emit('no write pending');
    if (this.hasPending()) return;
    this.emit('nothing pending');
  }

  // Fetch and subscribe

  /** Loads the document, or brings it up to date. */
  fetch(callback?: Callback): void {
    this.#fetch(false, callback);
  }

  #fetch(anew: boolean, callback?: Callback): void {
    this.pendingFetch.push(callback);
    if (this.inflightFetch.length > 0 && !anew) return;
    this.inflightFetch.push(this.pendingFetch.shift());
    const ask = () =>
      this.connection.ask(this.connection.sendFetch(this, anew), (error) => this.#fetched(error));
    // The answer must not overtake an op that was submitted before.
    if (this.#willFlush) nextTick(ask);
    else ask();
  }

  #fetched(error: Error | null): void {
    const callbacks = this.pendingFetch;
    this.pendingFetch = [];
    const callback = this.inflightFetch.shift();
    if (callback) callbacks.unshift(callback);
    if (error) return this.#failed(error, callbacks);
    this.#onceCreated(() => callEach(callbacks));
    this.#emitNothingPending();
  }

  /** Calls back at once, but for a document that was created here and that the server must know first. */
  #onceCreated(callback: () => void): void {
    if (this.version === null && this.hasWritePending()) this.once('no write pending', callback);
    else callback();
  }

  /** Loads the document and keeps it up to date. */
  subscribe(callback?: Callback): void {
    this.#queueSubscribe(true, callback);
  }

  /** Stops to keep the document up to date. */
  unsubscribe(callback?: Callback): void {
    this.#queueSubscribe(false, callback);
  }

  #queueSubscribe(wantSubscribe: boolean, callback?: Callback): void {
    const last = this.pendingSubscribe.at(-1) ?? this.inflightSubscribe;
    if (last && last.wantSubscribe === wantSubscribe) {
      const earlier = last.callback;
      last.callback =
        earlier && callback
          ? (error) => callEach([earlier, callback], error)
          : (earlier ?? callback);
      return;
    }
    this.pendingSubscribe.push({wantSubscribe, callback});
    this.#flushSubscribe();
  }

  #flushSubscribe(): void {
    const request = this.inflightSubscribe ? undefined : this.pendingSubscribe.shift();
    if (!request) return;
    const {connection} = this;
    this.inflightSubscribe = request;
    this.wantSubscribe = request.wantSubscribe;
    if (!request.wantSubscribe) this.subscribed = false;
    const number = request.wantSubscribe
      ? connection.sendSubscribe(this)
      : connection.sendUnsubscribe(this);
    connection.ask(number, (error) => this.#subscribeAnswered(error));
  }

  #subscribeAnswered(error: Error | null): void {
    const request = this.inflightSubscribe;
    this.inflightSubscribe = null;
    const callbacks = this.pendingFetch;
    this.pendingFetch = [];
    callbacks.push(request?.callback ?? undefined);
    if (error) this.#failed(error, callbacks);
    else {
      this.subscribed = request?.wantSubscribe === true;
      if (this.subscribed) this.#onceCreated(() => callEach(callbacks));
      else callEach(callbacks);
      this.#emitNothingPending();
    }
    this.#flushSubscribe();
  }

  #failed(error: Error, callbacks: (Callback | undefined)[]): void {
    const silent = codeOf(error) === codes.READ_SILENTLY_REJECTED;
    if (silent) this.wantSubscribe = false;
    const called = callEach(callbacks, silent ? undefined : error);
    this.#emitNothingPending();
    if (!called && !silent) this.emit('error', error);
  }

  /** @internal The upstream connection changed its state. */
  onConnectionStateChanged(): void {
    this.subscribed = this.connection.canSend && this.wantSubscribe && !this.inflightSubscribe;
  }

  /** @internal The next hub does not know what this document had asked the lost one for. */
  onHubLost(): void {
    if (this.wantSubscribe) this.#queueSubscribe(true);
  }

  /** @internal There is no hub: the connection says so, and so do the callbacks that wait. */
  onConnectionFailed(error: Error): void {
    callEach(this.#takeCallbacks([...this.#callbacks.keys()]), error);
    this.#emitNothingPending();
  }

  // Ops

  /** Applies an op here and now, and submits it to the server. */
  submitOp(component: any, options?: SourceOptions | Callback | null, callback?: Callback): void {
    if (typeof options === 'function') return this.submitOp(component, null, options);
    this.#submit({op: component}, options?.source, callback);
  }

  /** Creates the document. */
  create(
    data: T,
    type?: string | {uri: string} | Callback | null,
    options?: SourceOptions | Callback | null,
    callback?: Callback,
  ): void {
    if (typeof type === 'function') return this.create(data, null, null, type);
    if (typeof options === 'function') return this.create(data, type, null, options);
    if (this.type) {
      const error = makeError(codes.DOC_ALREADY_CREATED, 'Document already exists');
      return callbackOrEmit(this, error, callback);
    }
    const name =
      (typeof type === 'object' ? type?.uri : type) || this.connection.types.defaultType.uri;
    this.#submit({create: {type: name, data}}, options?.source, callback);
  }

  /** Deletes the document. */
  del(options?: SourceOptions | Callback | null, callback?: Callback): void {
    if (typeof options === 'function') return this.del(null, options);
    if (!this.type) {
      const error = makeError(codes.DOC_DOES_NOT_EXIST, 'Document does not exist');
      return callbackOrEmit(this, error, callback);
    }
    this.#submit({del: true}, options?.source, callback);
  }

  #submit(op: WireOp, givenSource: unknown, callback?: Callback): void {
    const source = givenSource || true;
    const refused = this.connection.failure ?? this.#checkVersion() ?? this.#prepare(op);
    if (refused) return callbackOrEmit(this, refused, callback);
    const {core} = this.connection;
    const token = this.connection.newToken();
    try {
      const error = core.submit(
        this.key,
        op,
        source,
        this.submitSource,
        this.preventCompose,
        token,
      );
      if (error) return callbackOrEmit(this, toError(error), callback);
      this.#callbacks.set(token, callback);
      applyOp(this, op, source);
    } catch (error) {
      this.#callbacks.set(token, callback);
      return this.#hardRollback(error, [token]);
    }
    this.#flushSoon();
  }

  #flushSoon(): void {
    this.#willFlush = true;
    nextTick(() => {
      this.#willFlush = false;
      if (this.connection.isAutoFlush()) this.flush();
    });
  }

  /** A version that the application has set to a later one is refused, as the server would. */
  #checkVersion(): Error | undefined {
    if ((this.version ?? 0) <= (this.#toldVersion ?? 0)) return;
    const message = `Op version ${this.version} newer than current snapshot ${this.#toldVersion}`;
    return makeError(codes.OP_VERSION_NEWER, message);
  }

  /** Normalizes an edit; returns why it can't be submitted, if so. */
  #prepare(op: WireOp): Error | undefined {
    if (!('op' in op)) return;
    if (!this.type) {
      return this.#inHardRollback
        ? makeError(
            codes.DOC_IN_HARD_ROLLBACK,
            `Cannot submit op. Document is performing hard rollback. ${this.collection}.${this.id}`,
          )
        : makeError(
            codes.DOC_DOES_NOT_EXIST,
            `Cannot submit op. Document has not been created. ${this.collection}.${this.id}`,
          );
    }
    if (this.type.normalize) {
      try {
        op.op = this.type.normalize(op.op);
      } catch (error) {
        if (isShareDBError(error)) return error;
        return makeError(codes.OP_BADLY_FORMED, (error as Error)?.message ?? String(error));
      }
    }
    return checkPaths(this.type, op.op);
  }

  /** Holds ops back until `resume`. */
  pause(): void {
    this.paused = true;
    this.connection.core.setPaused(this.key, true);
  }

  /** Sends what `pause` held back: each op when the server has answered for the one before. */
  resume(): void {
    this.paused = false;
    this.connection.core.setPaused(this.key, false);
    this.flush();
  }

  /** Sends what was submitted, without waiting for the end of the tick. */
  flush(): void {
    this.connection.core.flush(this.key);
  }

  #setVersion(version: number | null): void {
    this.version = version;
    this.#toldVersion = version;
  }

  // What the hub says

  /** @internal A change by others. */
  onApply(change: WireOp, version: number | null, src: string | undefined): void {
    const op = src === undefined ? change : {...change, src};
    this.connection.messages.tellOpReceived(this, this.version, op);
    this.#setVersion(version);
    try {
      applyOp(this, op, false);
    } catch (error) {
      this.#hardRollback(error, []);
    }
    this.#tellSettled();
  }

  /** @internal The document's state, in place of what there was. */
  onLoad(snapshot: WireSnapshot, dropped: Float64Array): void {
    this.#setVersion(snapshot.version ?? null);
    setType(this, snapshot.type ?? null);
    const {type} = this;
    this.data = (type?.deserialize ? type.deserialize(snapshot.data) : snapshot.data) as T;
    this.emit('load');
    if (dropped.length > 0) {
      const message = `Discarding pending op because ${this.collection}.${this.id} was loaded anew`;
      this.#settle(dropped, makeError(codes.PENDING_OP_REMOVED, message));
    }
    this.#tellSettled();
  }

  /** @internal An op is on its way to the hub. */
  onSent(op: WireOp): void {
    this.#sentAt = Date.now();
    // Without a server, the hub keeps it.
    if (this.connection.canSend) this.connection.messages.tellOpSent(this, op);
  }

  /** @internal The server has answered for ops, or only the version changed. */
  onSettled(tokens: Float64Array, version: number | null, error: Error | null): void {
    this.#setVersion(version);
    if (tokens.length === 0) return this.#tellSettled();
    if (!error || !this.#inHardRollback) return this.#settle(tokens, error);
    this.#lost.push({callbacks: this.#takeCallbacks(tokens), error});
  }

  #settle(tokens: Float64Array, error: Error | null): void {
    const callbacks = this.#takeCallbacks(tokens);
    const called = callEach(callbacks, error ?? undefined);
    const unheard = error && !called ? error : null;
    // ShareDB loads a document anew if it can't invert the op, and then says so first.
    const isLoadedAnew = !this.type?.invert;
    if (unheard && isLoadedAnew) this.emit('error', unheard);
    this.#emitNothingPending();
    if (unheard && !isLoadedAnew) this.emit('error', unheard);
  }

  #takeCallbacks(tokens: Iterable<number>): (Callback | undefined)[] {
    const callbacks: (Callback | undefined)[] = [];
    for (const token of tokens) {
      if (!this.#callbacks.has(token)) continue;
      callbacks.push(this.#callbacks.get(token));
      this.#callbacks.delete(token);
    }
    return callbacks;
  }

  /** @internal The core has given up the document's state. */
  onRolledBack(error: Error, dropped: Float64Array): void {
    this.#loadAnew(error, dropped);
  }

  /** Gives up the document's state after an op that could not be applied. */
  #hardRollback(error: unknown, tokens: number[]): void {
    const dropped = new Set([...this.connection.core.rollBack(this.key), ...tokens]);
    this.#loadAnew(toError(error as CoreError), dropped);
  }

  /** Loads the document anew, then says why to those whose ops were dropped. */
  #loadAnew(error: Error, dropped: Iterable<number>): void {
    this.#inHardRollback = true;
    setType(this, null);
    this.#setVersion(null);
    this.#lost.push({callbacks: this.#takeCallbacks(dropped), error});
    this.#fetch(true, (fetchError) => {
      this.#inHardRollback = false;
      if (fetchError) {
        const message = `Hard rollback fetch failed: ${fetchError.message}`;
        this.emit('error', makeError(codes.HARD_ROLLBACK_FETCH_FAILED, message));
      }
      for (const {callbacks, error} of this.#lost.splice(0)) {
        if (callbacks.length === 0 && quiet.includes(codeOf(error))) continue;
        const allHeard = callbacks.length > 0 && callbacks.every(Boolean);
        callEach(callbacks, error);
        if (!allHeard) this.emit('error', error);
      }
    });
  }

  /** Forgets the document once nothing is pending. */
  destroy(callback?: Callback): void {
    this.wantsDestroy = true;
    this.whenNothingPending(() => {
      const finish = (error?: Error | null) => {
        if (error) return callbackOrEmit(this, error, callback);
        this.connection.forget(this);
        callback?.();
      };
      if (this.wantSubscribe) this.unsubscribe(finish);
      else finish();
    });
  }
}
