import {once} from 'node:events';
import {afterEach} from 'node:test';
import {isDeepStrictEqual} from 'node:util';
import richText from 'rich-text';
import Backend from 'sharedb';
import {Connection} from 'sharedb/lib/client/index.js';
import {createConnection} from '../../pkg/index.js';

Backend.types.register(richText.type);
// The server notes each error it answers with; the tests look at the answers.
Backend.logger.setMethods({info() {}});

export const TRANSPORTS = ['direct', 'message-port', 'broadcast-channel'];
export const CODECS = ['structured-clone', 'json', 'cbor'];

/** What to close after the test, newest first: an open channel would keep the process alive. */
const open = [];

afterEach(async () => {
  for (const it of open.splice(0).reverse()) it.close();
});

/** Closes it after the test. */
export function closing(it) {
  open.push(it);
  return it;
}

/** A ShareDB server in memory. */
export function newBackend(options) {
  return new Backend(options);
}

let lastHub = 0;

/**
 * `count` tabs of one hub, over `direct` unless the options say otherwise. The hub's only
 * connection to the server is the next one that the backend makes.
 */
export function openTabs(backend, count, options) {
  lastHub += 1;
  const name = `hub ${lastHub}`;
  return Array.from({length: count}, () =>
    closing(createConnection(backend, {transport: 'direct', name, ...options})),
  );
}

/** A connection of ShareDB's own. */
export function plain(backend) {
  return closing(backend.connect());
}

/** Calls a method that takes Node's kind of callback last. */
export function call(object, method, ...args) {
  return new Promise((resolve, reject) => {
    object[method](...args, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** The error a method calls back with. */
export async function errorOf(object, method, ...args) {
  return call(object, method, ...args).then(
    () => undefined,
    (error) => error,
  );
}

/** The first of an emitter's events of this name for which `fits` holds. */
export async function eventually(emitter, event, fits) {
  while (!fits()) await once(emitter, event);
}

/** Waits until nothing is on its way any more, in any of the connections. */
export async function drained(...connections) {
  for (const connection of connections) {
    await new Promise((resolve) => connection.whenNothingPending(resolve));
  }
}

/** The document of this name in each of the connections, subscribed. */
export async function subscribeAll(connections, collection, id) {
  const docs = connections.map((connection) => connection.get(collection, id));
  for (const doc of docs) await call(doc, 'subscribe');
  return docs;
}

/** Waits until the documents hold equal data at the same version, with no op on its way. */
export async function converged(...docs) {
  const state = ({version, type, data}) => ({version, type: type?.name, data: frozen(data)});
  const done = () =>
    docs.every((doc) => !doc.hasWritePending() && isDeepStrictEqual(state(doc), state(docs[0])));
  await until(done, () => `the documents differ: ${JSON.stringify(docs.map(state))}`);
}

/** Waits until the condition holds; after 5 seconds it throws, with what `explain` says. */
export async function until(condition, explain = () => `it never happened: ${condition}`) {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 5000) throw new Error(explain());
    await turn();
  }
}

/** What a connection tells about its state from here on. */
export function stateEventsOf(connection) {
  const events = [];
  for (const name of ['connecting', 'connected', 'disconnected', 'closed', 'stopped', 'state']) {
    connection.on(name, (...args) => {
      const {state, canSend, id} = connection;
      events.push({name, args, state, canSend, hasId: typeof id === 'string'});
    });
  }
  return events;
}

/** The next turn of the event loop. */
export function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Some turns of the event loop: what has to come within them has come. */
export async function turns(count) {
  for (let i = 0; i < count; i++) await turn();
}

/** From here on the server takes some turns of the event loop for each message. */
export function slowDown(backend) {
  backend.use('receive', async (_context, next) => {
    await turns(10);
    next();
  });
}

/** A server that takes no op until `release` is called; `held` are those that wait. */
export function holdBack(backend) {
  const held = [];
  let open = false;
  backend.use('submit', (_context, next) => (open ? next() : held.push(next)));
  const release = () => {
    open = true;
    for (const next of held.splice(0)) next();
  };
  return {held, release};
}

/** A value as JSON has it, so that it can't change afterwards. */
export function frozen(value) {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/** The two ends of a transport in JavaScript that carries every frame, in order. */
export function newPair(guarantees) {
  const line = {};
  const ends = [new JsEnd(line, guarantees), new JsEnd(line, guarantees)];
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}

/** One end of a transport. */
class JsEnd {
  other;
  /** All that was sent here. */
  frames = [];
  onframe = null;
  onclose = null;
  onerror = null;
  #line;

  constructor(line, guarantees) {
    this.#line = line;
    if (guarantees) this.guarantees = guarantees;
  }

  send(frame) {
    // As a socket that is open keeps the process alive.
    this.#line.open ??= setInterval(() => {}, 1000);
    this.frames.push(frame);
    this.deliver(frame);
  }

  /** Tests replace it to lose, hold or reorder frames. */
  deliver(frame) {
    setImmediate(() => this.other.onframe?.(frame));
  }

  close(reason) {
    clearInterval(this.#line.open);
    // What is sent now does not open it again.
    this.#line.open = 0;
    setImmediate(() => this.other.onclose?.(reason));
  }

  /** The line between the ends breaks. */
  cut(reason) {
    clearInterval(this.#line.open);
    for (const end of [this, this.other]) end.onclose?.(reason);
  }
}

/** Numbers from 0 to 1 that look random and are the same in every run. */
export function numbers(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Has one end of a pair lose, double, delay and reorder what it sends. */
export function spoil(end, random) {
  end.deliver = (frame) => {
    const copies = random() < 0.15 ? 0 : random() < 0.15 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      setTimeout(() => end.other.onframe?.(frame), random() * 20);
    }
  };
}

/** Two tabs whose connection to the server can be dropped and made again. */
export async function openDroppable(backend, options) {
  const upstream = backend.connect();
  const tabs = openTabs({connect: () => upstream}, 2, options);
  await until(() => tabs.every((tab) => tab.state === 'connected'));
  const drop = async () => {
    upstream.socket.close('lost');
    await until(() => tabs.every((tab) => tab.state === 'disconnected'));
  };
  const restore = async () => {
    backend.connect(upstream);
    await until(() => tabs.every((tab) => tab.state === 'connected'));
  };
  return {tabs, drop, restore, upstream};
}

/** A server that can't be reached. */
export const unreachable = {
  connect: () => new Connection({readyState: 3, send() {}, close() {}}),
};

/**
 * A tab of a hub of its own with a store. A hub that is opened on the same identity later takes the
 * store over, as one does after a restart.
 */
export function openStored(server, identity, store = true, transport = 'direct') {
  const options = {transport, identity, store};
  // Of one and the same backend it would be the same hub.
  return closing(createConnection({connect: () => server.connect()}, options));
}

/** What a connection tells of its store from here on, as `[name, detail]`. */
export function storeEventsOf(connection) {
  const events = [];
  for (const name of ['error', 'quota', 'evicted', 'lost', 'cleared']) {
    connection.on(`store:${name}`, (detail) => events.push([name, detail]));
  }
  return events;
}
