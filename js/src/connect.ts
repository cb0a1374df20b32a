import type {Connection} from 'sharedb/lib/client/index.js';
import defaultTypes from 'sharedb/lib/types.js';
import {
  chooseTopology,
  directPair,
  overBroadcastChannel,
  overJsTransport,
  overMessagePort,
  type TransportEnd,
  tabIdOf,
} from '../wasm/tabmux.js';
import {ProxyConnection} from './connection.js';
import type {Entrance} from './connection-settings.js';
import {type CoreError, codes, makeError, toError} from './errors.js';
import {goingOn, type Hosting, startDirect, startSharedWorker} from './hosts.js';
import {HubDefinition, type TabContext} from './hub/define.js';
import type {Hub} from './hub/hub.js';
import {databaseName, type StoreOptions} from './hub/store-options.js';
import {holdTabLock} from './locks.js';
import {
  type BackendOptions,
  type ConnectionOptions,
  checkBackendOptions,
  checkConnectionOptions,
} from './options.js';
import {randomId} from './random-id.js';

/** ShareDB's `Backend`, or whatever makes connections like it. */
export interface Backend {
  /** A new connection; or this one, which was closed, connected anew. */
  connect(closed?: Connection): Connection;
}

/**
 * Connects this tab to the hub. Returns at once; the connection's `state` follows.
 *
 * `createConnection(backend, options)` hosts the hub in this thread over `backend.connect()`; without
 * a `transport` it returns `backend.connect()` itself, where there are no SharedWorkers.
 *
 * @throws an `Error` with a `code`, for options that are unknown, invalid or don't fit together
 */
export function createConnection(options: ConnectionOptions): ProxyConnection;
export function createConnection(
  backend: Backend,
  options: BackendOptions & {
    transport: NonNullable<BackendOptions['transport']>;
    useSharedWorker?: true;
  },
): ProxyConnection;
export function createConnection(
  backend: Backend,
  options: BackendOptions & {store: true | StoreOptions},
): ProxyConnection;
export function createConnection(backend: Backend, options?: BackendOptions): Connection;
export function createConnection(
  first: Backend | ConnectionOptions,
  second?: BackendOptions,
): Connection {
  try {
    if (typeof (first as Backend | undefined)?.connect === 'function') {
      return connectToBackend(first as Backend, second ?? {});
    }
    return connectToHub((first ?? {}) as ConnectionOptions);
  } catch (error) {
    throw toError(error as CoreError);
  }
}

function connectToHub(options: ConnectionOptions): ProxyConnection {
  checkConnectionOptions(options);
  const {hub = {}, url, auth, transport = 'message-port', identity = '', store = false} = options;
  const custom = typeof transport === 'object' ? overJsTransport(transport) : undefined;
  if (!custom && !hub.worker && !hub.local && url === undefined) {
    const message =
      'createConnection needs `hub` (where the hub is), or `url` (where the server is)';
    throw makeError(codes.OPTION_INVALID, message);
  }
  if (store && (custom || hub.worker || hub.local)) {
    const message =
      'option `store` is for the hub at `url`: give it to `defineHub` of your own hub';
    throw makeError(codes.OPTION_INVALID, message);
  }
  const context = custom ? {url, auth} : asJson({url, auth});
  const secret = randomId() + randomId();
  const tabId = tabIdOf(secret) as string;
  // Every built-in transport between threads is as good as a direct one, but for the broadcast
  // channel, whose layers then serve a direct one as well.
  const channel = transport === 'broadcast-channel' ? `tabmux:${identity}:${url ?? ''}` : undefined;
  const end = custom ?? (channel ? overBroadcastChannel(channel, tabId) : directPair()[0]);
  let hosting: Hosting | undefined;
  let left = new AbortController();
  /** Once the tab's lock is held, or refused. */
  let start = () => {};
  const entrance = {
    check: () => {
      if (!custom) return;
      const message =
        'the transport object was closed with the connection: make a new connection with a new one';
      throw makeError(codes.TRANSPORT_CLOSED, message);
    },
    enter: () => {
      left = new AbortController();
      start();
    },
    leave: () => left.abort(),
  };
  const connection = makeConnection(secret, end, options, {url, auth}, entrance);
  // A closed connection may come back: the tab ends with its page.
  holdTabLock(tabId, (refusal) => {
    start = () => {
      if (left.signal.aborted) return;
      if (custom) {
        connection.setTopology({topology: 'custom', reason: 'a transport object was given'});
        return connection.core.attach(custom);
      }
      const name = channel;
      hosting = {
        connection,
        hub,
        identity,
        context,
        store,
        channel:
          name === undefined
            ? undefined
            : {name, end: hosting ? overBroadcastChannel(name, randomId()) : end},
        patience: patienceOf(options),
        left: left.signal,
      };
      startHosting(hosting, options, refusal);
    };
    start();
  });
  return connection;
}

function startHosting(hosting: Hosting, options: ConnectionOptions, refusal?: string): void {
  const {hub} = hosting;
  if (hub.local && !hub.worker) return startDirect(hosting, '`hub.worker` was not given');
  if (refusal) return startDirect(hosting, refusal);
  const [topology, reason] = chooseTopology(
    typeof SharedWorker !== 'undefined',
    Boolean(globalThis.navigator?.locks),
    options.useSharedWorker !== false,
  ) as ['shared-worker' | 'direct', string];
  if (topology === 'shared-worker') startSharedWorker(hosting, reason);
  else startDirect(hosting, reason);
}

/** What a tab says of itself, as it reaches a hub in a worker. */
function asJson(context: TabContext): TabContext {
  const paths = new Map<unknown, string>();
  let path = '';
  function visit(this: unknown, key: string, value: unknown): unknown {
    path = [paths.get(this), key].filter(Boolean).join('.');
    paths.set(value, path);
    return value;
  }
  try {
    return JSON.parse(JSON.stringify(context, visit));
  } catch (error) {
    const message = `option \`auth\` can't be written as JSON, by which it goes to the hub, because of \`${path}\`: ${(error as Error).message}`;
    throw makeError(codes.OPTION_INVALID, message);
  }
}

/** How long the hub may take to appear: what `timeouts` allows for any request. */
function patienceOf({middleware = []}: ConnectionOptions): number {
  for (const layer of middleware) {
    if (typeof layer === 'object' && layer.layer === 'timeouts' && layer.after) return layer.after;
  }
  return 30_000;
}

function makeConnection(
  secret: string,
  transport: TransportEnd,
  options: ConnectionOptions | BackendOptions,
  context: object,
  entrance: Entrance,
  upstream: () => unknown = () => undefined,
): ProxyConnection {
  const {
    codec = 'structured-clone',
    identity = '',
    middleware,
    trace,
    types = defaultTypes,
  } = options;
  try {
    return new ProxyConnection({
      secret,
      transport,
      codec,
      identity,
      middleware,
      trace,
      types,
      context,
      entrance,
      upstream,
    });
  } catch (error) {
    // An open port or channel would keep the process alive.
    transport.free();
    throw error;
  }
}

/** A hub of this thread with its connections; without one it rests, or ends if it has a store. */
interface BackendHub {
  hub: Hub;
  backend: Backend;
  identity: string;
  name: string | undefined;
  /** The name of its store, if it has one. */
  database: string | undefined;
  users: Set<ProxyConnection>;
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

function connectToBackend(backend: Backend, options: BackendOptions): Connection {
  checkBackendOptions(options);
  const {transport, store = false, useSharedWorker} = options;
  if (useSharedWorker === false && store) {
    const message = 'option `store` needs a hub: leave out `useSharedWorker: false`';
    throw makeError(codes.OPTION_INVALID, message);
  }
  if (useSharedWorker === false) return backend.connect();
  if (!transport && !store && typeof SharedWorker === 'undefined') return backend.connect();
  const secret = randomId() + randomId();
  const tabId = tabIdOf(secret) as string;
  let host = joinHub(backend, options);
  let left = new AbortController();
  const goOnSoon = goingOn();
  const attach = (end: TransportEnd) => {
    host.hub.onFailed(tabId, () =>
      goOnSoon(() => {
        if (!host.users.has(connection)) return;
        if (host.hub.isClosed) host.hub = hubOf(backend, options);
        backendHubs.add(host);
        attach(connectEnds(transport ?? 'direct', tabId, host.hub));
      }),
    );
    connection.core.attach(end);
  };
  const comeIn = (end: TransportEnd) => {
    host.users.add(connection);
    // The hub asks for the lock after this, and gets it no earlier than the tab has left.
    holdTabLock(tabId, () => {}, left.signal);
    attach(end);
  };
  const entrance = {
    check: () => {
      host = joinHub(backend, options, host);
    },
    enter: () => {
      left = new AbortController();
      comeIn(connectEnds(transport ?? 'direct', tabId, host.hub));
    },
    leave: () => {
      host.hub.unwatch(tabId);
      left.abort();
      host.users.delete(connection);
      restIfUnused(host);
    },
  };
  const tabEnd = connectEnds(transport ?? 'direct', tabId, host.hub);
  let connection: ProxyConnection;
  try {
    connection = makeConnection(secret, tabEnd, options, {}, entrance, () => host.hub.connection);
  } catch (error) {
    restIfUnused(host);
    throw error;
  }
  connection.setTopology({topology: 'direct', reason: 'a backend was given'});
  comeIn(tabEnd);
  return connection;
}

/** The hub for these options, awake; `before` is the one that the tab was at, if it comes back. */
function joinHub(backend: Backend, options: BackendOptions, before?: BackendHub): BackendHub {
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
      users: new Set<ProxyConnection>(),
    };
  forgetHub(host);
  backendHubs.add(host);
  host.hub.stayOpen({});
  return host;
}

function forgetHub(host: BackendHub): void {
  backendHubs.delete(host);
  for (const reference of restingHubs) {
    if (reference.deref() === host) restingHubs.delete(reference);
  }
}

function restIfUnused(host: BackendHub): void {
  if (host.users.size > 0) return;
  host.hub.restWhenIdle(() => {
    backendHubs.delete(host);
    // Without a name nobody else can find it.
    if (!host.hub.isClosed && host.name !== undefined) restingHubs.add(new WeakRef(host));
  });
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
  {types = defaultTypes, identity = '', store = false}: BackendOptions,
): Hub {
  // A `Backend` connects a connection anew that was closed.
  const connect = () => (hub?.connection ? backend.connect(hub.connection) : backend.connect());
  let hub: Hub | undefined;
  hub = new HubDefinition({connect, types, store}).hub(identity);
  hub.connect();
  return hub;
}

/**
 * Gives the hub one end of a transport within this thread, and returns the other.
 *
 * The hub's end is made first: Node looks at its ports and channels in the order they were made, so
 * what the hub answers at once arrives in the same round of the event loop, before what other hubs
 * of this thread have heard of it.
 */
function connectEnds(transport: string, tabId: string, hub: Hub): TransportEnd {
  if (transport === 'message-port') {
    const {port1, port2} = new MessageChannel();
    hub.acceptEnd(overMessagePort(port1));
    return overMessagePort(port2);
  }
  if (transport === 'broadcast-channel') {
    const channel = `tabmux:${tabId}`;
    hub.listenOn(channel);
    return overBroadcastChannel(channel, randomId());
  }
  const [tabEnd, hubEnd] = directPair() as [TransportEnd, TransportEnd];
  hub.acceptEnd(hubEnd);
  return tabEnd;
}
