import ReconnectingWebSocket from 'reconnecting-websocket';
import {Connection} from 'sharedb/lib/client/index.js';
import {WebSocket} from 'ws';

/** ShareDB's own connection. */
export function plain(url) {
  const socket = new ReconnectingWebSocket(url, [], {
    WebSocket,
    maxEnqueuedMessages: 0,
    minReconnectionDelay: 10,
    maxReconnectionDelay: 50,
  });
  return new Connection(socket);
}
