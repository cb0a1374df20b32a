const DOC_EVENTS = [
  'load',
  'create',
  'before op batch',
  'before op',
  'op',
  'op batch',
  'del',
  'error',
  'no write pending',
  'nothing pending',
  'destroy',
];
const CONNECTION_EVENTS = ['connecting', 'connected', 'disconnected', 'closed', 'stopped', 'error'];
const QUERY_EVENTS = ['ready', 'error', 'insert', 'remove', 'move', 'changed', 'extra'];

/** Writes down what the objects of a world do, for each in its order. */
export class Observer {
  /** Lists of `{what, …}`, by the name of the object. */
  logs = new Map();
  /** How often each callback was called, with its last arguments; by its key. */
  calls = new Map();
  /** Nothing more is written. */
  isClosed = false;
  /** The step at which this part of the program began. */
  phase = 0;
  #quiet;
  #listen;
  /** All documents there have been: `{client, on, doc}`. */
  docs = [];
  #names = new Map();
  #counts = new Map();
  #state = new Map();

  constructor(quiet, {listen}) {
    this.#quiet = quiet;
    this.#listen = listen;
  }

  write(on, what, args = [], state = {}) {
    if (this.isClosed) return;
    this.#quiet.note();
    if (!this.logs.has(on)) this.logs.set(on, []);
    this.logs
      .get(on)
      .push({phase: this.phase, what, args: args.map((it) => this.readable(it)), ...state});
  }

  readable(value) {
    if (value?.message && (value.code || value instanceof Error)) return this.#error(value);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return this.#clean(value);
    if (this.#names.has(value)) return this.#names.get(value);
    if (Array.isArray(value)) return value.map((it) => this.readable(it));
    return JSON.parse(JSON.stringify(value));
  }

  /** The code of an error says what it is; without a code, the message must. */
  #error({code, message, context}) {
    // Node's own error, for what is no `Error` and had no listener.
    if (code === 'ERR_UNHANDLED_ERROR' && context) return this.readable(context);
    return code ? {error: code} : {error: this.#clean(message)};
  }

  /** Without the ids of clients, which differ from run to run. */
  #clean(text) {
    return text.replaceAll(/[0-9a-f]{32}/g, 'ID');
  }

  connection(on, connection) {
    for (const event of CONNECTION_EVENTS) {
      connection.on(event, (...args) => this.write(on, event, args, {canSend: connection.canSend}));
    }
    this.#state.set(on, () => ({
      state: connection.state,
      canSend: connection.canSend,
      pending: connection.hasPending(),
    }));
  }

  /** Names a document of a client, and writes down what it does from here on. */
  doc(client, doc) {
    if (this.#names.has(doc)) return this.#names.get(doc);
    const name = `${client} ${doc.collection}/${doc.id}`;
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    const on = count === 0 ? name : `${name} #${count + 1}`;
    this.#names.set(doc, on);
    const events = this.#listen ? DOC_EVENTS : DOC_EVENTS.filter((it) => it !== 'error');
    for (const event of events) {
      doc.on(event, (...args) => this.write(on, event, args, this.stateInEvent(event, doc)));
    }
    this.docs.push({client, on, doc});
    this.#state.set(on, () => stateOf(doc));
    return on;
  }

  stateInEvent(event, doc) {
    const {subscribed, pending, writePending, ...rest} = stateOf(doc);
    // A tab gets the state first, and then the answers to those who waited for it.
    return event === 'load' ? rest : {...rest, subscribed, pending, writePending};
  }

  query(on, query, results) {
    const events = this.#listen ? QUERY_EVENTS : QUERY_EVENTS.filter((it) => it !== 'error');
    for (const event of events) {
      query.on(event, (...args) => this.write(on, event, args, {results: results()}));
    }
    // ShareDB has them before it says that they are there.
    const found = () => (query.ready ? results() : null);
    this.#state.set(on, () => ({ready: query.ready, results: found()}));
  }

  presence(on, presence) {
    for (const event of this.#listen ? ['receive', 'error'] : ['receive']) {
      presence.on(event, (...args) => this.write(on, event, args));
    }
    this.#state.set(on, () => ({
      subscribed: presence.subscribed,
      remote: JSON.parse(JSON.stringify(presence.remotePresences)),
      local: Object.keys(presence.localPresences),
    }));
  }

  localPresence(on, local) {
    if (this.#listen) local.on('error', (...args) => this.write(on, 'error', args));
    this.#state.set(on, () => ({value: this.readable(local.value)}));
  }

  /** A callback is given that is to be called. */
  expect(on, key) {
    this.calls.set(key, {on, count: 0});
  }

  /** A callback; what it is called with goes to the log of `on`. */
  callback(on, key, of, args, state) {
    if (this.isClosed) return;
    const call = this.calls.get(key);
    call.count += 1;
    call.error = this.readable(args[0] ?? undefined);
    // No error is `undefined`, but for some cases where ShareDB says `null`.
    this.write(on, `callback of ${of} ${key}`, [args[0] ?? undefined, ...args.slice(1)], state);
  }

  /** Writes down how everything is, at the end of a phase. */
  writeStates() {
    for (const [on, state] of this.#state) this.write(on, 'is', [], state());
  }
}

/** What an application sees of a document. */
export function stateOf(doc) {
  return {
    version: doc.version,
    type: doc.type?.name ?? null,
    data: doc.data === undefined ? undefined : JSON.stringify(sorted(doc.data)),
    subscribed: doc.subscribed,
    pending: doc.hasPending(),
    writePending: doc.hasWritePending(),
  };
}

/** The same with the keys of objects in one order. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
