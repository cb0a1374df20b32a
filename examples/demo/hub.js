import ReconnectingWebSocket from 'reconnecting-websocket';
import {Connection} from 'sharedb/lib/client';
import {defineHub} from 'tabmux/hub';

// A message that could not be sent is not kept: ShareDB itself sends again what was not answered.
export default defineHub({
  connect: ({url}) => new Connection(new ReconnectingWebSocket(url, [], {maxEnqueuedMessages: 0})),
});
