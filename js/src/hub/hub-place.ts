import type {Backend} from '../shared/backend.js';
import {
  type BackendHub,
  enterHub,
  type HubPlaceOptions,
  joinHub,
  leaveHub,
  type User,
} from './backends.js';
import {endpointTo, type TabEndpoint} from './endpoint.js';

/** A tab's place at a hub over a backend. */
export class HubPlace {
  readonly #backend: Backend;
  readonly #options: HubPlaceOptions;
  readonly #tabId: string;
  #host: BackendHub;
  #connection: User | undefined;

  /**
   * Finds the hub that the options ask for, or starts it.
   *
   * @throws an `Error` with a `code`, for options that are invalid or don't fit together
   */
  constructor(backend: Backend, options: HubPlaceOptions, tabId: string) {
    this.#backend = backend;
    this.#options = options;
    this.#tabId = tabId;
    this.#host = joinHub(backend, options);
  }

  /** The hub's own connection, if it has one. */
  get upstream(): unknown {
    return this.#host.hub.connection;
  }

  /** Finds the hub again after the tab has left, or the next. Throws as the constructor does. */
  keep(): void {
    this.#host = joinHub(this.#backend, this.#options, this.#host);
  }

  /** Makes a way to the hub; calls back if that fails, or to the next one, if it has failed. */
  take(connection: User, failed: () => void): TabEndpoint {
    const host = this.#host;
    enterHub(host, this.#options, connection);
    this.#connection = connection;
    host.hub.onFailed(this.#tabId, failed);
    return endpointTo(host.hub, this.#options.transport ?? 'direct', this.#tabId);
  }

  /** The tab leaves. */
  leave(): void {
    const host = this.#host;
    host.hub.unwatch(this.#tabId);
    leaveHub(host, this.#connection);
  }
}
