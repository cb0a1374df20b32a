import StreamSocket from 'sharedb/lib/stream-socket.js';

/**
 * The server's end of what would be WebSockets, one after another, from a hub to its server. What
 * goes over it is `{socket, event, data}` with the socket's number, an event of `open`, `message`
 * and `close`, and for a message its text, for a close its reason. The hub's end is in `hub.mjs`,
 * which first says `ready`; `hang up` and `end` tell it what to do.
 */
export class ServerLine {
  #channel;
  /** What waits for the hub; `undefined` once it is there. */
  #waiting = [];
  #socket;
  #number = 0;

  constructor(name) {
    this.name = name;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({data}) => this.#take(data);
  }

  /** Connects the hub to the server, instead of any connection before. */
  open(backend, request) {
    this.#socket?.close();
    this.#number += 1;
    const number = this.#number;
    const socket = new StreamSocket();
    socket.onmessage = ({data}) => this.#say({socket: number, event: 'message', data});
    socket.onclose = (data) => this.#say({socket: number, event: 'close', data});
    this.#socket = socket;
    this.#say({socket: number, event: 'open'});
    socket._open();
    backend.listen(socket.stream, request);
  }

  /** Makes the hub close its connection, which can be opened again. */
  hangUp() {
    this.#say({event: 'hang up'});
  }

  /** Ends the hub. */
  end() {
    this.#say({event: 'end'});
    this.#socket?.close();
    this.#channel.close();
  }

  #say(message) {
    if (this.#waiting) this.#waiting.push(message);
    else this.#channel.postMessage(message);
  }

  #take({socket, event, data}) {
    if (event === 'ready') {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const message of waiting) this.#say(message);
    }
    if (socket !== this.#number) return;
    if (event === 'message') this.#socket.send(data);
    if (event === 'close') this.#socket.close(data);
  }
}
