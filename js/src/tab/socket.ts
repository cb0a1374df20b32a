import type {ConnectionBase} from './connection-base.js';
import type {Lifetime} from './lifetime.js';

/** What it needs of the connection. */
type SocketOwner = Pick<ConnectionBase, 'emit' | 'state'>;

/**
 * Stands where ShareDB's connection has its socket. The real one is the hub's, and all tabs'; this one
 * is the tab's alone.
 */
export class TabSocket {
  readonly #connection: SocketOwner;
  readonly #lifetime: Lifetime;

  constructor(connection: SocketOwner, lifetime: Lifetime) {
    this.#connection = connection;
    this.#lifetime = lifetime;
  }

  /** As a WebSocket has it: 0 connecting, 1 open, 3 closed. */
  get readyState(): number {
    const {state} = this.#connection;
    if (state === 'connecting') return 0;
    return state === 'connected' ? 1 : 3;
  }

  /**
   * Does what a lost socket does, to this tab: the connection is `disconnected`, for the reason that is
   * given last, and comes back by itself. `connection.close` is for good, or until `connection.open`.
   */
  close(code?: unknown, reason?: unknown): void {
    this.#lifetime.drop(reason ?? code);
  }

  /** As of an error of the socket. */
  onerror(error: unknown): void {
    this.#connection.emit('connection error', error);
  }
}
