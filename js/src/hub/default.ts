import ReconnectingWebSocket from 'reconnecting-websocket';
import {Connection} from 'sharedb/lib/client/index.js';
import type {Socket} from 'sharedb/lib/sharedb.js';
import type {ConnectContext} from '../shared/context.js';
import {type DefaultHub, hubOfWorker} from '../shared/default-hub.js';
import {defineHub, HubDefinition} from './define.js';
import type {HubOptions} from './options.js';
import {isSharedWorker} from './worker-scope.js';

function connect({url}: ConnectContext): Connection {
  const socket = new ReconnectingWebSocket(url as string, [], {maxEnqueuedMessages: 0});
  return new Connection(socket as unknown as Socket);
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
