import type {Connection, Doc} from 'sharedb/lib/client/index.js';
import type {
  DocId,
  Fitted,
  Head,
  Op,
  Origin,
  PendingOp,
  QuerySpec,
  Snapshot,
  Submitted,
  Untold,
  Upstream,
  UpstreamEvent,
  UpstreamFailure,
} from '../../wasm/hub/tabmux_hub.js';
import {codeOf, codes, makeError} from '../shared/errors.js';
import {checkPaths} from '../shared/paths.js';
import {
  copied,
  headOf,
  nameOf,
  type State,
  serialized,
  stateAfterAll,
  typeNamed,
} from './document-state.js';
import {EventQueue} from './event-queue.js';
import {IncomingOp} from './incoming-op.js';
import {catchListenerErrors} from './listener-errors.js';
import {malformed} from './malformed.js';
import {OpsSince} from './ops-since.js';
import {Outdated} from './outdated.js';
import {answerTo, fitting, pendingOf, queuedOps, sendSource, sendsSource} from './pending-ops.js';
import type {Answer, QueuedOp, Subject, TypeMap, WholeConnection, WholeDoc} from './sharedb.js';
import {SilentRejections} from './silent-rejections.js';
import {isStaleAnswer} from './stale-answer.js';
import {submitAlone} from './submit-alone.js';
import {watchSubscription} from './subscription.js';
import {takeSocket} from './take-socket.js';
import {UnansweredOps} from './unanswered-ops.js';
import {UpstreamQueries} from './upstream-queries.js';
import {WaitingResults} from './waiting-results.js';
import {WaitingSends} from './waiting-sends.js';

/** The messages that tabs exchange with the server on their own. */
const relayed = new Set(['p', 'ps', 'pu', 'pr', 'nf', 'nt', 'pp']);

/** What a hub with a store asks for. */
export interface StoreOptions {
  /** Each op waits for `release` before it is sent. */
  holdsOps?: boolean;
  /** Whether the core can be told of events. */
  canTell?: () => boolean;
  /** Whether these documents were read from the store; has them read. */
  hasAtHand?: (docs: DocId[]) => boolean;
}

/**
 * The real ShareDB connection behind the hub: does what the core says, and tells it what happens.
 *
 * With a store, ops wait to be sent, and what the server no longer has is not rolled back.
 */
export class UpstreamAdapter implements Upstream {
  #connection: WholeConnection | undefined;
  #isResting = false;
  readonly #docs = new Map<string, WholeDoc>();
  readonly #queries = new UpstreamQueries(
    (event) => this.#emit(event),
    (doc) => this.#adopt(doc),
  );
  readonly #unanswered = new UnansweredOps();
  readonly #opsSince = new OpsSince();
  #sendingByHand = false;
  /** Messages by hand that came before the server let the hub in. */
  readonly #early: Subject[] = [];
  readonly #makeConnection: (options: any) => Connection;
  readonly #types: TypeMap;
  readonly #events: EventQueue;
  /** What a tab did is being applied: the core knows what the document's events would say. */
  #submitting = false;
  readonly #incomingOp = new IncomingOp();
  readonly #holdsOps: boolean;
  readonly #waitingSends = new WaitingSends();
  readonly #waitingResults: WaitingResults;
  readonly #silentRejections = new SilentRejections();
  readonly #outdated = new Outdated((doc, error) =>
    this.#emit({type: 'outdated', doc: nameOf(doc), error}, doc),
  );

  constructor(
    makeConnection: (options: any) => Connection,
    types: TypeMap,
    tell: (event: UpstreamEvent) => void,
    {holdsOps = false, canTell = () => true, hasAtHand = () => true}: StoreOptions = {},
  ) {
    this.#makeConnection = makeConnection;
    this.#types = types;
    this.#events = new EventQueue(tell, canTell, (doc) => this.#has(doc));
    this.#holdsOps = holdsOps;
    this.#waitingResults = new WaitingResults(hasAtHand);
  }

  /** `doc`: the one that it is about, of which the version counts. */
  #emit(event: UpstreamEvent, doc?: Doc): void {
    this.#events.push(doc, event);
  }

  /** The core tells what one of these methods threw. */
  tell(failure: UpstreamFailure): void {
    this.#emit(failure);
  }

  /** Tells what waits, in order: at the latest before the core hears of a tab, whose ops come after. */
  tellAll(): void {
    this.#takeResults();
    this.#events.tellAll();
  }

  /**
   * Of what the core has not been told: how many changes of the document come before its next load,
   * and whether there is one.
   */
  untold(collection: string, id: string): Untold {
    return this.#events.untold(this.#known(collection, id));
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  connect(options: any): void {
    if (this.#connection) return this.wake(options);
    const connection = this.#make(options);
    this.#connection = connection;
    this.#follow(connection);
  }

  /** Lets go of the server until `wake`, which takes up where this ended. */
  rest(): void {
    this.#isResting = true;
    this.#connection?.close();
  }

  wake(options: any): void {
    if (!this.#isResting) return;
    if (this.#connection) takeSocket(this.#connection, this.#make(options));
    this.#isResting = false;
  }

  #make(options: any): WholeConnection {
    const connection = this.#makeConnection(options ?? {}) as WholeConnection;
    if (typeof connection?.on !== 'function' || typeof connection.startBulk !== 'function') {
      const isPromise = typeof (connection as unknown as PromiseLike<unknown>)?.then === 'function';
      const returned = isPromise ? 'a promise' : String(connection);
      throw makeError(codes.OPTION_INVALID, `it must return ShareDB's Connection, not ${returned}`);
    }
    return connection;
  }

  #follow(connection: WholeConnection): void {
    catchListenerErrors(connection, connection);
    const tellState = (state: string, reason?: unknown) =>
      this.#emit({
        type: 'state',
        state,
        id: connection.id ?? undefined,
        reason: typeof reason === 'string' ? reason : undefined,
      });
    connection.on('state', tellState);
    connection.on('error', (error: unknown) =>
      this.#emit({type: 'connectionFailed', socket: false, error}),
    );
    connection.on('connection error', (error: unknown) =>
      this.#emit({type: 'connectionFailed', socket: true, error}),
    );
    const {sendOp} = connection;
    connection.sendOp = (doc, op) => {
      doc.submitSource = sendsSource(op);
      sendOp.call(connection, doc, op);
    };
    if (this.#holdsOps) {
      this.#waitingSends.hold(connection, (doc, src, seq) =>
        this.#emit({type: 'sending', doc: nameOf(doc), sent: {src, seq}}, doc),
      );
    }
    connection.on('receive', (request: {data?: Answer}) => {
      const {data} = request;
      if (this.#holdsOps && data && this.#waitingResults.holds(connection, data)) {
        delete request.data;
        // The core may be busy.
        queueMicrotask(() => this.tellAll());
      } else this.#receive(connection, request);
    });
    connection.on('send', (message: Subject) => {
      if (relayed.has(message.a ?? '')) return;
      const src = message.src ?? connection.id ?? undefined;
      this.#unanswered.note({...message, src}, this.#sendingByHand);
    });
    connection.on('state', (state: string) => {
      this.#unanswered.clear();
      this.#waitingResults.forget();
      this.#outdated.forgetAsked();
      this.#opsSince.askAgain(connection);
      const early = this.#early.splice(0);
      if (state === 'connected') for (const message of early) this.send(message);
    });
    const {handleMessage} = connection;
    connection.handleMessage = (message) => {
      // It may be anything; ShareDB goes on to change it.
      const {c, d} = (message ?? {}) as {c?: unknown; d?: unknown};
      try {
        handleMessage.call(connection, message);
      } finally {
        const doc = typeof c === 'string' && typeof d === 'string' && this.#known(c, d);
        // Of some of what it does ShareDB emits nothing.
        if (doc) this.#tellIfMoved(doc);
      }
    };
    // Queries make documents, too.('doc', (doc: Doc) => this.#adopt(doc));
    tellState(connection.state);
  }

  /** Looks at a message of the server before ShareDB does, and takes away what is not for it. */
  #receive(connection: WholeConnection, request: {data?: Answer}): void {
    const {data} = request;
    if (!data) return;
    const wrong = malformed(data);
    if (wrong) {
      delete request.data;
      const reason = `a message of the server was dropped: ${wrong}`;
      return this.#emit({type: 'fault', error: makeError(codes.BAD_FRAME, reason)});
    }
    const since = this.#opsSince.see(data);
    if (since) {
      delete request.data;
      return this.#emit(since);
    }
    if (isStaleAnswer(connection, data, this.#unanswered)) {
      delete request.data;
      return;
    }
    const byHand = this.#unanswered.takeByHand(data);
    // ShareDB goes on to change the message.
    if (byHand || relayed.has(data.a ?? '')) this.#emit({type: 'message', message: {...data}});
    this.#incomingOp.see(data);
    const isForHub = this.#holdsOps && !byHand && this.#outdated.see(connection, data);
    if (!this.#holdsOps && !byHand) this.#outdated.seeRead(connection, data);
    // A ping is always a tab's.
    if (byHand || isForHub || data.a === 'pp') delete request.data;
  }

  /** Gives ShareDB the results of queries whose documents were read, as if they came now. */
  #takeResults(): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#waitingResults.takeAll(connection, (data) => {
      const request: {data?: Answer} = {data};
      this.#receive(connection, request);
      if (request.data) this.#handle(connection, request.data);
    });
  }

  send(given: unknown): void {
    // The core has looked at it.
    const message = given as Subject;
    const connection = this.#connection;
    const byHand = !relayed.has(message.a ?? '');
    // Of the others, tabs send what is still wanted once the server is there.
    if (byHand && connection?.state === 'connecting') this.#early.push(message);
    if (connection?.state !== 'connected') return;
    this.#sendingByHand = byHand;
    try {
      connection.send(message);
    } finally {
      this.#sendingByHand = false;
    }
  }

  /** What the message does is told like anything else that happens upstream. */
  handleMessage(message: unknown): void {
    this.#incomingOp.forget();
    if (this.#connection) this.#handle(this.#connection, message);
  }

  #handle(connection: WholeConnection, message: unknown): void {
    try {
      connection.handleMessage(message);
    } catch (error) {
      connection.emit('error', error as never);
    }
  }

  close(): void {
    this.#connection?.close();
  }

  #get(collection: string, id: string): WholeDoc {
    const known = this.#known(collection, id);
    if (known) return known;
    if (!this.#connection) throw makeError('ERR_TABMUX_HUB_START', 'the hub has no connection yet');
    return this.#adopt(this.#connection.get(collection, id));
  }

  #known(collection: string, id: string): WholeDoc | undefined {
    return this.#docs.get(keyOf(collection, id));
  }

  #adopt(made: Doc): WholeDoc {
    const doc = made as WholeDoc;
    const key = keyOf(doc.collection, doc.id);
    if (this.#docs.get(key) !== doc) {
      this.#docs.set(key, doc);
      catchListenerErrors(doc, doc.connection);
      this.#watch(doc);
      // It was given up, and is taken again before ShareDB has let go of it.
      this.#tellIfMoved(doc);
    }
    return doc;
  }

  /** Whether it is a document of the core, which it has not given up. */
  #has(doc: Doc): boolean {
    return this.#known(doc.collection, doc.id) === doc;
  }

  #tellIfMoved(doc: Doc): void {
    if (this.#events.newHead(doc)) this.#emit({type: 'moved', doc: nameOf(doc)}, doc);
  }

  #watch(doc: WholeDoc): void {
    let src: string | undefined;
    doc.on('load', () => {
      if (!this.#submitting) this.#emit({type: 'loaded', doc: nameOf(doc)}, doc);
    });
    doc.on('op', (_op, _source, opSrc?: string) => {
      src = opSrc;
    });
    doc.on('op batch', (op: unknown) => {
      this.#changed(doc, {op}, src);
    });
    doc.on('create', () => {
      if (this.#submitting) return;
      const data = copied(serialized(doc));
      const create = {type: doc.type?.uri as string, data, snapshot: true};
      this.#changed(doc, {create});
    });
    doc.on('del', () => this.#changed(doc, {del: true}));
    this.#silentRejections.watch(doc);
    watchSubscription(doc, (error) => {
      this.#emit({type: 'subscribed', doc: nameOf(doc), error, live: doc.subscribed}, doc);
    });
    doc.on('error', (error: unknown) => {
      this.#tellIfUnloaded(doc);
      if (this.#outdated.hasTold(doc, error)) return;
      this.#emit({type: 'failed', doc: nameOf(doc), error}, doc);
    });
  }

  #changed(doc: Doc, op: Op, src?: string): void {
    if (this.#submitting) return;
    // The server's op as it came, if that is it.
    const raw = this.#incomingOp.rawOf(doc, op.op);
    this.#emit({type: 'changed', doc: nameOf(doc), op, src, raw}, doc);
  }

  /** ShareDB says what has failed after it has tried to load the document anew. */
  #tellIfUnloaded(doc: WholeDoc): void {
    const isUnloaded = doc.version === null && doc.type === null && !doc._isInHardRollback;
    if (isUnloaded) this.#emit({type: 'unloaded', doc: nameOf(doc)}, doc);
  }

  startBulk(): void {
    this.#connection?.startBulk();
  }

  endBulk(): void {
    this.#connection?.endBulk();
  }

  fetch(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    doc.fetch((error) => this.#fetched(doc, error ?? this.#silentRejections.by(doc)));
  }

  #fetched(doc: Doc, error: unknown): void {
    this.#emit({type: 'fetched', doc: nameOf(doc), error}, doc);
  }

  flush(collection: string, id: string): void {
    this.#get(collection, id).flush();
  }

  /** Returns the document's head, if it has taken the state. */
  ingest(collection: string, id: string, {version, type, data}: Snapshot): Head | undefined {
    const doc = this.#get(collection, id);
    this.#submitting = true;
    try {
      // ShareDB ignores what is older than what it has.
      doc.ingestSnapshot({v: version as number, type: type ?? null, data} as never, (error) => {
        if (error) this.#emit({type: 'failed', doc: {collection, id}, error});
      });
    } finally {
      this.#submitting = false;
    }
    return this.#events.newHead(doc);
  }

  fetchSince(collection: string, id: string, version: number): void {
    if (this.#connection) this.#opsSince.ask(this.#connection, collection, id, version);
  }

  subscribe(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    const isAnswered = this.#events.isToTell(doc, 'subscribed');
    const isUnderWay = doc.inflightSubscribe || doc.pendingSubscribe.length > 0;
    // ShareDB has asked for it by itself, and the core is about to hear the answer.
    if (!isAnswered || isUnderWay) doc.subscribe();
  }

  unsubscribe(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    doc.unsubscribe();
    // Without a connection, ShareDB would subscribe again with the next one.
    doc.wantSubscribe = false;
  }

  destroy(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    this.#docs.delete(keyOf(collection, id));
    this.#events.forgetHead(doc);
    doc.removeAllListeners();
    // ShareDB's own `destroy` would, at some later time, end the subscription of who takes the
    // document again meanwhile. Here a subscription is left only if it was ended offline.
    if (doc.wantSubscribe) doc.unsubscribe();
    doc._wantsDestroy = true;
    if (doc.hasPending()) doc.whenNothingPending(() => this.#connection?._destroyDoc(doc));
    else this.#connection?._destroyDoc(doc);
  }

  query(id: number, spec: QuerySpec): void {
    if (this.#connection) this.#queries.start(this.#connection, id, spec);
  }

  endQuery(id: number): void {
    this.#queries.end(id);
  }

  submit(
    collection: string,
    id: string,
    op: Op,
    source: unknown,
    compose: boolean,
    origin: Origin,
  ): Submitted {
    // ShareDB would fail in the middle of the creation.
    if (op.create) typeNamed(op.create.type, this.#types);
    const doc = this.#get(collection, id);
    // Not every version of ShareDB looks.
    const dangerous = doc.type && 'op' in op && checkPaths(doc.type, op.op);
    if (dangerous) throw dangerous;
    const options = {source: source ?? true};
    const answer: {refused?: unknown; returned: boolean} = {returned: false};
    const done = answerTo(origin, (error) => {
      if (answer.returned) this.#answered(doc, origin, error);
      else answer.refused = error;
    });
    doc.preventCompose = !compose;
    const before = doc.pendingOps.at(-1);
    // So that ops are composed only if their sources are equal.
    doc.submitSource = source !== undefined || (before !== undefined && sendsSource(before));
    this.#submitting = true;
    try {
      submitAlone(doc, op, () => {
        // ShareDB may compose into the data in place, and the core keeps the op.
        if (op.create) doc.create(copied(op.create.data), op.create.type, options, done);
        else if (op.del) doc.del(options, done);
        else doc.submitOp(op.op, options, done);
      });
    } finally {
      this.#submitting = false;
      answer.returned = true;
    }
    if (answer.refused) throw answer.refused;
    const queued = doc.pendingOps.at(-1);
    const head = this.#events.newHead(doc);
    if (queued?.callbacks.at(-1) !== done) return {composed: false, head};
    if (source !== undefined) sendSource(queued);
    return {composed: queued.callbacks.length > 1, head};
  }

  /** Lets an op go to the server of which the event `sending` has told. */
  release(collection: string, id: string, src: string, seq: number): void {
    const doc = this.#connection?.getExisting(collection, id);
    try {
      if (doc) this.#waitingSends.release(doc, src, seq);
    } catch (error) {
      this.#connection?.emit('error', error as never);
    }
  }

  /** The document's uncommitted ops, oldest first. */
  pending(collection: string, id: string): PendingOp[] {
    const doc = this.#known(collection, id);
    return doc ? pendingOf(doc) : [];
  }

  /** What `snapshot` would say after the ops. */
  materialize(snapshot: Snapshot, ops: Op[]): Snapshot {
    const state = stateAfterAll(snapshot, ops, this.#types);
    return {...headOf(snapshot.version, state.type), data: serialized(state)};
  }

  /** Gives a document the state it had in an earlier hub, unless it has one. Returns its head. */
  restore(
    collection: string,
    id: string,
    snapshot: Snapshot,
    ops: Op[],
    pending: PendingOp[],
  ): Head {
    const doc = this.#get(collection, id);
    if (doc.version !== null || doc.type) return this.#events.headOf(doc);
    let state: State;
    let queue: QueuedOp[];
    try {
      state = stateAfterAll(snapshot, ops, this.#types);
      queue = this.#queued(doc, pending);
    } catch (error) {
      const message = `${collection}.${id} can't be restored: ${(error as Error).message}`;
      throw makeError(String(codeOf(error) ?? codes.OP_NOT_APPLIED), message);
    }
    doc.version = snapshot.version ?? null;
    this.#resume(doc, state, queue);
    return this.#events.headOf(doc);
  }

  /** Gives up the document's state and its uncommitted ops, and loads it. */
  startOver(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    this.#outdated.startOver(doc, (error) => this.#fetched(doc, error));
    // The core knows that there is none.
    this.#events.newHead(doc);
  }

  /** Does the ops again, on the data as loaded; tells those that do not fit, and why. */
  reapply(collection: string, id: string, pending: PendingOp[]): Fitted {
    const doc = this.#get(collection, id);
    const {state, fit, unapplied} = fitting(doc, pending, this.#types);
    this.#resume(doc, state, this.#queued(doc, fit));
    return {unapplied, head: this.#events.newHead(doc)};
  }

  #queued(doc: WholeDoc, pending: PendingOp[]): QueuedOp[] {
    return queuedOps(doc, pending, this.#types, (origin, error) =>
      this.#answered(doc, origin, error),
    );
  }

  #answered(doc: WholeDoc, origin: Origin, error: unknown): void {
    this.#tellIfUnloaded(doc);
    this.#emit({type: 'answered', doc: nameOf(doc), origin, error}, doc);
  }

  #resume(doc: WholeDoc, {type, data}: State, queue: QueuedOp[]): void {
    doc.type = type;
    doc._setData(data);
    doc.pendingOps.push(...queue);
    doc.flush();
  }

  /**
   * The document's state, with the data as the server has it. It is a copy: types change data in place,
   * and what is told of a document may wait for the store.
   */
  snapshot(collection: string, id: string): Snapshot {
    const doc = this.#known(collection, id);
    return doc ? {...headOf(doc.version, doc.type), data: copied(serialized(doc))} : {};
  }
}

/** A name of the document that no other has. */
function keyOf(collection: string, id: string): string {
  return `${collection.length} ${collection} ${id}`;
}
