/**
 * A ShareDB server that keeps everything in memory, and a web server for the demo beside it.
 * The browser tests use it as well.
 *
 *     node examples/demo/server.mjs --port 8080 --open
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createServer} from 'node:http';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import WebSocketJSONStream from '@teamwork/websocket-json-stream';
import richText from 'rich-text';
import ShareDB from 'sharedb';
import {WebSocketServer} from 'ws';
import {staticFiles} from './static-files.mjs';

ShareDB.types.register(richText.type);

/**
 * Starts the server.
 *
 * @param {object} [options]
 * @param {number} [options.port] 0 takes a free one
 * @param {string} [options.host]
 * @param {Record<string, string>} [options.files] what to serve beside the demo: text by path, such
 *   as `{'/page.html': '<!doctype html>'}`
 * @param {ShareDB} [options.backend] the ShareDB server
 */
export async function startServer({
  port = 0,
  host = '127.0.0.1',
  files = {},
  backend = new ShareDB(),
} = {}) {
  const log = [];
  backend.use('afterWrite', ({collection, id, op}, next) => {
    const {src, seq, v, ...rest} = op;
    const kind = ['create', 'del', 'op'].find((name) => name in rest);
    log.push({collection, id, src, seq, v, [kind]: rest[kind]});
    next();
  });

  const sockets = new Set();
  let opened = 0;
  let isCut = false;
  const webSockets = new WebSocketServer({noServer: true});
  webSockets.on('connection', (socket) => {
    sockets.add(socket);
    opened += 1;
    socket.on('close', () => sockets.delete(socket));
    const stream = new WebSocketJSONStream(socket);
    // A frame that is not JSON, or a reply to a socket that is gone: the stream closes, and ShareDB
    // listens for that alone.
    stream.on('error', () => {});
    backend.listen(stream);
  });

  const serveFile = await staticFiles(files);
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    if (pathname === '/status') {
      response.writeHead(200, {'content-type': 'application/json', 'cache-control': 'no-store'});
      response.end(JSON.stringify({sockets: sockets.size, opened}));
    } else {
      serveFile(pathname, request, response);
    }
  });
  server.on('upgrade', (request, socket, head) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    if (isCut || pathname !== '/sharedb') socket.destroy();
    else
      webSockets.handleUpgrade(request, socket, head, (opened) =>
        webSockets.emit('connection', opened),
      );
  });
  server.listen(port, host);
  await once(server, 'listening');

  return {
    /** Address of the demo, without a slash at the end. */
    url: `http://${host}:${server.address().port}`,
    port: server.address().port,
    /** The ShareDB backend. */
    backend,
    /** The WebSockets that are open, as the package `ws` has them. */
    sockets,
    /** How many WebSockets were ever opened. */
    get opened() {
      return opened;
    },
    /** Every op the database took, in that order: `{collection, id, src, seq, v, op | create | del}`. */
    log,
    /** Cuts every WebSocket off and lets no new one in; pages are still served. */
    cut() {
      isCut = true;
      for (const socket of sockets) socket.terminate();
    },
    /** Lets WebSockets in again. */
    restore() {
      isCut = false;
    },
    async close() {
      this.cut();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await new Promise((resolve) => backend.close(resolve));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const {values} = parseArgs({
    options: {port: {type: 'string', default: '8080'}, open: {type: 'boolean', default: false}},
  });
  const {url} = await startServer({port: Number(values.port)});
  console.log(`The demo is at ${url}`);
  if (values.open) openBrowser(url);
}

function openBrowser(url) {
  const [program, ...args] = {
    darwin: ['open', url],
    win32: ['cmd', '/c', 'start', url],
  }[process.platform] ?? ['xdg-open', url];
  spawn(program, args, {stdio: 'ignore'}).on('error', ({message}) => {
    console.error(`Could not open a browser (${message}): open ${url} yourself`);
  });
}
