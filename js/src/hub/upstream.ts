import type {Connection, Doc, Query} from 'sharedb/lib/client/index.js';
import {type CoreError, codes, makeError, toError} from '../errors.js';
import {nextTick} from '../next-tick.js';

/** ShareDB's connection, with the methods its typings lack. */
type BulkConnection = Connection & {
  queries: {[id: string]: Query};
  getExisting(collection: string, id: string): WholeDoc | undefined;
  startBulk(): void;
  endBulk(): void;
  send(message: unknown): void;
  handleMessage(message: unknown): void;
};

/** What a query asks, as it goes over the wire. */
interface QuerySpec {
  collection: string;
  query: any;
  options?: any;
  subscribe: boolean;
}

/** What tells which answer belongs to which message of ShareDB's protocol. */
interface Subject {
  a?: string;
  id?: unknown;
  c?: string;
  d?: string;
  src?: string;
  seq?: number;
  error?: unknown;
}

/** An answer to an op, or an op of others. */
interface OpAnswer extends Subject {
  v?: number;
}

interface Asked extends Subject {
  byHand: boolean;
}

/** The messages that tabs exchange with the server on their own. */
const relayed = new Set(['p', 'ps', 'pu', 'pr', 'nf', 'nt', 'pp']);

/** With members ShareDB's typings lack. */
type WholeDoc = Doc & {
  wantSubscribe: boolean;
  inflightOp: {src?: string; seq?: number} | null;
};

/** What happened upstream: a name, and what `src/bindings/upstream.rs` expects with it. */
export type UpstreamEvent = [name: string, ...rest: unknown[]];

/** The events by which a document changes. */
const changes = new Set(['op', 'create', 'del']);

/** An event that waits to be told, with the document's version when it happened. */
interface ToldLater {
  event: UpstreamEvent;
  doc: Doc | undefined;
  version: number | null;
}

/** An op as it goes over the wire. */
interface Op {
  op?: any;
  create?: {type: string; data?: any};
  del?: true;
}

/**
 * The real ShareDB connection behind the hub: does what the core says, and tells it what happens.
 *
 * The core is busy while it calls, so events are told on the next microtask, in order, or before the
 * next frame of a tab.
 */
export class UpstreamAdapter {
  #connection: BulkConnection | undefined;
  readonly #docs = new Map<string, Doc>();
  readonly #queries = new Map<number, Query>();
  /** What was asked of the server and has no answer yet, oldest first. */
  readonly #asked: Asked[] = [];
  #sendingByHand = false;
  /** Messages by hand that came before the server let the hub in. */
  readonly #early: Subject[] = [];
  readonly #makeConnection: (options: any) => Connection;
  readonly #types: {[name: string]: unknown};
  readonly #tell: (event: UpstreamEvent) => void;
  /** What a tab did is being applied: the core knows what the document's events would say. */
  #submitting = false;
  readonly #events: ToldLater[] = [];
  /** Events that are being told, but for the one that is. */
  readonly #telling: ToldLater[] = [];
  /** The versions of documents as of the event that is being told; later ones wait. */
  readonly #toldVersions = new Map<Doc, number | null>();

  constructor(
    makeConnection: (options: any) => Connection,
    types: {[name: string]: unknown},
    tell: (event: UpstreamEvent) => void,
  ) {
    this.#makeConnection = makeConnection;
    this.#types = types;
    this.#tell = tell;
  }

  #emit(...event: UpstreamEvent): void {
    this.#push(undefined, event);
  }

  #emitOf(doc: Doc, name: string, ...rest: unknown[]): void {
    this.#push(doc, [name, doc.collection, doc.id, ...rest]);
  }

  #push(doc: Doc | undefined, event: UpstreamEvent): void {
    if (this.#events.length === 0) queueMicrotask(() => this.tellAll());
    this.#events.push({event, doc, version: doc?.version ?? null});
  }

  /** Tells what waits, in order: at the latest before the core hears of a tab, whose ops come after. */
  tellAll(): void {
    this.#telling.push(...this.#events.splice(0));
    for (let next = this.#telling.shift(); next; next = this.#telling.shift()) {
      const {event, doc, version} = next;
      if (doc) this.#toldVersions.set(doc, version);
      this.#tell(event);
    }
    this.#toldVersions.clear();
  }

  /**
   * Of what the core has not been told: how many changes of the document come before its next load,
   * and whether there is one.
   */
  untold(collection: string, id: string): [changes: number, load: boolean] {
    const doc = this.#docs.get(JSON.stringify([collection, id]));
    const untold = [...this.#telling, ...this.#events].filter((it) => it.doc === doc);
    const names = untold.map(({event: [name]}) => name);
    const load = names.indexOf('loaded');
    const before = load < 0 ? names : names.slice(0, load);
    return [before.filter((name) => changes.has(name)).length, load >= 0];
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  connect(options: any): void {
    if (this.#connection) return;
    const connection = this.#makeConnection(options ?? {}) as BulkConnection;
    if (typeof connection?.on !== 'function' || typeof connection.startBulk !== 'function') {
      const isPromise = typeof (connection as unknown as PromiseLike<unknown>)?.then === 'function';
      const returned = isPromise ? 'a promise' : String(connection);
      throw makeError(codes.OPTION_INVALID, `it must return ShareDB's Connection, not ${returned}`);
    }
    this.#connection = connection;
    const tellState = (state: string, reason?: unknown) =>
      this.#emit(
        'state',
        state,
        connection.id ?? undefined,
        typeof reason === 'string' ? reason : undefined,
      );
    connection.on('state', tellState);
    connection.on('error', (error: unknown) => this.#emit('connectionFailed', false, error));
    connection.on('connection error', (error: unknown) =>
      this.#emit('connectionFailed', true, error),
    );
    connection.on('receive', (request: {data?: Subject}) => {
      const {data} = request;
      if (!data) return;
      if (this.#wouldMislead(connection, data)) {
        delete request.data;
        return;
      }
      const byHand = this.#isByHand(data);
      // ShareDB goes on to change the message.
      if (byHand || relayed.has(data.a ?? '')) this.#emit('message', {...data});
      // A ping is always a tab's.
      if (byHand || data.a === 'pp') delete request.data;
    });
    connection.on('send', ({a, id, c, d, src, seq}: Subject) => {
      if (relayed.has(a ?? '')) return;
      this.#asked.push({a, id, c, d, src, seq, byHand: this.#sendingByHand} as Asked);
    });
    connection.on('state', (state: string) => {
      this.#asked.length = 0;
      const early = this.#early.splice(0);
      if (state === 'connected') for (const message of early) this.send(message);
    });
    // Queries make documents, too.
    connection.on('doc', (doc: Doc) => this.#adopt(doc));
    tellState(connection.state);
  }

  send(message: Subject): void {
    const connection = this.#connection;
    const byHand = !relayed.has(message.a ?? '');
    // Of the others, tabs send what is still wanted once the server is there.
    if (byHand && connection?.state === 'connecting') this.#early.push(message);
    if (connection?.state !== 'connected') return;
    this.#sendingByHand = byHand;
    connection.send(message);
    this.#sendingByHand = false;
  }

  /** What the message does is told like anything else that happens upstream. */
  handleMessage(message: unknown): void {
    try {
      this.#connection?.handleMessage(message);
    } catch (error) {
      this.#connection?.emit('error', error as never);
    }
  }

  /**
   * Whether this answers an op that the document has given up, in a way that ShareDB's client takes
   * for something else: a refusal for that of the op inflight, an acknowledgement for a version that
   * changes nothing. The document hears of it here in place of that.
   */
  #wouldMislead(connection: BulkConnection, answer: OpAnswer): boolean {
    const doc = answer.a === 'op' && connection.getExisting(answer.c ?? '', answer.d ?? '');
    if (!doc) return false;
    const inflight = doc.inflightOp;
    if (answer.error) {
      if (!inflight || inflight.seq === answer.seq || this.#expectsByHand(answer)) return false;
      doc.emit('error', toError(answer.error as CoreError) as never);
      return true;
    }
    const isOwn = answer.src === connection.id;
    const isAcknowledgement = !('op' in answer || 'create' in answer || 'del' in answer);
    if (!isOwn || !isAcknowledgement || answer.v !== doc.version) return false;
    if (inflight && inflight.seq === answer.seq && inflight.src === answer.src) return false;
    if (this.#expectsByHand(answer)) return false;
    doc.fetch();
    return true;
  }

  /** Whether this answers a message that an application sent by hand. */
  #expectsByHand(answer: Subject): boolean {
    return this.#asked.find((asked) => this.#isAnswer(answer, asked))?.byHand === true;
  }

  /** The same, and takes it off the list. */
  #isByHand(answer: Subject): boolean {
    const at = this.#asked.findIndex((asked) => this.#isAnswer(answer, asked));
    return at >= 0 && this.#asked.splice(at, 1)[0]?.byHand === true;
  }

  #isAnswer(answer: Subject, asked: Asked): boolean {
    if (answer.a !== asked.a) return false;
    // What is asked by number, such as a query, is answered by number alone.
    if (asked.id) return answer.id === asked.id;
    const same = answer.c === asked.c && answer.d === asked.d;
    if (!same || answer.a !== 'op') return same;
    // The ops of others look the same, but for their source.
    const own = answer.error !== undefined || answer.src === (asked.src ?? this.#connection?.id);
    return own && answer.seq === asked.seq;
  }

  close(): void {
    this.#connection?.close();
  }

  #get(collection: string, id: string): Doc {
    const key = JSON.stringify([collection, id]);
    let doc = this.#docs.get(key);
    if (!doc) {
      if (!this.#connection)
        throw makeError('ERR_TABMUX_HUB_START', 'the hub has no connection yet');
      doc = this.#connection.get(collection, id);
      this.#adopt(doc);
    }
    return doc;
  }

  #adopt(doc: Doc): void {
    const key = JSON.stringify([doc.collection, doc.id]);
    if (this.#docs.get(key) === doc) return;
    this.#docs.set(key, doc);
    this.#watch(doc);
  }

  #watch(doc: Doc): void {
    let src: string | undefined;
    doc.on('load', () => {
      if (!this.#submitting) this.#emitOf(doc, 'loaded');
    });
    doc.on('op', (_op, _source, opSrc?: string) => {
      src = opSrc;
    });
    doc.on('op batch', (op: unknown) => {
      if (!this.#submitting) this.#emitOf(doc, 'op', doc.version, src, op);
    });
    doc.on('create', () => {
      if (this.#submitting) return;
      this.#emitOf(doc, 'create', doc.version, undefined, doc.type?.uri, serialized(doc));
    });
    doc.on('del', () => {
      if (!this.#submitting) this.#emitOf(doc, 'del', doc.version, undefined);
    });
    doc.on('error', (error: unknown) => this.#emitOf(doc, 'failed', error));
  }

  startBulk(): void {
    this.#connection?.startBulk();
  }

  endBulk(): void {
    this.#connection?.endBulk();
  }

  fetch(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    doc.fetch((error) => this.#emitOf(doc, 'fetched', error));
  }

  flush(collection: string, id: string): void {
    this.#get(collection, id).flush();
  }

  ingest(
    collection: string,
    id: string,
    {version, type, data}: {version?: number; type?: string; data?: unknown},
  ): void {
    const doc = this.#get(collection, id);
    this.#submitting = true;
    try {
      // ShareDB ignores what is older than what it has.
      doc.ingestSnapshot({v: version as number, type: type ?? null, data} as never, (error) => {
        if (error) this.#emit('failed', collection, id, error);
      });
    } finally {
      this.#submitting = false;
    }
  }

  subscribe(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    doc.subscribe((error) => {
      // ShareDB keeps quiet about it, but to the hub it makes a difference.
      const silenced = !error && !(doc as WholeDoc).wantSubscribe;
      const reason = silenced
        ? makeError(codes.READ_SILENTLY_REJECTED, 'The server does not show the document')
        : error;
      this.#emitOf(doc, 'subscribed', reason);
    });
  }

  unsubscribe(collection: string, id: string): void {
    this.#get(collection, id).unsubscribe();
  }

  destroy(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    this.#docs.delete(JSON.stringify([collection, id]));
    doc.removeAllListeners();
    doc.destroy();
  }

  query(id: number, {collection, query, options, subscribe}: QuerySpec): void {
    const connection = this.#connection;
    if (!connection) return;
    const create = subscribe ? connection.createSubscribeQuery : connection.createFetchQuery;
    let failure: unknown;
    const upstream = create.call(connection, collection, query, options, (error) => {
      failure = error;
    });
    this.#queries.set(id, upstream);
    // ShareDB has given up a query that failed, the first time or after the server was away.
    const isAlive = () => connection.queries[upstream.id] === upstream;
    upstream.on('error', (error: unknown) => {
      if (isAlive()) this.#emit('queryFailed', id, error);
      else failure = error;
    });
    upstream.on('ready', () =>
      // Whether there was an error is known right after.
      nextTick(() => {
        if (!this.#queries.has(id)) return;
        if (!subscribe && isAlive()) upstream.destroy();
        if (!isAlive()) this.#queries.delete(id);
        if (failure) return this.#emit('queryReady', id, failure);
        this.#adoptAll(upstream.results ?? []);
        this.#emit('queryReady', id, undefined, upstream.results?.map(nameOf), upstream.extra);
      }),
    );
    if (subscribe) this.#watchQuery(id, upstream);
  }

  /** A document that is about to be forgotten is made anew by a query without being told. */
  #adoptAll(docs: Doc[]): void {
    for (const doc of docs) this.#adopt(doc);
  }

  #watchQuery(id: number, query: Query): void {
    let diff: unknown[] = [];
    query.on('insert', (docs: Doc[], index: number) => {
      this.#adoptAll(docs);
      diff.push({type: 'insert', index, docs: docs.map(nameOf)});
    });
    query.on('remove', (docs: Doc[], index: number) => {
      diff.push({type: 'remove', index, count: docs.length});
    });
    query.on('move', (docs: Doc[], from: number, to: number) => {
      diff.push({type: 'move', from, to, count: docs.length});
    });
    query.on('changed', () => {
      this.#emit('queryChanged', id, diff);
      diff = [];
    });
    query.on('extra', (extra: unknown) => this.#emit('queryExtra', id, extra));
  }

  endQuery(id: number): void {
    this.#queries.get(id)?.destroy();
    this.#queries.delete(id);
  }

  submit(collection: string, id: string, op: Op, how: [unknown, boolean, string, number]): void {
    const [source, compose, tab, opId] = how;
    // ShareDB would fail in the middle of the creation.
    if (op.create && !this.#types[op.create.type]) {
      const message = `Missing type ${op.create.type}: register it in the tab and in the hub`;
      throw makeError(codes.TYPE_NOT_RECOGNIZED, message);
    }
    const doc = this.#get(collection, id);
    const options = {source: source ?? true};
    const answer: {refused?: unknown; returned: boolean} = {returned: false};
    const done = (error: unknown) => {
      if (answer.returned) this.#emitOf(doc, 'settled', tab, opId, error);
      else answer.refused = error;
    };
    doc.preventCompose = !compose;
    doc.submitSource = source !== undefined;
    this.#submitting = true;
    try {
      if (op.create) doc.create(op.create.data, op.create.type, options, done);
      else if (op.del) doc.del(options, done);
      else doc.submitOp(op.op, options, done);
    } finally {
      this.#submitting = false;
      answer.returned = true;
    }
    if (answer.refused) throw answer.refused;
  }

  /** The document's version and the URI of its type. */
  head(collection: string, id: string): [number | null, string | null] {
    const doc = this.#docs.get(JSON.stringify([collection, id]));
    const told = doc && this.#toldVersions.get(doc);
    return [told ?? doc?.version ?? null, doc?.type?.uri ?? null];
  }

  /** As `head`, with the data as the server has it. */
  snapshot(collection: string, id: string): [number | null, string | null, unknown] {
    const doc = this.#docs.get(JSON.stringify([collection, id]));
    return [doc?.version ?? null, doc?.type?.uri ?? null, doc && serialized(doc)];
  }
}

function nameOf({collection, id}: Doc): {collection: string; id: string} {
  return {collection, id};
}

function serialized(doc: Doc): unknown {
  const serialize = doc.type?.serialize;
  return serialize ? serialize.call(doc.type, doc.data) : doc.data;
}
