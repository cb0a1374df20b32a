import type {Snapshot} from 'sharedb/lib/client/index.js';
import type {Callback} from './callbacks.js';
import type {ProxyConnection} from './connection.js';
import {Emitter} from './emitter.js';
import {codes, makeError, toError} from './errors.js';

/** Called once with the snapshot, if there is no error. */
export type SnapshotCallback = (error: any, snapshot: Snapshot) => void;

/** The answer of the server. */
interface SnapshotMessage {
  error?: {code: string; message: string};
  v: number;
  type: string | null;
  data: any;
  meta: any;
}

/** A request for a document as it was at a version or a time. Emits `ready` when it has ended. */
export class SnapshotRequest extends Emitter<{ready: () => void}> {
  readonly #connection: ProxyConnection;
  readonly #message: {a: 'nf' | 'nt'; id: number; c: string; d: string};
  readonly #callback: SnapshotCallback;
  #sent = false;

  constructor(
    connection: ProxyConnection,
    message: {
      a: 'nf' | 'nt';
      id: number;
      c: string;
      d: string;
      v?: number | null;
      ts?: number | null;
    },
    callback: SnapshotCallback,
  ) {
    super();
    if (typeof callback !== 'function') {
      throw new Error('Callback is required for SnapshotRequest');
    }
    this.#connection = connection;
    this.#message = message;
    this.#callback = callback;
    this.send();
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
    this.emit('ready');
    (this.#callback as Callback)(error);
  }

  onAnswer({error, v, type, data, meta}: SnapshotMessage): void {
    if (error) return this.onFailed(toError(error));
    this.emit('ready');
    this.#callback(null, {id: this.#message.d, v, type, data, m: meta ?? null});
  }
}

/** Throws unless the value is a whole number from 0, or `null`. `what` is `version` or `timestamp`. */
export function checkPosition(value: unknown, what: string): void {
  if (value === null || (Number.isInteger(value) && (value as number) >= 0)) return;
  throw makeError(codes.OPTION_INVALID, `Snapshot ${what} must be a positive integer or null`);
}
