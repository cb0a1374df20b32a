/**
 * Loaded by mocha before ShareDB's own tests: from then on `Backend.prototype.connect` returns a
 * `ProxyConnection` to a hub in this thread, whose upstream is the connection it used to return.
 *
 * `TABMUX_TRANSPORT` and `TABMUX_CODEC` say how the tab reaches the hub, and a transport that ends in
 * `+store` that the hub has a store. The current folder is that
 * of the ShareDB version under test, and has its own copy of the package.
 */
import {createRequire} from 'node:module';
import {join} from 'node:path';
import process from 'node:process';

const require = createRequire(join(process.cwd(), 'package.json'));
const Backend = require('sharedb/lib/backend.js');
const {createConnection} = require('tabmux');

const {TABMUX_TRANSPORT, TABMUX_CODEC: codec} = process.env;
const [transport, store] = TABMUX_TRANSPORT.split('+');
/** With a store, each test has a new one. */
const options = () =>
  store
    ? {transport, codec, store: {kind: 'memory', name: crypto.randomUUID()}}
    : {transport, codec};
const connectPlain = Backend.prototype.connect;
/** The tabs of the current test. */
const servers = new Map();

/** What a tab's hub connects to: what the test wants to connect the tab to. */
class Server {
  upstream;

  /** From here on hubs connect there. */
  move(backend, req) {
    this.backend = backend;
    this.req = req;
  }

  connect(closed) {
    this.upstream = connectPlain.call(this.backend, closed, this.req);
    return this.upstream;
  }
}

Backend.prototype.connect = function connect(connection, req, callback) {
  const known = servers.get(connection);
  // Connections that a test makes of a socket of its own stay what they are.
  if (connection && !known) return connectPlain.call(this, connection, req, callback);
  const server = known ?? new Server();
  const before = server.upstream?.agent;
  server.move(this, req);
  const tab = connection ?? createConnection(server, options());
  servers.set(tab, server);
  if (known) {
    tab.open();
    // A new socket for a connection that may still have one: a hub that has not let go of the server
    // yet gets it for its own.
    if (server.upstream.agent === before) server.connect(server.upstream);
  }
  if (typeof callback === 'function') tab.once('connected', () => callback(tab));
  return tab;
};

export const mochaHooks = {
  /** Ends the tabs of the test before, whose timers and channels would be at work in this one. */
  beforeEach() {
    for (const tab of servers.keys()) tab.close();
    servers.clear();
  },
};
