import type {Connection} from 'sharedb/lib/client/index.js';
import defaultTypes from 'sharedb/lib/types.js';
import {
  chooseTopology,
  overBroadcastChannel,
  overJsTransport,
  overMessagePort,
  type TransportEnd,
} from '../wasm/tab/tabmux_tab.js';
import {type BackendHubs, withBackendHubs} from './backends.js';
import {ProxyConnection} from './connection.js';
import {type CoreError, codes, makeError, toError} from './errors.js';
import {startDirect, startSharedWorker} from './hosts.js';
import type {Joined, Way} from './hub/backends.js';
import type {TabContext} from './hub/define.js';
import type {StoreOptions} from './hub/store-options.js';
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
  connect(): Connection;
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
  const tabId = randomId();
  // Every built-in transport between threads is as good as a direct one, but for the broadcast
  // channel, whose layers then serve a direct one as well.
  const channel = transport === 'broadcast-channel' ? `tabmux:${identity}:${url ?? ''}` : undefined;
  const end = custom ?? (channel ? overBroadcastChannel(channel, tabId) : anyEnd());
  const left = new AbortController();
  const leave = () => left.abort();
  const connection = makeConnection(tabId, end, options, {url, auth}, leave);
  holdTabLock(tabId, left.signal, (refusal) => {
    if (connection.left) return;
    if (custom) {
      connection.setTopology({topology: 'custom', reason: 'a transport object was given'});
      return connection.core.attach(custom);
    }
    const hosting = {
      connection,
      hub,
      identity,
      context,
      store,
      channel: channel ? {name: channel, end} : undefined,
      patience: patienceOf(options),
      left: left.signal,
    };
    if (hub.local && !hub.worker) return startDirect(hosting, '`hub.worker` was not given');
    if (refusal) return startDirect(hosting, refusal);
    const [topology, reason] = chooseTopology(
      typeof SharedWorker !== 'undefined',
      Boolean(globalThis.navigator?.locks),
      options.useSharedWorker !== false,
    ) as ['shared-worker' | 'direct', string];
    if (topology === 'shared-worker') startSharedWorker(hosting, reason);
    else startDirect(hosting, reason);
  });
  return connection;
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
  tabId: string,
  transport: TransportEnd,
  options: ConnectionOptions | BackendOptions,
  context: object,
  onClose: () => void,
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
      tabId,
      transport,
      codec,
      identity,
      middleware,
      trace,
      types,
      context,
      onClose,
      upstream,
    });
  } catch (error) {
    // An open port or channel would keep the process alive.
    transport.free();
    throw error;
  }
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
  const tabId = randomId();
  const left = new AbortController();
  let joined: Joined | undefined;
  const leave = () => {
    left.abort();
    joined?.leave();
  };
  const upstream = () => joined?.hub.connection;
  const connection = makeConnection(tabId, anyEnd(transport), options, {}, leave, upstream);
  const join = ({joinHub}: BackendHubs) => {
    if (connection.left) return;
    joined = joinHub(backend, options, connection);
    connection.setTopology({topology: 'direct', reason: 'a backend was given'});
    // The hub asks for the lock after this, and gets it no earlier than the tab has left.
    holdTabLock(tabId, left.signal, () => {});
    connection.core.attach(endOf(joined.way, tabId));
  };
  try {
    withBackendHubs(join, (error) => connection.fail(toError(error as CoreError)));
  } catch (error) {
    connection.leave();
    throw error;
  }
  return connection;
}

/** An end for the core to look at: what its transport is going to promise. */
function anyEnd(transport = 'direct'): TransportEnd {
  const isChannel = transport === 'broadcast-channel';
  const guarantees = isChannel ? {reliable: false, addressed: true} : {};
  return overJsTransport({name: transport, guarantees, send() {}, close() {}});
}

function endOf(way: Way, tabId: string): TransportEnd {
  if (typeof way === 'string') return overBroadcastChannel(way, tabId);
  return way instanceof MessagePort ? overMessagePort(way) : overJsTransport(way);
}
