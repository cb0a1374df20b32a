import type {Connection} from 'sharedb/lib/client/index.js';
import defaultTypes from 'sharedb/lib/types.js';
import {
  chooseTopology,
  overBroadcastChannel,
  overDirect,
  overJsTransport,
  overMessagePort,
  type TransportEnd,
  tabIdOf,
} from '../../wasm/tab/tabmux_tab.js';
import type {TabEndpoint} from '../hub/endpoint.js';
import type {HubPlace} from '../hub/hub-place.js';
import type {Backend} from '../shared/backend.js';
import type {TabContext} from '../shared/context.js';
import {type CoreError, codes, makeError, toError} from '../shared/errors.js';
import {holdTabLock} from '../shared/locks.js';
import {randomId} from '../shared/random-id.js';
import type {StoreOptions} from '../shared/store-options.js';
import {backendHubs, loadBackendHubs} from './backend-hubs.js';
import {loadCodec} from './codecs.js';
import {ProxyConnection} from './connection.js';
import type {Entrance} from './connection-settings.js';
import {type Hosting, retryLater, startDirect, startSharedWorker} from './hosts.js';
import {
  type BackendOptions,
  type ConnectionOptions,
  checkBackendOptions,
  checkConnectionOptions,
} from './options.js';

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
  const end = custom ?? (channel ? overBroadcastChannel(channel, tabId) : anyEnd());
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
    const enter = () => {
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
    start = () => {
      const loading = loadCodec(options.codec);
      if (!loading) return enter();
      loading.then(enter).catch((error) => connection.fail(toError(error as CoreError)));
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
    const isTimeouts = typeof layer === 'object' && 'layer' in layer && layer.layer === 'timeouts';
    if (isTimeouts && layer.after) return layer.after;
  }
  // As `LayerConfig::TIMEOUT` of the core, which a page would pay for to ask.
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
  const hubs = backendHubs();
  let place = hubs && new hubs.HubPlace(backend, options, tabId);
  let left = new AbortController();
  const retry = retryLater();
  const attach = (place: HubPlace) => {
    const {signal} = left;
    const goOn = () => {
      if (!signal.aborted) attach(place);
    };
    const endpoint = place.take(connection, () => retry(goOn));
    connection.core.attach(endOf(endpoint));
  };
  const enter = async () => {
    const {signal} = left;
    const loading = loadCodec(options.codec);
    if (loading) await loading;
    if (signal.aborted) return;
    if (!place) {
      const {HubPlace} = await loadBackendHubs();
      if (signal.aborted) return;
      place ??= new HubPlace(backend, options, tabId);
    }
    // The hub asks for the lock after this, and gets it no earlier than the tab has left.
    holdTabLock(tabId, () => {}, signal);
    attach(place);
  };
  const enterOrFail = () => {
    enter().catch((error) => connection.fail(toError(error as CoreError)));
  };
  const entrance = {
    check: () => place?.keep(),
    enter: () => {
      left = new AbortController();
      enterOrFail();
    },
    leave: () => {
      left.abort();
      place?.leave();
    },
  };
  const upstream = () => place?.upstream;
  let connection: ProxyConnection;
  try {
    connection = makeConnection(secret, anyEnd(transport), options, {}, entrance, upstream);
  } catch (error) {
    place?.leave();
    throw error;
  }
  connection.setTopology({topology: 'direct', reason: 'a backend was given'});
  enterOrFail();
  return connection;
}

/** An end for the core to look at: what its transport is going to promise. */
function anyEnd(transport = 'direct'): TransportEnd {
  const isChannel = transport === 'broadcast-channel';
  const guarantees = isChannel ? {reliable: false, addressed: true} : {};
  return overJsTransport({name: transport, guarantees, send() {}, close() {}});
}

function endOf(endpoint: TabEndpoint): TransportEnd {
  if (typeof endpoint === 'string') return overBroadcastChannel(endpoint, randomId());
  return endpoint instanceof MessagePort ? overMessagePort(endpoint) : overDirect(endpoint);
}
