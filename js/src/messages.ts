import logger from 'sharedb/lib/logger/index.js';
import type {ProxyConnection} from './connection.js';
import type {ProxyDoc} from './doc.js';
import {errorIn} from './errors.js';
import {doAll} from './for-all.js';
import type {Presences} from './presence/registry.js';
import type {SnapshotRequests} from './snapshot-requests.js';
import type {WireOp} from './wire.js';

/** The messages of ShareDB's own protocol: what `send` and `receive` tell of them, and who gets them. */
export class Messages {
  readonly #connection: ProxyConnection;
  readonly #snapshotRequests: SnapshotRequests;
  readonly #presences: Presences;

  constructor(
    connection: ProxyConnection,
    snapshotRequests: SnapshotRequests,
    presences: Presences,
  ) {
    this.#connection = connection;
    this.#snapshotRequests = snapshotRequests;
    this.#presences = presences;
  }

  /** A message is on its way to the server. */
  tellSend(message: any): void {
    if (this.#connection.debug) logger.info('SEND', JSON.stringify(message));
    this.#connection.emit('send', message);
  }

  /** An op is on its way: `send` says so as ShareDB would. */
  tellOpSent({collection: c, id: d, version: v}: ProxyDoc, op: WireOp): void {
    this.tellSend({a: 'op', c, d, v, src: this.#connection.id, x: {}, ...op});
  }

  /** An op by others has come: `receive` says so as ShareDB would. It can't be stopped. */
  tellOpReceived({collection: c, id: d}: ProxyDoc, v: number | null, op: WireOp): void {
    this.#tellReceive({data: {a: 'op', c, d, v, ...op}});
  }

  /** Listeners may replace the message, or take it away. */
  #tellReceive(request: {data: any}): void {
    if (this.#connection.debug) logger.info('RECV', JSON.stringify(request.data));
    this.#connection.emit('receive', request);
  }

  /** Takes a message from the server, or from a sibling. */
  take(message: any): void {
    const request = {data: message};
    doAll(
      () => this.#tellReceive(request),
      () => request.data && this.#handle(request.data),
    );
  }

  #handle(data: any): void {
    const error = errorIn(data);
    if (data.a === 'nf' || data.a === 'nt') {
      this.#snapshotRequests.onAnswer(data);
    } else if (data.a === 'pp') {
      if (error) this.#connection.emit('error', error);
      else this.#connection.emit('pong');
    } else if (data.a === 'op') {
      const doc = error && this.#connection.getExisting(data.c, data.d);
      doc?.emit('error', error);
    } else {
      this.#presences.handle(data);
    }
  }
}
