import {codeOf, codes} from '../shared/errors.js';
import {doAll} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';
import {type Callback, callEach} from './callbacks.js';
import type {ConnectionBase} from './connection-base.js';
import type {DocState} from './doc-state.js';

/** A call of `subscribe` or `unsubscribe`. */
export interface SubscribeRequest {
  wantSubscribe: boolean;
  callback: Callback | null | undefined;
  /** Its number in the core, once it was asked. */
  request?: number | undefined;
}

/** What the requests of a document need of the connection. */
export interface DocRequestsOwner extends Pick<ConnectionBase, 'ask' | 'canSend' | 'isOffline'> {
  endRequest(request: number | undefined): void;
  sendFetch(doc: RequestingDoc, anew: boolean): number | undefined;
  sendSubscribe(doc: RequestingDoc): number | undefined;
  sendUnsubscribe(doc: RequestingDoc): number | undefined;
}

/** What they need of the document. */
interface RequestingDoc extends DocState {
  readonly connection: DocRequestsOwner;
  inflightFetch: (Callback | undefined)[];
  pendingFetch: (Callback | undefined)[];
  inflightSubscribe: SubscribeRequest | null;
  readonly pendingSubscribe: SubscribeRequest[];
  wantSubscribe: boolean;
  subscribed: boolean;
  readonly willFlush: boolean;
  tellNothingPending(): void;
}

/** What a document asks of the hub: its state, and its changes. */
export class DocRequests {
  readonly #doc: RequestingDoc;
  /** Why the document's state can't come here, since the last that did. */
  #uncarriable: Error | null = null;

  constructor(doc: RequestingDoc) {
    this.#doc = doc;
  }

  /** Asks for the document's state; `anew` replaces what there is. */
  fetch(anew: boolean, callback?: Callback): void {
    const doc = this.#doc;
    doc.pendingFetch.push(callback);
    if (doc.inflightFetch.length > 0 && !anew) return;
    doc.inflightFetch.push(doc.pendingFetch.shift());
    const {connection} = doc;
    const isAnew = anew || this.#uncarriable !== null;
    const ask = () =>
      connection.ask(connection.sendFetch(doc, isAnew), (error) =>
        this.#fetched(error ?? this.#uncarriable),
      );
    // The answer must not overtake an op that was submitted before.
    if (doc.willFlush) nextTick(ask);
    else ask();
  }

  #fetched(error: Error | null): void {
    const doc = this.#doc;
    const callbacks = doc.pendingFetch;
    doc.pendingFetch = [];
    const callback = doc.inflightFetch.shift();
    if (callback) callbacks.unshift(callback);
    if (error) return this.#failed(error, callbacks);
    doAll(
      () => this.#onceCreated(() => callEach(callbacks)),
      () => doc.tellNothingPending(),
    );
  }

  /** The document's state has come. */
  loaded(): void {
    this.#uncarriable = null;
  }

  /** A state or a change of the document can't come here. Returns whether a request will say so. */
  lacks(error: Error): boolean {
    const {inflightFetch, inflightSubscribe} = this.#doc;
    this.#uncarriable = error;
    return inflightFetch.length > 0 || inflightSubscribe?.wantSubscribe === true;
  }

  /**
   * Calls back at once, but for a document that was created here and that the server must know first:
   * what is loaded anew must not wait for ops whose callbacks wait for it.
   */
  #onceCreated(callback: () => void): void {
    const doc = this.#doc;
    const isUnknown = doc.version === null && doc.hasWritePending();
    if (isUnknown && !doc.inHardRollback) doc.once('no write pending', callback);
    else callback();
  }

  /** Asks for the changes of the document, or for no more of them. */
  subscribe(wantSubscribe: boolean, callback?: Callback): void {
    const {pendingSubscribe, inflightSubscribe} = this.#doc;
    const last = pendingSubscribe.at(-1) ?? inflightSubscribe;
    if (last && last.wantSubscribe === wantSubscribe) {
      const earlier = last.callback;
      last.callback =
        earlier && callback
          ? (error) => callEach([earlier, callback], error)
          : (earlier ?? callback);
      return;
    }
    pendingSubscribe.push({wantSubscribe, callback});
    this.#flushSubscribe();
  }

  #flushSubscribe(): void {
    const doc = this.#doc;
    const request = doc.inflightSubscribe ? undefined : doc.pendingSubscribe.shift();
    if (!request) return;
    const {connection} = doc;
    doc.inflightSubscribe = request;
    doc.wantSubscribe = request.wantSubscribe;
    if (!request.wantSubscribe) doc.subscribed = false;
    const number = request.wantSubscribe
      ? connection.sendSubscribe(doc)
      : connection.sendUnsubscribe(doc);
    request.request = number;
    // As in ShareDB, who is offline has no subscription, whatever is said of it later.
    if (connection.isOffline && !request.wantSubscribe) {
      return nextTick(() => this.#subscribeAnswered(null));
    }
    connection.ask(number, (error) =>
      this.#subscribeAnswered(error ?? (request.wantSubscribe ? this.#uncarriable : null)),
    );
  }

  /** The connection was closed: there is no subscription any more. */
  onOffline(): void {
    const {inflightSubscribe, connection} = this.#doc;
    if (inflightSubscribe?.wantSubscribe === false)
      connection.endRequest(inflightSubscribe.request);
  }

  #subscribeAnswered(error: Error | null): void {
    const doc = this.#doc;
    const request = doc.inflightSubscribe;
    doc.inflightSubscribe = null;
    const callbacks = doc.pendingFetch;
    doc.pendingFetch = [];
    if (request?.callback) callbacks.push(request.callback);
    // Without a server the hub answers for its tabs.
    if (!error) doc.subscribed = request?.wantSubscribe === true && doc.connection.canSend;
    const tell = () => {
      if (error) this.#failed(error, callbacks);
      else if (doc.subscribed) this.#onceCreated(() => callEach(callbacks));
      else callEach(callbacks);
    };
    doAll(
      tell,
      () => error || doc.tellNothingPending(),
      () => this.#flushSubscribe(),
    );
  }

  /** The server has answered for a subscription that was lost with the connection. */
  subscribedAnew(error: Error | null): void {
    const doc = this.#doc;
    if (!doc.wantSubscribe) return;
    if (!doc.inflightSubscribe) doc.subscribed = !error;
    // A fetch that waits has the same answer, and says so.
    if (error) this.#failed(error, doc.inflightFetch.length > 0 ? [() => {}] : []);
    else doc.tellNothingPending();
  }

  #failed(error: Error, callbacks: (Callback | undefined)[]): void {
    const doc = this.#doc;
    const silent = codeOf(error) === codes.READ_SILENTLY_REJECTED;
    if (silent) doc.wantSubscribe = false;
    // As in ShareDB, also by a fetch that waited for another, if it has no callback.
    const isHeard = silent || callbacks.length > 0;
    doAll(
      () => callEach(callbacks, silent ? undefined : error),
      () => doc.tellNothingPending(),
      () => isHeard || doc.emit('error', error),
    );
  }
}
