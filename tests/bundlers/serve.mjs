import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';
import WebSocketJSONStream from '@teamwork/websocket-json-stream';
import ShareDB from 'sharedb';
import {WebSocketServer} from 'ws';

const types = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/**
 * A ShareDB server that keeps everything in memory, and serves a folder.
 *
 * @param {string} [folder]
 * @param {(path: string) => Record<string, string>} [headers] what is sent with a file
 */
export async function serve(folder, headers = () => ({})) {
  const backend = new ShareDB();
  const server = createServer(async (request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    try {
      if (!folder) throw new Error('nothing is served');
      const body = await readFile(join(folder, normalize(path)));
      const type = types[extname(path)] ?? 'text/plain';
      response.writeHead(200, {'content-type': type, ...headers(path)});
      response.end(body);
    } catch {
      response.writeHead(404, {'content-type': 'text/plain'}).end(`nothing is at ${path}\n`);
    }
  });
  const sockets = new WebSocketServer({server});
  let opened = 0;
  sockets.on('connection', (socket) => {
    opened += 1;
    const stream = new WebSocketJSONStream(socket);
    stream.on('error', () => {});
    backend.listen(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  return {
    url: `http://127.0.0.1:${port}/`,
    socketUrl: `ws://127.0.0.1:${port}`,
    backend,
    /** How many WebSockets were ever opened. */
    get opened() {
      return opened;
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
