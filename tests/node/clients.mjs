import assert from 'node:assert/strict';
import {test} from 'node:test';
import Backend from 'sharedb';
import {openTabs, plain, turns, until} from './support.mjs';

/** Clients of one server, each with a connection of its own or all as tabs of one hub. */
export class Clients {
  backend = new Backend({presence: true});
  /** A connection of ShareDB's own in either case, which is never dropped. */
  outside = plain(this.backend);
  #open;
  #upstreams = [];
  #connections = [];
  /** The actions of ShareDB's protocol that the server refuses, and with what. */
  #refused = new Map();

  constructor(transport) {
    const server = {connect: () => this.#connect()};
    const name = `clients ${performance.now()}`;
    this.#open = transport ? () => openTabs(server, 1, {transport, name})[0] : () => plain(server);
    this.backend.use('receive', ({data, agent}, next) => {
      const isOutside = agent.clientId === this.outside.id;
      next(isOutside ? undefined : this.#refused.get(data.a));
    });
  }

  #connect() {
    const upstream = this.backend.connect();
    this.#upstreams.push(upstream);
    return upstream;
  }

  /** Another client. */
  async open() {
    const connection = this.#open();
    this.#connections.push(connection);
    await until(() => connection.state === 'connected');
    return connection;
  }

  /** Another client, while the server is away. */
  async openDropped() {
    const connection = this.#open();
    this.#connections.push(connection);
    for (const upstream of this.#upstreams) upstream.socket.close('lost');
    await until(() => connection.state === 'disconnected');
    return connection;
  }

  /** Every connection to the server is lost. */
  async drop() {
    for (const upstream of this.#upstreams) upstream.socket.close('lost');
    await until(() => this.#connections.every(({state}) => state === 'disconnected'));
  }

  /** Every connection is there again, and what was asked on it is answered. */
  async restore() {
    for (const upstream of this.#upstreams) this.backend.connect(upstream);
    await until(() => this.#connections.every(({state}) => state === 'connected'));
    await this.quiet();
  }

  /** From now on the server refuses these actions of the clients. */
  refuse(actions, code = 'ERR_TEST_REFUSED') {
    for (const action of actions) this.#refused.set(action, new Backend.Error(code, 'refused'));
  }

  allow() {
    this.#refused.clear();
  }

  /** Waits until what is on its way has arrived. */
  async quiet() {
    await turns(60);
  }
}

/** The errors that an emitter emits from now on, by code. */
export function errorsOf(emitter) {
  const codes = [];
  emitter.on('error', (error) => codes.push(error.code));
  return codes;
}

/** How a call ends: `ok`, or the code of the error. */
export function answerOf(object, method, ...args) {
  return new Promise((resolve) => {
    object[method](...args, (error) => resolve(error ? error.code : 'ok'));
  });
}

/**
 * Runs it for clients with connections of their own, for tabs in the hub's thread, and for tabs
 * behind message ports: what it returns must be the same.
 */
export function sameOutcome(name, script) {
  test(name, async () => {
    const expected = await script(new Clients());
    for (const transport of ['direct', 'message-port']) {
      assert.deepEqual(await script(new Clients(transport)), expected, transport);
    }
  });
}
