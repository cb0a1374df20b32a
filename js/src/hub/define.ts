import type {Connection} from 'sharedb/lib/client/index.js';
import defaultTypes from 'sharedb/lib/types.js';
import {listenOnBroadcastChannel, overMessagePort} from '../../wasm/hub/tabmux_hub.js';
import {codes, makeError} from '../errors.js';
import type {Introduction} from '../introduction.js';
import {randomId} from '../random-id.js';
import {Hub, type HubSettings} from './hub.js';
import {readStoreOptions, type StoreOptions} from './store-options.js';
import {servePages} from './worker-scope.js';

/** What a tab says of itself. */
export interface TabContext {
  /** The tab's option `url`. */
  url?: string | undefined;
  /** The tab's option `auth`. */
  auth?: any;
}

/** What a hub's `connect` is given: the options of the first tab. */
export interface ConnectContext extends TabContext {
  /** Whose data the hub holds. */
  identity: string;
}

/** The options of `defineHub`. */
export interface HubOptions {
  /** Makes the connection to the server; called once, when the first tab comes. */
  connect: (context: ConnectContext) => Connection;
  /** ShareDB's type registry; by default that of the npm package `sharedb`. */
  types?: {map: {[name: string]: any}};
  /** How long a document that no tab wants stays subscribed, in milliseconds; 5000 by default. */
  linger?: number;
  /** Whether and how the hub keeps documents across restarts; by default it does not. */
  store?: boolean | StoreOptions;
}

/** A kind of hub, of which each identity gets its own. */
export class HubDefinition {
  readonly #options: HubSettings;
  readonly #hubs = new Map<string, Hub>();
  /** Which of them listens on which channel. */
  readonly #channels = new Map<string, Hub>();
  readonly #local = new WeakSet<Hub>();

  /** @internal Use `defineHub`. */
  constructor(options: HubOptions) {
    const {connect, types = defaultTypes, linger = 5000} = options;
    this.#options = {connect, types, linger, store: readStoreOptions(options.store)};
  }

  /**
   * The hub of this identity in this thread, started if there is none, if it is closed, or if its store
   * was wiped and its tabs are gone. `auth` and `url` are for the function that finds the store's key.
   */
  hub(identity = '', {auth, url}: TabContext = {}): Hub {
    const known = this.#hubs.get(identity);
    if (known && !known.isClosed && !known.isDeserted) return known;
    // What it has goes to the server yet, but the tabs that come are for the next.
    known?.stopListening();
    const hub = new Hub(this.#options, {identity, auth, url});
    hub.on('cleared', () => this.#closeWhenIdle(identity, hub));
    this.#hubs.set(identity, hub);
    return hub;
  }

  #closeWhenIdle(identity: string, hub: Hub): void {
    hub.closeWhenIdle(() => {
      if (this.#hubs.get(identity) === hub) this.#hubs.delete(identity);
    });
  }

  /** @internal The hub for a tab of this thread; one that is made here ends with its last tab. */
  localHub(identity: string, context: TabContext): Hub {
    const known = this.#hubs.get(identity);
    const hub = this.hub(identity, context);
    if (hub !== known) this.#local.add(hub);
    return hub;
  }

  /** @internal A tab of this thread has left. */
  releaseLocal(identity: string): void {
    const hub = this.#hubs.get(identity);
    if (hub && this.#local.has(hub)) this.#closeWhenIdle(identity, hub);
  }

  /** @internal Takes a tab that has introduced itself on the worker's port. */
  introduce({tabmux, identity, context, port, channel}: Introduction): void {
    const hub = this.hub(identity, context);
    if (tabmux === 'port' && port) hub.acceptEnd(overMessagePort(port));
    if (tabmux === 'broadcast-channel' && channel && this.#channels.get(channel) !== hub) {
      this.#channels.set(channel, hub);
      hub.listen(listenOnBroadcastChannel(channel, randomId()));
    }
  }
}

/**
 * Defines the hub. In a SharedWorker it serves the pages from then on; elsewhere it waits to be
 * taken by `createConnection`.
 *
 * ```js
 * export default defineHub({
 *   connect: ({url}) => new Connection(new ReconnectingWebSocket(url)),
 * });
 * ```
 */
export function defineHub(options: HubOptions): HubDefinition {
  if (typeof options !== 'object' || options === null) {
    const message = `defineHub is given ${options}; it needs an object with \`connect\``;
    throw makeError(codes.OPTION_INVALID, message);
  }
  const known = ['connect', 'types', 'linger', 'store'];
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const message = `unknown option \`${name}\` of defineHub; the options are ${known.join(', ')}`;
      throw makeError(codes.OPTION_UNKNOWN, message);
    }
  }
  if (typeof options.connect !== 'function') {
    throw makeError(codes.OPTION_INVALID, 'option `connect` of defineHub must be a function');
  }
  const {linger} = options;
  if (linger !== undefined && !(Number.isSafeInteger(linger) && linger >= 0)) {
    const message = `option \`linger\` of defineHub is ${linger}; it must be a whole number of milliseconds`;
    throw makeError(codes.OPTION_INVALID, message);
  }
  const definition = new HubDefinition(options);
  servePages((introduction) => definition.introduce(introduction));
  return definition;
}
