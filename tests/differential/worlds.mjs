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

  drop() {
    this.connection.socket.close('lost');
  }

  restore() {
    if (this.connection.socket.readyState === 3) this.server.connect(this.name, this.connection);
  }
}

/** One server and its clients, which are numbered. */
class World {
  quiet = new Quiet();
  /** `{connection, line}`: what the application has, and what connects it to the server. */
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
      backend: {connect: () => line.connection},
    };
    const trace = () => this.quiet.note();
    const connection = createConnection(line.hub.backend, {...line.hub.options, trace});
    this.clients.push({connection, line});
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
      const line = new Line(world, c);
      world.clients.push({connection: line.connection, line});
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
      const own = new Line(world, tabs);
      world.clients.push({connection: own.connection, line: own});
    }
  },
};

/** The world of a mode: `plain`, `alone` or `siblings`. */
export function openWorld(mode, program) {
  const world = new World(program);
  MODES[mode](world, program);
  return world;
}
