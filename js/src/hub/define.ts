import defaultTypes from 'sharedb/lib/types.js';
import {overMessagePort} from '../../wasm/hub/tabmux_hub.js';
import type {TabContext} from '../shared/context.js';
import {codes, makeError} from '../shared/errors.js';
import type {Introduction} from '../shared/introduction.js';
import {checkCodec, checkLayer} from '../shared/plugins.js';
import {Hub, type HubSettings} from './hub.js';
import type {HubOptions} from './options.js';
import {readStoreOptions} from './read-store-options.js';
import {servePages} from './worker-scope.js';

/** A kind of hub, of which each identity gets its own. */
export class HubDefinition {
  readonly #options: HubSettings;
  readonly #hubs = new Map<string, Hub>();
  /** Those that rest are kept by the closed connections that may come back, if by any. */
  readonly #resting = new Map<string, WeakRef<Hub>>();
  readonly #local = new WeakSet<Hub>();

  /** @internal Use `defineHub`. */
  constructor(options: HubOptions) {
    const {connect, types = defaultTypes, linger = 5000, codecs = [], middleware = []} = options;
    const store = readStoreOptions(options.store);
    this.#options = {connect, types, linger, store, codecs, middleware};
  }

  /**
   * The hub of this identity in this thread, started if there is none, if it is closed, or if its store
   * was wiped and its tabs are gone. `auth` and `url` are for the function that finds the store's key.
   */
  hub(identity = '', {auth, url}: TabContext = {}): Hub {
    const known = this.#hubs.get(identity) ?? this.#resting.get(identity)?.deref();
    if (known && !known.isClosed && !known.isDeserted) {
      this.#hubs.set(identity, known);
      this.#resting.delete(identity);
      known.wake({auth, url});
      return known;
    }
    // What it has goes to the server yet, but the tabs that come are for the next.
    known?.stopListening();
    const hub = new Hub(this.#options, {identity, auth, url});
    hub.on('cleared', () => this.#restWhenIdle(identity, hub));
    this.#hubs.set(identity, hub);
    return hub;
  }

  #restWhenIdle(identity: string, hub: Hub): void {
    hub.restWhenIdle(() => {
      if (this.#hubs.get(identity) !== hub) return;
      this.#hubs.delete(identity);
      if (!hub.isClosed) this.#resting.set(identity, new WeakRef(hub));
    });
  }

  /** @internal The hub for a tab of this thread; one that is made here rests without its last tab. */
  localHub(identity: string, context: TabContext): Hub {
    const known = this.#hubs.get(identity);
    const hub = this.hub(identity, context);
    if (hub !== known) this.#local.add(hub);
    return hub;
  }

  /** @internal A tab of this thread has left. */
  releaseLocal(hub: Hub): void {
    for (const [identity, known] of this.#hubs) {
      if (known === hub && this.#local.has(hub)) this.#restWhenIdle(identity, hub);
    }
  }

  /** @internal Takes a tab that has introduced itself on the worker's port. */
  introduce({tabmux, identity, context, port, channel}: Introduction): void {
    const hub = this.hub(identity, context);
    if (tabmux === 'port' && port) hub.acceptEnd(overMessagePort(port));
    if (tabmux === 'broadcast-channel' && channel) hub.listenOn(channel);
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
  const known = ['connect', 'types', 'linger', 'store', 'codecs', 'middleware'];
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
  const {codecs = [], middleware = []} = options;
  for (const [name, list] of Object.entries({codecs, middleware})) {
    if (Array.isArray(list)) continue;
    const message = `option \`${name}\` of defineHub is ${JSON.stringify(list)}; it must be a list`;
    throw makeError(codes.OPTION_INVALID, message);
  }
  codecs.forEach((codec, at) => {
    checkCodec(`codecs[${at}]`, codec);
  });
  middleware.forEach((layer, at) => {
    checkLayer(`middleware[${at}]`, layer);
  });
  const definition = new HubDefinition(options);
  servePages((introduction) => definition.introduce(introduction));
  return definition;
}
