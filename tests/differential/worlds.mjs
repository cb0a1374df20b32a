import {createConnection} from '../../pkg/index.js';
import {Quiet} from './quiet.mjs';
import {Server} from './server.mjs';

let lastHub = 0;

/** A connection of ShareDB's own to the server, that can be lost and made again. */
class Line {
  constructor(world, name) {
    this.server = world.server;
    this.name = name;
    this.connection = world.quiet.watch(this.server.connect(name));
  }

  isDropped = false;

  drop() {
    this.isDropped = true;
    this.connection.socket.close('lost');
  }

  restore() {
    this.isDropped = false;
    this.server.connect(this.name, this.connection);
  }
}

/** What the application has of a line to itself. */
class PlainClient {
  constructor(line) {
    this.line = line;
    this.connection = line.connection;
  }

  close() {
    this.connection.close();
  }

  open() {
    this.line.server.connect(this.line.name, this.connection);
  }
}

/** What the application has of a hub. */
class TabClient {
  constructor(line, connection) {
    this.line = line;
    this.connection = connection;
  }

  close() {
    this.connection.close();
  }

  open() {
    this.connection.open();
  }
}

/** What a hub makes its connection of: the line's, and when it comes back a new one. */
class HubBackend {
  #line;
  #isNew = true;

  constructor(line) {
    this.#line = line;
  }

  connect() {
    const {connection, server, name} = this.#line;
    if (!this.#isNew) return server.connect(name);
    this.#isNew = false;
    return connection;
  }
}

/** One server and its clients, which are numbered. */
class World {
  quiet = new Quiet();
  /** What the application has, of either kind. */
  clients = [];

  constructor(program) {
    this.server = new Server(program);
  }

  /** A tab of a hub on this line. */
  openTab(line, program) {
    lastHub += 1;
    const {transport} = program;
    line.hub ??= {
      options: {transport, name: `hub ${lastHub}`},
      backend: new HubBackend(line),
    };
    const trace = () => this.quiet.note();
    const connection = createConnection(line.hub.backend, {...line.hub.options, trace});
    this.clients.push(new TabClient(line, connection));
  }

  /** Whether what has this name is of a client of ShareDB's own. */
  isPlain(on) {
    const [, c] = /^c(\d+)/.exec(on) ?? [];
    return this.clients[c] instanceof PlainClient;
  }

  close() {
    for (const {connection, line} of this.clients) {
      connection.close();
      line.connection.close();
    }
  }
}

const MODES = {
  /** Each client is a connection of ShareDB's own. */
  plain(world, program) {
    for (let c = 0; c < program.clients; c++) {
      world.clients.push(new PlainClient(new Line(world, c)));
    }
  },
  /** Each client is a tab of a hub of its own. */
  alone(world, program) {
    for (let c = 0; c < program.clients; c++) world.openTab(new Line(world, c), program);
  },
  /** All clients are tabs of one hub, but for the last of several. */
  siblings(world, program) {
    const line = new Line(world, 'hub');
    const tabs = Math.max(1, program.clients - 1);
    for (let c = 0; c < tabs; c++) world.openTab(line, program);
    if (tabs < program.clients) {
      world.clients.push(new PlainClient(new Line(world, tabs)));
    }
  },
};

/** The world of a mode: `plain`, `alone` or `siblings`. */
export function openWorld(mode, program) {
  const world = new World(program);
  MODES[mode](world, program);
  return world;
}
