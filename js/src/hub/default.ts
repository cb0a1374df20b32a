import ReconnectingWebSocket from 'reconnecting-websocket';
import {Connection} from 'sharedb/lib/client/index.js';
import type {Socket} from 'sharedb/lib/sharedb.js';
import type {ConnectContext} from '../shared/context.js';
import {type DefaultHub, hubOfWorker, serverAt} from '../shared/default-hub.js';
import {codes, makeError} from '../shared/errors.js';
import {defineHub, HubDefinition} from './define.js';
import type {HubOptions} from './options.js';
import {isSharedWorker} from './worker-scope.js';

function connect({url = ''}: ConnectContext): Connection {
  const server = serverAt(url);
  const {href} = new URL(url, globalThis.location?.href);
  // Not every browser takes an address of HTTP.
  const socket = new ReconnectingWebSocket(href.replace(/^http/, 'ws'), [], {
    maxEnqueuedMessages: 0,
  });
  const connection = new Connection(socket as unknown as Socket);
  socket.onerror = ({message = ''}) => {
    const why = message || 'the browser says why in its developer tools alone';
    const error = makeError(codes.NO_SERVER, `no connection to the server at ${server}: ${why}`);
    connection.emit('connection error', error as never);
  };
  return connection;
}

/** json0 only, nothing to configure. */
function optionsOf(hub: DefaultHub | undefined): HubOptions {
  return hub?.store ? {connect, store: {name: hub.server}} : {connect};
}

/** The hub of `createConnection({url})`, in a worker that was named after it. */
export function defaultHub(): HubDefinition {
  return defineHub(optionsOf(isSharedWorker ? hubOfWorker(self.name) : undefined));
}

const definitions = new Map<string, HubDefinition>();

/** The same, in a page. */
export function hubOf(hub: DefaultHub): HubDefinition {
  const key = JSON.stringify(hub);
  const definition = definitions.get(key) ?? new HubDefinition(optionsOf(hub));
  definitions.set(key, definition);
  return definition;
}
