import type {Connection, Doc} from 'sharedb/lib/client/index.js';
import {codes, makeError} from '../errors.js';

/** ShareDB's connection, with two methods its typings lack. */
type BulkConnection = Connection & {startBulk(): void; endBulk(): void};

/** With a member ShareDB's typings lack. */
type WantingDoc = Doc & {wantSubscribe: boolean};

/** What happened upstream: a name, and what `src/bindings/upstream.rs` expects with it. */
export type UpstreamEvent = [name: string, ...rest: unknown[]];

/** An op as it goes over the wire. */
interface Op {
  op?: any;
  create?: {type: string; data?: any};
  del?: true;
}

/**
 * The real ShareDB connection behind the hub: does what the core says, and tells it what happens.
 *
 * The core is busy while it calls, so events are told on the next microtask, in order.
 */
export class UpstreamAdapter {
  #connection: BulkConnection | undefined;
  readonly #docs = new Map<string, Doc>();
  readonly #makeConnection: (options: any) => Connection;
  readonly #tell: (event: UpstreamEvent) => void;
  /** An op of a tab is being applied: the core knows what the document's events would say. */
  #submitting = false;
  #events: UpstreamEvent[] = [];

  constructor(makeConnection: (options: any) => Connection, tell: (event: UpstreamEvent) => void) {
    this.#makeConnection = makeConnection;
    this.#tell = tell;
  }

  #emit(...event: UpstreamEvent): void {
    if (this.#events.length === 0) queueMicrotask(() => this.#flush());
    this.#events.push(event);
  }

  #flush(): void {
    const events = this.#events;
    this.#events = [];
    for (const event of events) this.#tell(event);
  }

  connect(options: any): void {
    if (this.#connection) return;
    const connection = this.#makeConnection(options ?? {}) as BulkConnection;
    this.#connection = connection;
    const tellState = (state: string, reason?: unknown) =>
      this.#emit(
        'state',
        state,
        connection.id ?? undefined,
        typeof reason === 'string' ? reason : undefined,
      );
    connection.on('state', tellState);
    connection.on('error', (error: unknown) =>
      console.error('tabmux: the connection to the server failed', error),
    );
    tellState(connection.state);
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
      this.#docs.set(key, doc);
      this.#watch(doc);
    }
    return doc;
  }

  #watch(doc: Doc): void {
    const {collection, id} = doc;
    let src: string | undefined;
    doc.on('load', () => this.#emit('loaded', collection, id));
    doc.on('op', (_op, _source, opSrc?: string) => {
      src = opSrc;
    });
    doc.on('op batch', (op: unknown) => {
      if (!this.#submitting) this.#emit('op', collection, id, doc.version, src, op);
    });
    doc.on('create', () => {
      if (this.#submitting) return;
      this.#emit('create', collection, id, doc.version, undefined, doc.type?.uri, serialized(doc));
    });
    doc.on('del', () => {
      if (!this.#submitting) this.#emit('del', collection, id, doc.version, undefined);
    });
    doc.on('error', (error: unknown) => this.#emit('failed', collection, id, error));
  }

  startBulk(): void {
    this.#connection?.startBulk();
  }

  endBulk(): void {
    this.#connection?.endBulk();
  }

  fetch(collection: string, id: string): void {
    this.#get(collection, id).fetch((error) => this.#emit('fetched', collection, id, error));
  }

  subscribe(collection: string, id: string): void {
    const doc = this.#get(collection, id);
    doc.subscribe((error) => {
      // ShareDB keeps quiet about it, but to the hub it makes a difference.
      const silenced = !error && !(doc as WantingDoc).wantSubscribe;
      const reason = silenced
        ? makeError(codes.READ_SILENTLY_REJECTED, 'The server does not show the document')
        : error;
      this.#emit('subscribed', collection, id, reason);
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

  submit(collection: string, id: string, op: Op, how: [unknown, boolean, string, number]): void {
    const [source, compose, tab, opId] = how;
    const doc = this.#get(collection, id);
    const options = {source: source ?? true};
    const answer: {refused?: unknown; returned: boolean} = {returned: false};
    const done = (error: unknown) => {
      if (answer.returned) this.#emit('settled', collection, id, tab, opId, error);
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
    return [doc?.version ?? null, doc?.type?.uri ?? null];
  }

  /** As `head`, with the data as the server has it. */
  snapshot(collection: string, id: string): [number | null, string | null, unknown] {
    const doc = this.#docs.get(JSON.stringify([collection, id]));
    return [...this.head(collection, id), doc && serialized(doc)];
  }
}

function serialized(doc: Doc): unknown {
  const serialize = doc.type?.serialize;
  return serialize ? serialize.call(doc.type, doc.data) : doc.data;
}
