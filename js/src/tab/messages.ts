import logger from 'sharedb/lib/logger/index.js';
import type {Type} from 'sharedb/lib/sharedb.js';
import {codes, errorIn, makeError} from '../shared/errors.js';
import {doAll} from '../shared/for-all.js';
import {checkPaths} from '../shared/paths.js';
import type {WireOp} from '../shared/wire.js';
import type {ConnectionBase} from './connection-base.js';
import type {DocState} from './doc-state.js';
import type {IncomingMessage} from './presence/messages.js';
import type {SnapshotRequests} from './snapshot-requests.js';

/** What messages need of the connection. */
interface MessagesOwner extends Pick<ConnectionBase, 'core' | 'emit' | 'id'> {
  readonly debug: boolean;
  getExisting(collection: string, id: string): (DocState & {readonly data: unknown}) | undefined;
}

/** Who takes messages about presence. */
interface PresenceReceiver {
  handle(message: IncomingMessage): void;
}

/** The messages of ShareDB's own protocol: what `send` and `receive` tell of them, and who gets them. */
export class Messages {
  readonly #connection: MessagesOwner;
  readonly #snapshotRequests: SnapshotRequests;
  readonly #presences: PresenceReceiver;

  constructor(
    connection: MessagesOwner,
    snapshotRequests: SnapshotRequests,
    presences: PresenceReceiver,
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
  tellOpSent({collection: c, id: d, version: v}: DocState, op: WireOp): void {
    this.tellSend({a: 'op', c, d, v, src: this.#connection.id, x: {}, ...op});
  }

  /** An op by others has come: `receive` says so as ShareDB would. It can't be stopped. */
  tellOpReceived({collection: c, id: d}: DocState, v: number | null, op: WireOp): void {
    this.#tellReceive({data: {a: 'op', c, d, v, ...op}});
  }

  /** Listeners may replace the message, or take it away. */
  #tellReceive(request: {data: any}): void {
    if (this.#connection.debug) logger.info('RECV', JSON.stringify(request.data));
    this.#connection.emit('receive', request);
  }

  /** Takes a message as if the server had sent it, if that concerns nobody but this tab. */
  takeByHand(message: any): void {
    if (message?.a === 'op' && message.error) return this.#connection.core.handleMessage(message);
    const {a, c, d, op} = message ?? {};
    const doc = a === 'op' ? this.#connection.getExisting(c, d) : undefined;
    const unapplied = doc?.type && whyNotApplied(doc.type, doc.data, op);
    if (unapplied) return void doc?.emit('error', unapplied);
    const reason = `what the server says, such as ${JSON.stringify(message)}, is for all tabs of the hub: only the hub's connection takes it`;
    throw makeError(codes.MESSAGE_REFUSED, reason);
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

/** Why data of this type can't take the op, if so. */
function whyNotApplied(type: Type, data: unknown, op: unknown): unknown {
  const refused = checkPaths(type, op);
  if (refused) return refused;
  try {
    // Types may change data in place.
    type.apply(structuredClone(data), op);
    return undefined;
  } catch (error) {
    return error;
  }
}
