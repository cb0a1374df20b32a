import type {ProxyConnection} from './connection.js';
import type {State} from './connection-events.js';
import {guard, type Parts} from './core-handler.js';
import {codes, makeError} from './errors.js';
import {doAll} from './for-all.js';
import {nextTick} from './next-tick.js';

/** How a connection comes and goes: its state, and its end. */
export class Lifetime {
  readonly #connection: ProxyConnection;
  readonly #parts: Parts;
  readonly #onClose: () => void;
  /** `close` was called, and the hub does not have all ops yet. */
  #leaving = false;
  /** `close` was called, and the hub's last word was from before. */
  #closing = false;

  /** `onClose` is called once, when the tab leaves the hub. */
  constructor(connection: ProxyConnection, parts: Parts, onClose: () => void) {
    this.#connection = connection;
    this.#parts = parts;
    this.#onClose = onClose;
  }

  /** Is `closed`, and leaves. */
  close(): void {
    const {left, state} = this.#connection;
    if (left || this.#leaving) return;
    this.#closing = state === 'connecting' || state === 'connected';
    this.#setState('closed', 'closed');
    this.#connection.leave();
  }

  /** Leaves the hub, once it has what was submitted before. */
  leave(): void {
    const {left, failure} = this.#connection;
    if (left || this.#leaving) return;
    const {docs, writes} = this.#parts;
    const unpaused = [...docs].filter(({paused}) => !paused);
    if (failure || writes.waiting(unpaused).length === 0) return this.#end();
    this.#leaving = true;
    writes.put(unpaused, () => this.#end());
  }

  #end(): void {
    const connection = this.#connection;
    this.#leaving = false;
    connection.left = true;
    connection.store.fail(closedError());
    connection.lastWords.end();
    connection.core.leave();
    this.#onClose();
  }

  /** Why nothing can be written or asked any more, if so. */
  whyNothingIsSent(): Error | null {
    const {failure, left} = this.#connection;
    return failure ?? (left ? closedError() : null);
  }

  /** No hub could be had: nothing will answer any more. */
  fail(error: Error): void {
    const connection = this.#connection;
    if (connection.left || connection.state === 'stopped') return;
    connection.failure = error;
    connection.lastWords.fail();
    // What a hub says that was only late would make another of what has ended.
    connection.core.leave();
    if (connection.state !== 'closed') this.#setState('stopped', error.message);
    const {docs, presences, queries, requests, snapshotRequests, writes} = this.#parts;
    for (const tell of requests.fail(error)) guard(connection, tell);
    for (const tell of writes.fail(error)) guard(connection, tell);
    for (const doc of docs) guard(connection, () => doc.onConnectionFailed(error));
    for (const tell of queries.fail(error)) guard(connection, tell);
    for (const tell of snapshotRequests.fail(error)) guard(connection, tell);
    for (const tell of presences.fail(error)) guard(connection, tell);
    nextTick(() => connection.emit('error', error));
  }

  /** The hub gives a reason if it was fenced; else it was closed, or its thread has ended. */
  onTransportClosed(reason?: string): void {
    const why = reason ?? 'the transport was closed';
    // Nobody but the application can make another of its own transports.
    if (this.#connection.topology === 'custom') {
      this.fail(makeError(codes.TRANSPORT_CLOSED, `the way to the hub is gone: ${why}`));
    } else if (reason === undefined) {
      this.#setState('disconnected', why);
    } else {
      const message = `the hub has closed for good, load the page anew: ${why}`;
      this.fail(makeError(codes.HUB_LOST, message));
    }
  }

  onHubLost(): void {
    this.#setState('disconnected', 'the hub is gone');
    for (const doc of this.#parts.docs) doc.onHubLost();
  }

  /** The hub says the state of its connection to the server. */
  onState(state: State, id: string | undefined, reason: unknown): void {
    if (this.#closing && (state === 'connecting' || state === 'connected')) return;
    this.#closing = false;
    this.#connection.id = id ?? this.#connection.id;
    this.#setState(state, reason);
  }

  #setState(state: State, reason?: unknown): void {
    const connection = this.#connection;
    if (connection.state === state || this.#leaving) return;
    connection.state = state;
    connection.canSend = state === 'connected';
    const {docs, presences, snapshotRequests} = this.#parts;
    for (const doc of docs) doc.onConnectionStateChanged();
    guard(connection, () =>
      doAll(
        () => presences.onConnectionStateChanged(),
        () => snapshotRequests.onConnectionStateChanged(),
        () => connection.emit(state, reason),
        () => connection.emit('state', state, reason),
      ),
    );
  }
}

function closedError(): Error {
  return makeError(
    codes.CLOSED,
    'the connection was closed: nothing can be written or asked any more',
  );
}
