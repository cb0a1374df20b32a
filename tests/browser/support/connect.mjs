import ReconnectingWebSocket from 'reconnecting-websocket';
import richText from 'rich-text';
import {Connection, types} from 'sharedb/lib/client';

types.register(richText.type);

/** A hub's connection to the server, which comes back soon after it was lost. */
export function connect({url, auth}) {
  if (auth === 'refused') throw new Error('who are you?');
  const socket = new ReconnectingWebSocket(url, [], {
    minReconnectionDelay: 50,
    maxReconnectionDelay: 200,
    maxEnqueuedMessages: 0,
  });
  return new Connection(socket);
}
