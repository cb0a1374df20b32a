import ReconnectingWebSocket from 'reconnecting-websocket';
import {Connection} from 'sharedb/lib/client/index.js';
import type {Socket} from 'sharedb/lib/sharedb.js';
import {defineHub} from './define.js';

/** The hub of `createConnection({url})`: json0 only, nothing to configure. */
export default defineHub({
  connect: ({url}) => {
    const socket = new ReconnectingWebSocket(url as string, [], {maxEnqueuedMessages: 0});
    return new Connection(socket as unknown as Socket);
  },
});
