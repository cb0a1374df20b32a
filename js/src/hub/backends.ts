import defaultTypes from 'sharedb/lib/types.js';
import './inline.js';
import type {Backend} from '../shared/backend.js';
import {codes, makeError} from '../shared/errors.js';
import type {CustomCodec, CustomLayer} from '../shared/plugins.js';
import type {StoreOptions} from '../shared/store-options.js';
import type {BuiltInTransport} from '../shared/transport.js';
import {HubDefinition} from './define.js';
import type {Hub} from './hub.js';
import {databaseName} from './read-store-options.js';

/** What a tab asks of its hub; see the options of `createConnection`. */
export interface HubPlaceOptions {
  codec?: string | CustomCodec;
  middleware?: (string | object | CustomLayer)[];
  identity?: string;
  name?: string;
  store?: boolean | StoreOptions;
  transport?: 'direct' | BuiltInTransport;
  types?: {map: {[name: string]: any}};
}

/** A connection of a tab to the hub. */
export interface User {
  readonly state: string;
}

/** A hub of this thread with its connections; without one it rests, or ends if it has a store. */
export interface BackendHub {
  hub: Hub;
  backend: Backend;
  identity: string;
  name: string | undefined;
  /** The name of its store, if it has one. */
  database: string | undefined;
  users: Set<User>;
}

/** Those that can be joined; those, too, that have no connection and wait for the server. */
const backendHubs = new Set<BackendHub>();

/** Those that rest are kept by the closed connections that may come back, if by any. */
const restingHubs = new Set<WeakRef<BackendHub>>();

function* joinableHubs(): Generator<BackendHub> {
  yield* backendHubs;
  for (const reference of restingHubs) {
    const host = reference.deref();
    if (host && !host.hub.isClosed) yield host;
    else restingHubs.delete(reference);
  }
}

/** The hub that has the name; without one, the hub of the backend that has the store. */
function findHub({backend, identity, name, database}: Omit<BackendHub, 'hub' | 'users'>) {
  return [...joinableHubs()].find((it) => {
    if (it.hub.isClosed || isLoggedOut(it)) return false;
    if (it.identity !== identity || it.name !== name) return false;
    return name !== undefined || (it.database === database && it.backend === backend);
  });
}

/** Whether its store was wiped and all have closed it: the next is to have a store again. */
function isLoggedOut({hub, users}: BackendHub): boolean {
  return hub.isCleared && [...users].every(({state}) => state === 'closed');
}

/** The hub for these options, awake; `before` is the one that the tab was at, if it comes back. */
export function joinHub(
  backend: Backend,
  options: HubPlaceOptions,
  before?: BackendHub,
): BackendHub {
  const {name, identity = '', store = false} = options;
  const database = store ? databaseName(identity, store) : undefined;
  const wanted = {backend, identity, name, database};
  const known = name === undefined && !database ? undefined : findHub(wanted);
  const shared = known?.backend === backend ? known : undefined;
  if (known && !shared && known.users.size > 0) {
    const message = `option \`name\` is ${JSON.stringify(name)}, which names a hub of another backend`;
    throw makeError(codes.OPTION_INVALID, message);
  }
  if (!shared && database) handOver(database);
  if (known && !shared) forgetHub(known);
  const left = before && !before.hub.isClosed && !isLoggedOut(before) ? before : undefined;
  const host = shared ??
    left ?? {
      ...wanted,
      hub: hubOf(backend, options),
      users: new Set<User>(),
    };
  forgetHub(host);
  backendHubs.add(host);
  host.hub.stayOpen({});
  return host;
}

/** A connection comes to the hub, or to the next one, if that has failed. */
export function enterHub(host: BackendHub, options: HubPlaceOptions, connection: User): void {
  if (host.hub.isClosed) host.hub = hubOf(host.backend, options);
  backendHubs.add(host);
  host.users.add(connection);
  const {codec, middleware = []} = options;
  host.hub.addPlugins({
    codecs: typeof codec === 'object' ? [codec] : [],
    middleware: middleware.filter((layer) => typeof layer === 'object' && 'name' in layer),
  });
}

/** A connection leaves the hub, if it was there: with the last one, the hub rests, or ends. */
export function leaveHub(host: BackendHub, connection: User | undefined): void {
  if (connection) host.users.delete(connection);
  if (host.users.size > 0) return;
  host.hub.restWhenIdle(() => {
    backendHubs.delete(host);
    // Without a name nobody else can find it.
    if (!host.hub.isClosed && host.name !== undefined) restingHubs.add(new WeakRef(host));
  });
}

function forgetHub(host: BackendHub): void {
  backendHubs.delete(host);
  for (const reference of restingHubs) {
    if (reference.deref() === host) restingHubs.delete(reference);
  }
}

/** Closes the hub that has the store and only waits for its server: the next hub sends what it has. */
function handOver(database: string): void {
  for (const it of backendHubs) {
    // One whose store was wiped has let go of it.
    if (it.database === database && it.users.size === 0 && !it.hub.isCleared) it.hub.close();
  }
}

function hubOf(
  backend: Backend,
  {types = defaultTypes, identity = '', store = false}: HubPlaceOptions,
): Hub {
  // A `Backend` connects a connection anew that was closed.
  const connect = () => (hub?.connection ? backend.connect(hub.connection) : backend.connect());
  let hub: Hub | undefined;
  hub = new HubDefinition({connect, types, store}).hub(identity);
  hub.connect();
  return hub;
}
