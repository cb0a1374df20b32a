/** The SharedWorker with the hubs, and the types that the tests register on their side. */
import {type as json0} from 'ot-json0';
import {type as json1} from 'ot-json1';
import {type as richText} from 'rich-text';
import {Connection, types} from 'sharedb/lib/client/index.js';
import deserialized from 'sharedb/test/client/deserialized-type.js';
import number from 'sharedb/test/client/number-type.js';
import presence from 'sharedb/test/client/presence/presence-test-type.js';
import {defineHub} from 'tabmux/hub';

const {type, type2} = deserialized;
for (const it of [json1, richText, type, type2, number.type, presence.type]) types.register(it);
json0.registerSubtype(richText);

const definition = defineHub({connect: ({identity}) => connect(identity)});

/** Connects a hub to its server by the line of its name, whose other end is in `server-line.mjs`. */
function connect(name) {
  const channel = new BroadcastChannel(name);
  const open = (number) => new Socket(number, (message) => channel.postMessage(message));
  let socket = open(1);
  const connection = new Connection(socket);
  channel.onmessage = ({data: {socket: number, event, data}}) => {
    if (event === 'hang up') connection.close();
    if (event === 'end') {
      definition.hub(name).close();
      channel.close();
    }
    if (event === 'open' && number > 1) {
      socket = open(number);
      connection.bindToSocket(socket);
    }
    if (socket.number === number) socket.take(event, data);
  };
  channel.postMessage({event: 'ready'});
  return connection;
}

/** What ShareDB needs of a WebSocket. */
class Socket {
  readyState = 0;
  #say;

  constructor(number, say) {
    this.number = number;
    this.#say = say;
  }

  send(data) {
    this.#say({socket: this.number, event: 'message', data});
  }

  close(reason = 'closed') {
    if (this.readyState === 3) return;
    this.#say({socket: this.number, event: 'close', data: reason});
    this.take('close', reason);
  }

  /** Takes what comes from the server. */
  take(event, data) {
    if (this.readyState === 3) return;
    if (event === 'open') this.readyState = 1;
    if (event === 'close') this.readyState = 3;
    this[`on${event}`]?.(event === 'message' ? {data} : data);
  }
}
