import ReconnectingWebSocket from 'reconnecting-websocket';
import {Connection} from 'sharedb/lib/client/index.js';
import type {Socket} from 'sharedb/lib/sharedb.js';
import type {ConnectContext} from '../shared/context.js';
import {WITH_STORE} from '../shared/introduction.js';
import {defineHub, HubDefinition} from './define.js';
import {isSharedWorker} from './worker-scope.js';

function connect({url}: ConnectContext): Connection {
  const socket = new ReconnectingWebSocket(url as string, [], {maxEnqueuedMessages: 0});
  return new Connection(socket as unknown as Socket);
}

/** The hub of `createConnection({url})`: json0 only, nothing to configure. */
export default defineHub({
  connect,
  store: isSharedWorker && self.name.startsWith(`${WITH_STORE} `),
});

/** The hub of `createConnection({url, store: true})`, where it is not in a worker. */
export const withStore = new HubDefinition({connect, store: true});
