import type {IngestibleSnapshot, Type} from 'sharedb/lib/sharedb.js';
import {Emitter} from '../shared/emitter.js';
import {codeOf, codes, makeError, toError} from '../shared/errors.js';
import {doAll, forAll} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';
import type {WireOp, WireSnapshot} from '../shared/wire.js';
import {applyOp, setType} from './apply.js';
import {type Callback, callbackOrEmit} from './callbacks.js';
import type {ConnectionBase} from './connection-base.js';
import {DocRequests, type DocRequestsOwner, type SubscribeRequest} from './doc-requests.js';
import type {DocEvents} from './doc-state.js';
import {type Ingested, ingest} from './ingest.js';
import type {Messages} from './messages.js';
import type {Owner} from './owner.js';
import {prepareEdit} from './prepare-edit.js';
import {type Answered, Submits} from './submits.js';
import type {UnloadJournal} from './unload-journal.js';

/** ShareDB's options of `submitOp`, `create` and `del`. */
export interface SourceOptions {
  /** Who made the op; `true` if missing. Listeners get it as `source`. */
  source?: any;
}

/** What a document needs of the connection. */
export interface DocOwner
  extends DocRequestsOwner,
    Pick<ConnectionBase, 'core' | 'emit' | 'failure' | 'types'> {
  readonly unloadJournal: UnloadJournal;
  readonly messages: Messages;
  isAutoFlush(): boolean;
  newToken(): number;
  keep(doc: ProxyDoc): void;
  forget(doc: ProxyDoc): void;
}

/**
 * A document of the hub, as a tab sees it: the API and the events of ShareDB's `Doc`.
 *
 * Local edits are applied at once. `callback`s are called when the server has answered.
 */
export class ProxyDoc<T = any> extends Emitter<DocEvents<T>> {
  /** The connection this document belongs to. */
  readonly connection: Owner<DocOwner>;
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
  key: number;
  /** @internal Whether `destroy` was called and not taken back by `connection.get`. */
  wantsDestroy = false;
  /** @internal How many requests for many documents wait for this one. */
  bulkFetches = 0;
  /** @internal Whether an op that was submitted in this tick is still to be sent. */
  willFlush = false;
  readonly #requests = new DocRequests(this);
  readonly #submits = new Submits(this, this.#requests);
  #nothingPendingCallbacks: (() => void)[] = [];
  /** When an op was sent last, in milliseconds since 1970. */
  #sentAt = 0;
  /** The version as the hub told it. */
  #toldVersion: number | null = null;

  /** @internal Use `connection.get`. */
  constructor(connection: DocOwner, collection: string, id: string) {
    super();
    this.connection = connection as Owner<DocOwner>;
    this.collection = collection;
    this.id = id;
    this.key = connection.core.open(String(collection), String(id));
  }

  /** @internal Begins anew with the state that it had as it was destroyed. */
  open(): void {
    const {collection, id, type, version, connection} = this;
    this.key = connection.core.open(String(collection), String(id));
    connection.core.setPaused(this.key, this.paused);
    if (version === null) return;
    const data = type?.serialize ? type.serialize(this.data) : this.data;
    connection.core.ingest(this.key, {version, type: type?.uri, data});
  }

  /** @internal Whether the document is being loaded anew after an op that failed. */
  get inHardRollback(): boolean {
    return this.#submits.inHardRollback;
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
    const {core} = this.connection;
    const [ops, sent] = [core.pendingOps(this.key), core.sentOps(this.key)];
    return [ops.slice(0, sent), ops.slice(sent)];
  }

  /**
   * Takes a state that came by other means, such as with the page. What is older than the
   * document's own state is ignored.
   */
  ingestSnapshot(snapshot: Ingested<T>, callback?: Callback): void {
    ingest(this, snapshot, callback);
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
      this.bulkFetches > 0 ||
      this.inflightSubscribe !== null ||
      this.pendingSubscribe.length > 0
    );
  }

  /** Whether an op waits for the server. */
  hasWritePending(): boolean {
    return this.#submits.size > 0;
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
  onceNothingPending(callback: () => void): void {
    nextTick(() => {
      if (this.hasNothingPending()) callback();
      else this.#nothingPendingCallbacks.push(callback);
    });
  }

  /** @internal */
  hasNothingPending(): boolean {
    return !this.hasPending() && this.connection.core.hasNothingPending(this.key);
  }

  #tellNothingPending(): void {
    if (this.#nothingPendingCallbacks.length === 0 || !this.hasNothingPending()) return;
    const callbacks = this.#nothingPendingCallbacks;
    this.#nothingPendingCallbacks = [];
    forAll(callbacks, (callback) => callback());
  }

  /** @internal Something has its answer: tells those who wait until nothing is pending. */
  tellNothingPending(): void {
    doAll(
      () => this.hasWritePending() || this.emit('no write pending'),
      () => this.hasPending() || this.emit('nothing pending'),
      () => this.#tellNothingPending(),
    );
  }

  // Fetch and subscribe

  /** Loads the document, or brings it up to date. */
  fetch(callback?: Callback): void {
    this.connection.keep(this);
    this.#requests.fetch(false, callback);
  }

  /** Loads the document and keeps it up to date. */
  subscribe(callback?: Callback): void {
    this.connection.keep(this);
    this.#requests.subscribe(true, callback);
  }

  /** Stops to keep the document up to date. */
  unsubscribe(callback?: Callback): void {
    this.#requests.subscribe(false, callback);
  }

  /** @internal The upstream connection changed its state: what is lost with it, the hub asks for anew. */
  onConnectionStateChanged(): void {
    if (!this.connection.canSend) this.subscribed = false;
    if (this.connection.isOffline) this.#requests.onOffline();
  }

  /** @internal The connection is back after it was closed. */
  onReturned(): void {
    const isAsked = this.inflightSubscribe || this.pendingSubscribe.length > 0;
    if (this.wantSubscribe && !isAsked) this.#requests.subscribe(true);
  }

  /** @internal The server has answered for a subscription that was lost. */
  onSubscribed(error: Error | null): void {
    this.#requests.subscribedAnew(error);
  }

  /** @internal The next hub does not know what this document had asked the lost one for. */
  onHubLost(): void {
    if (this.wantSubscribe) this.#requests.subscribe(true);
  }

  /** @internal There is no hub: the connection says so, and so do the callbacks that wait. */
  onConnectionFailed(error: Error): void {
    this.#submits.fail(error);
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
    this.connection.keep(this);
    const refused = this.connection.failure ?? this.#checkVersion() ?? prepareEdit(this, op);
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
      this.#submits.add(token, callback, 'op' in op);
      applyOp(this, op, source);
    } catch (error) {
      this.#submits.add(token, callback, 'op' in op);
      return this.#submits.hardRollback(error, token);
    }
    this.connection.unloadJournal.onChanged();
    this.#flushSoon();
  }

  #flushSoon(): void {
    this.willFlush = true;
    nextTick(() => {
      this.willFlush = false;
      if (this.connection.isAutoFlush()) this.flush();
    });
  }

  /** A version that the application has set to a later one is refused, as the server would. */
  #checkVersion(): Error | undefined {
    if ((this.version ?? 0) <= (this.#toldVersion ?? 0)) return;
    const message = `Op version ${this.version} newer than current snapshot ${this.#toldVersion}`;
    return makeError(codes.OP_VERSION_NEWER, message);
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
    this.connection.unloadJournal.onChanged();
  }

  /** @internal The hub says this version. */
  setVersion(version: number | null): void {
    this.version = version;
    this.#toldVersion = version;
  }

  // What the hub says

  /** @internal A change by others. */
  onApply(change: WireOp, version: number | null, src: string | undefined): void {
    const op = src === undefined ? change : {...change, src};
    doAll(
      () => this.connection.messages.tellOpReceived(this, this.version, op),
      () => this.#apply(op, version),
      () => this.#tellNothingPending(),
    );
  }

  #apply(op: WireOp, version: number | null): void {
    this.setVersion(version);
    try {
      applyOp(this, op, false);
    } catch (error) {
      this.#submits.hardRollback(error);
    }
  }

  /** @internal The document's state, in place of what there was. */
  onLoad(snapshot: WireSnapshot, dropped: Answered): void {
    this.#requests.loaded();
    this.setVersion(snapshot.version ?? null);
    setType(this, snapshot.type ?? null);
    const {type} = this;
    this.data = (type?.deserialize ? type.deserialize(snapshot.data) : snapshot.data) as T;
    const message = `Discarding pending op because ${this.collection}.${this.id} was loaded anew`;
    const error = makeError(codes.PENDING_OP_REMOVED, message);
    doAll(
      // As in ShareDB, a document that lost its state and can't be loaded is not loaded.
      () => (this.version !== null || this.type) && this.emit('load'),
      () => dropped.length > 0 && this.#submits.discard(dropped, error),
      () => this.#tellNothingPending(),
    );
  }

  /** @internal The document upstream emitted an error, or a state or a change of it can't be sent. */
  onError(error: Error): void {
    const isToldLater = codeOf(error) === codes.UNCARRIABLE && this.#requests.lacks(error);
    if (!isToldLater) this.emit('error', error);
  }

  /** @internal An op is on its way to the hub. */
  onSent(op: WireOp): void {
    this.#sentAt = Date.now();
    // Without a server, the hub keeps it.
    if (this.connection.canSend) this.connection.messages.tellOpSent(this, op);
  }

  /** @internal The server has answered for ops, or only the version changed. */
  onAnswered(answered: Answered, version: number | null, error: Error | null): void {
    this.setVersion(version);
    if (answered.length === 0) return this.#tellNothingPending();
    this.#submits.answered(answered, error);
  }

  /** @internal The core has given up the document's state. */
  onRolledBack(error: Error, dropped: Answered): void {
    this.#submits.rolledBack(error, dropped);
  }

  /** Forgets the document once nothing is pending. */
  destroy(callback?: Callback): void {
    this.wantsDestroy = true;
    this.whenNothingPending(() => {
      const finish = (error?: Error | null) => {
        if (error) return callbackOrEmit(this, error, callback);
        doAll(
          () => this.connection.forget(this),
          () => callback?.(),
        );
      };
      if (this.wantSubscribe) this.unsubscribe(finish);
      else finish();
    });
  }
}
