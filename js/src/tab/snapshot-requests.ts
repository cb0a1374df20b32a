import type {Snapshot as SnapshotOfShareDB} from 'sharedb/lib/client/index.js';
import Snapshot from 'sharedb/lib/snapshot.js';
import {Emitter} from '../shared/emitter.js';
import {codes, errorIn, makeError} from '../shared/errors.js';
import {doAll, forAll} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';
import type {Callback} from './callbacks.js';
import type {ConnectionBase} from './connection-base.js';

/** Called once with the snapshot, if there is no error. */
export type SnapshotCallback = (error: any, snapshot: SnapshotOfShareDB) => void;

/** What snapshot requests need of the connection. */
interface SnapshotsOwner extends Pick<ConnectionBase, 'canSend' | 'failure' | 'send'> {
  nextSnapshotRequestId: number;
}

/** What is asked of the server. */
interface SnapshotQuestion {
  a: 'nf' | 'nt';
  c: string;
  d: string;
  v?: number | null;
  ts?: number | null;
}

/** The answer of the server. */
interface SnapshotMessage {
  id: number;
  error?: {code: string; message: string};
  v: number;
  type: string | null;
  data: any;
  meta: any;
}

/** A request for a document as it was at a version or a time. Emits `ready` when it has ended. */
class SnapshotRequest extends Emitter<{ready: () => void}> {
  readonly #connection: SnapshotsOwner;
  readonly #message: SnapshotQuestion & {id: number};
  readonly #callback: SnapshotCallback;
  #sent = false;

  constructor(
    connection: SnapshotsOwner,
    message: SnapshotQuestion & {id: number},
    callback: SnapshotCallback,
  ) {
    super();
    this.#connection = connection;
    this.#message = message;
    this.#callback = callback;
  }

  send(): void {
    if (!this.#connection.canSend) return;
    this.#sent = true;
    this.#connection.send(this.#message);
  }

  onConnectionStateChanged(): void {
    if (!this.#connection.canSend) this.#sent = false;
    else if (!this.#sent) this.send();
  }

  onFailed(error: Error): void {
    doAll(
      () => this.emit('ready'),
      () => (this.#callback as Callback)(error),
    );
  }

  onAnswer(message: SnapshotMessage): void {
    const error = errorIn(message);
    if (error) return this.onFailed(error);
    const {v, type, data, meta} = message;
    const snapshot = new Snapshot(this.#message.d, v, type, data, meta ?? null);
    doAll(
      () => this.emit('ready'),
      () => this.#callback(null, snapshot),
    );
  }
}

/** The snapshot requests of a connection that have no answer yet. */
export class SnapshotRequests {
  readonly #connection: SnapshotsOwner;
  readonly #requests = new Map<number, SnapshotRequest>();

  constructor(connection: SnapshotsOwner) {
    this.#connection = connection;
  }

  /** Asks for a document as it was at a version. */
  addForVersion(c: string, d: string, v: number | null, callback?: SnapshotCallback): void {
    this.#add({a: 'nf', c, d, v}, callback);
  }

  /** Asks for a document as it was at a time. */
  addForTime(c: string, d: string, ts: number | null, callback?: SnapshotCallback): void {
    this.#add({a: 'nt', c, d, ts}, callback);
  }

  /** Asks, now or once the server is there. */
  #add(question: SnapshotQuestion, callback: SnapshotCallback | undefined): void {
    const id = this.#connection.nextSnapshotRequestId++;
    if (typeof callback !== 'function') {
      throw makeError(codes.OPTION_INVALID, 'Callback is required for SnapshotRequest');
    }
    if (question.a === 'nf') checkPosition(question.v, 'version');
    else checkPosition(question.ts, 'timestamp');
    const request = new SnapshotRequest(this.#connection, {...question, id}, callback);
    this.#requests.set(id, request);
    const {failure} = this.#connection;
    if (failure) nextTick(() => this.#take(id)?.onFailed(failure));
    request.send();
  }

  /** The one that waits longest, if any does. */
  oldest(): SnapshotRequest | undefined {
    const [request] = this.#requests.values();
    return request;
  }

  onConnectionStateChanged(): void {
    forAll(this.#requests.values(), (request) => request.onConnectionStateChanged());
  }

  onAnswer(message: SnapshotMessage): void {
    this.#take(message.id)?.onAnswer(message);
  }

  /** There is no hub: nothing will be answered. Returns what tells those who wait. */
  fail(error: Error): (() => void)[] {
    return [...this.#requests.keys()].map((id) => () => this.#take(id)?.onFailed(error));
  }

  #take(id: number): SnapshotRequest | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }
}

/** Throws unless the value is a whole number from 0, or `null`. `what` is `version` or `timestamp`. */
function checkPosition(value: unknown, what: string): void {
  if (value === null || (Number.isInteger(value) && (value as number) >= 0)) return;
  throw makeError(codes.OPTION_INVALID, `Snapshot ${what} must be a positive integer or null`);
}
