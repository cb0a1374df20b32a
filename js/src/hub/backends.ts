import defaultTypes from 'sharedb/lib/types.js';
import './inline.js';
import {listenOnBroadcastChannel, overMessagePort} from '../../wasm/hub/tabmux_hub.js';
import type {Backend} from '../connect.js';
import type {ProxyConnection} from '../connection.js';
import {directPair} from '../direct-pair.js';
import {codes, makeError} from '../errors.js';
import type {BackendOptions, CustomTransport} from '../options.js';
import {HubDefinition} from './define.js';
import type {Hub} from './hub.js';
import {databaseName} from './store-options.js';

/** How a tab gets to its hub: a port, the name of a broadcast channel, or one end of a direct pair. */
export type Way = MessagePort | string | CustomTransport;

/** A tab's place at a hub of this thread. */
export interface Joined {
  hub: Hub;
  way: Way;
  /** The tab has left. */
  leave: () => void;
}

/** A hub of this thread with its connections; without one it ends. */
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

/** The hub that has the name; without one, the hub of the backend that has the store. */
function findHub({backend, identity, name, database}: Omit<BackendHub, 'hub' | 'users'>) {
  return [...backendHubs].find((it) => {
    if (it.hub.isClosed || isLoggedOut(it)) return false;
    if (it.identity !== identity || it.name !== name) return false;
    return name !== undefined || (it.database === database && it.backend === backend);
  });
}

/** Whether its store was wiped and all have closed it: the next is to have a store again. */
function isLoggedOut({hub, users}: BackendHub): boolean {
  return hub.isCleared && [...users].every(({state}) => state === 'closed');
}

/**
 * Finds the hub that the options ask for, or starts it, and makes a way to it.
 *
 * @throws an `Error` with a `code`, for options that are invalid or don't fit together
 */
export function joinHub(
  backend: Backend,
  options: BackendOptions,
  connection: ProxyConnection,
): Joined {
  const {transport, name, identity = '', store = false} = options;
  const database = store ? databaseName(identity, store) : undefined;
  const wanted = {backend, identity, name, database};
  const known = name === undefined && !database ? undefined : findHub(wanted);
  const shared = known?.backend === backend ? known : undefined;
  if (known && !shared && known.users.size > 0) {
    const message = `option \`name\` is ${JSON.stringify(name)}, which names a hub of another backend`;
    throw makeError(codes.OPTION_INVALID, message);
  }
  if (!shared && database) handOver(database);
  if (known && !shared) backendHubs.delete(known);
  const host = shared ?? {
    ...wanted,
    hub: hubOf(backend, options),
    users: new Set<ProxyConnection>(),
  };
  const {hub} = host;
  const leave = () => {
    host.users.delete(connection);
    if (host.users.size === 0) hub.closeWhenIdle(() => backendHubs.delete(host));
  };
  hub.stayOpen();
  backendHubs.add(host);
  host.users.add(connection);
  return {hub, way: wayTo(hub, transport ?? 'direct', connection.tabId), leave};
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
  const connect = () => backend.connect();
  const hub = new HubDefinition({connect, types, store}).hub(identity);
  hub.connect();
  return hub;
}

/**
 * Gives the hub its end of a transport within this thread.
 *
 * The hub's end is made first: Node looks at its ports and channels in the order they were made, so
 * what the hub answers at once arrives in the same round of the event loop, before what other hubs
 * of this thread have heard of it.
 */
function wayTo(hub: Hub, transport: string, tabId: string): Way {
  if (transport === 'message-port') {
    const {port1, port2} = new MessageChannel();
    hub.acceptEnd(overMessagePort(port1));
    return port2;
  }
  if (transport === 'broadcast-channel') {
    const channel = `tabmux:${tabId}`;
    hub.listen(listenOnBroadcastChannel(channel, `hub of ${tabId}`));
    return channel;
  }
  const [tabEnd, hubEnd] = directPair();
  hub.acceptDirect(hubEnd);
  return tabEnd;
}
