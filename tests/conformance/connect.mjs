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
const {createConnection, ProxyConnection} = require('tabmux');

const {TABMUX_TRANSPORT, TABMUX_CODEC: codec} = process.env;
const [transport, store] = TABMUX_TRANSPORT.split('+');
/** With a store, each test has a new one. */
const options = () =>
  store
    ? {transport, codec, store: {kind: 'memory', name: crypto.randomUUID()}}
    : {transport, codec};
const connectUpstream = Backend.prototype.connect;
/** The tabs of the current test, and the upstream connection of each one's hub. */
const upstreams = new Map();

Backend.prototype.connect = function connect(connection, req, callback) {
  const known = upstreams.get(connection);
  // Connections that a test makes of a socket of its own stay what they are.
  if (connection && !known) return connectUpstream.call(this, connection, req, callback);
  const upstream = connectUpstream.call(this, known, req);
  const tab = connection ?? connectTab(upstream);
  if (typeof callback === 'function') tab.once('connected', () => callback(tab));
  return tab;
};

function connectTab(upstream) {
  const tab = createConnection({connect: () => upstream}, options());
  upstreams.set(tab, upstream);
  // ShareDB keeps a closed connection for the next `connect`: the socket goes, the hub stays.
  tab.leave = () => upstream.close();
  return tab;
}

export const mochaHooks = {
  /** Ends the tabs of the test before, whose timers and channels would be at work in this one. */
  beforeEach() {
    for (const tab of upstreams.keys()) ProxyConnection.prototype.leave.call(tab);
    upstreams.clear();
  },
};
