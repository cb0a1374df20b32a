import {clock} from '../shared/clock.js';
import {codes, makeError} from '../shared/errors.js';
import {doAll} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';
import type {ConnectionBase} from './connection-base.js';
import type {State, TopologyEvent} from './connection-events.js';
import type {Entrance} from './connection-settings.js';
import {guard} from './guard.js';
import type {Parts} from './parts.js';
import type {ProxyStore} from './store.js';
import type {UnloadJournal} from './unload-journal.js';

/** After which time a tab comes back whose socket was closed. */
const RECONNECT_MS = 250;

/** What comes and goes. */
interface LivingConnection
  extends Pick<ConnectionBase, 'canSend' | 'core' | 'emit' | 'failure' | 'id' | 'state'> {
  readonly topology: TopologyEvent['topology'] | null;
  readonly unloadJournal: UnloadJournal;
  readonly store: ProxyStore;
}

/** How a connection comes and goes: its state, and its way to the hub. */
export class Lifetime {
  readonly #connection: LivingConnection;
  readonly #parts: Parts;
  readonly #entrance: Entrance;
  /** Why the tab is offline of its own accord, if it is: `close` was called, or the socket's. */
  #offline: 'closed' | 'lost' | null = null;
  /** The hub has what was submitted before that. */
  #mayLeave = false;
  /** Whether the tab is at the hub, or on its way. */
  #isIn = true;
  /** The tab comes back, and no hub has said its state yet. */
  #isReturning = false;

  constructor(connection: LivingConnection, parts: Parts, entrance: Entrance) {
    this.#connection = connection;
    this.#parts = parts;
    this.#entrance = entrance;
  }

  /** Whether the tab is offline of its own accord. */
  get isOffline(): boolean {
    return this.#offline !== null;
  }

  /** Is `closed`, and leaves the hub, once it has what was submitted before. */
  close(): void {
    if (this.#offline === 'closed') return;
    const wasLost = this.#offline === 'lost';
    this.#offline = 'closed';
    this.#setState('closed', 'closed');
    const {core, failure, unloadJournal, store} = this.#connection;
    store.fail(closedError());
    unloadJournal.rest();
    if (failure) return this.#leave();
    if (!wasLost) core.goOffline();
    else if (this.#mayLeave) this.#leave();
  }

  /** Comes back after `close`. Throws if there is no way back. */
  open(): void {
    const {failure} = this.#connection;
    if (failure) throw failure;
    if (this.#offline !== 'closed') return;
    this.#comeBack();
  }

  /** Loses this tab's socket, so to speak: is `disconnected`, and comes back by itself. */
  drop(reason: unknown): void {
    if (this.#connection.failure || this.#offline) return;
    this.#offline = 'lost';
    this.#setState('disconnected', reason);
    // A listener may have closed the connection.
    if (!this.#isLost()) return;
    this.#connection.core.goOffline();
    clock.setTimeout(() => {
      if (this.#isLost() && !this.#connection.failure) this.#comeBack();
    }, RECONNECT_MS);
  }

  #isLost(): boolean {
    return this.#offline === 'lost';
  }

  #comeBack(): void {
    const {core} = this.#connection;
    if (!this.#isIn) this.#entrance.check();
    this.#offline = null;
    this.#mayLeave = false;
    this.#isReturning = true;
    this.#setState('connecting');
    // A listener may have closed the connection again.
    if (this.isOffline) return;
    if (core.goOnline() || this.#isIn) return;
    this.#isIn = true;
    this.#entrance.enter();
  }

  /** The hub has what was submitted before the tab went offline. */
  onOffline(): void {
    this.#mayLeave = true;
    if (this.#offline === 'closed') this.#leave();
  }

  #leave(): void {
    if (!this.#isIn) return;
    this.#isIn = false;
    this.#connection.core.leave();
    this.#entrance.leave();
  }

  /** Why nothing can be written or asked now, if so. */
  whyNothingIsSent(): Error | null {
    const {failure} = this.#connection;
    return failure ?? (this.#offline === 'closed' ? closedError() : null);
  }

  /** No hub could be had: nothing will answer any more. */
  fail(error: Error): void {
    const connection = this.#connection;
    if (!this.#isIn || connection.failure) return;
    connection.failure = error;
    connection.unloadJournal.fail();
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
    // The next hub gets what this one does not have.
    if (this.#offline === 'closed') return this.#leave();
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

  /** A hub has let the tab in. */
  onJoined(): void {
    if (!this.#isReturning) return;
    for (const doc of this.#parts.docs) doc.onReturned();
  }

  onHubLost(): void {
    if (this.isOffline) return;
    if (!this.#isReturning) this.#setState('disconnected', 'the hub is gone');
    for (const doc of this.#parts.docs) doc.onHubLost();
  }

  /** The hub says the state of its connection to the server. */
  onState(state: State, id: string | undefined, reason: unknown): void {
    if (this.isOffline) return;
    this.#isReturning = false;
    this.#connection.id = id ?? this.#connection.id;
    this.#setState(state, reason);
  }

  #setState(state: State, reason?: unknown): void {
    const connection = this.#connection;
    if (connection.state === state) return;
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
    'the connection is closed: nothing can be written or asked until `open` is called',
  );
}
