import {once} from 'node:events';
import WebSocketJSONStream from '@teamwork/websocket-json-stream';
import ShareDB from 'sharedb';
import {WebSocketServer} from 'ws';
import './types.mjs';

ShareDB.logger.setMethods({info() {}, warn() {}});

/** Finds the notes with at least so many words, the shortest first, and counts them. */
class Notes extends ShareDB.MemoryDB {
  _querySync(snapshots, {words, broken}) {
    if (broken) throw new Error('the index is broken');
    const found = snapshots.filter(({data}) => data?.words >= words);
    found.sort((a, b) => a.data.words - b.data.words);
    return {snapshots: found, extra: {count: found.length}};
  }
}

/** Starts a ShareDB server behind a WebSocket. */
export async function startServer(journal) {
  const backend = new ShareDB({db: new Notes(), presence: true});
  backend.use('submit', ({op}, next) => {
    const refused = JSON.stringify(op.op ?? null).includes('forbidden');
    next(refused ? {code: 'ERR_FORBIDDEN', message: 'This word is forbidden'} : undefined);
  });
  backend.use('afterWrite', ({collection, id, op, extra}, next) => {
    const {v, create, del, op: edit} = op;
    const what = JSON.stringify({create, del, op: edit});
    journal.write(
      `server ${collection}/${id}`,
      `${v} ${what} source=${JSON.stringify(extra.source)}`,
    );
    next();
  });

  const server = new WebSocketServer({port: 0, host: '127.0.0.1'});
  let isCut = false;
  server.on('connection', (socket) => {
    if (isCut) return socket.terminate();
    const stream = new WebSocketJSONStream(socket);
    stream.on('error', () => {});
    backend.listen(stream);
  });
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${server.address().port}`,
    /** A client that needs no network. */
    connect: () => backend.connect(),
    /** Drops all sockets, and each that is opened until `restore`. */
    cut() {
      isCut = true;
      for (const socket of server.clients) socket.terminate();
    },
    restore() {
      isCut = false;
    },
    async close() {
      server.close();
      for (const socket of server.clients) socket.terminate();
      await once(server, 'close');
    },
  };
}
