import type {Answer, WholeConnection} from './sharedb.js';

/** Has a closed connection go on over the socket of one that was just made. */
export function takeSocket(closed: WholeConnection, made: WholeConnection): void {
  // A backend of ShareDB connects the closed one itself.
  if (made === closed) return;
  const {socket} = made;
  if (socket.readyState === 1 && made.state === 'connecting') {
    // The other has shaken hands already: the answer to that has another id.
    const drop = (request: {data?: Answer}) => {
      if (request.data?.a !== 'hs') return;
      delete request.data;
      closed.off('receive', drop);
    };
    closed.on('receive', drop);
  }
  closed.bindToSocket(socket);
  closed.agent = made.agent;
}
