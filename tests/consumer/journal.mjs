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
const QUERY_EVENTS = ['ready', 'insert', 'move', 'remove', 'changed', 'extra', 'error'];

/**
 * Writes down what an application sees, in steps. Within a step each thing has lines of its own:
 * between two documents ShareDB promises no order.
 */
export class Journal {
  #steps = [];

  step(title) {
    this.#steps.push({title, pages: new Map()});
  }

  write(page, line) {
    const {pages} = this.#steps.at(-1);
    if (!pages.has(page)) pages.set(page, []);
    pages.get(page).push(line);
  }

  get lines() {
    return this.#steps.flatMap(({title, pages}) => [
      `== ${title}`,
      ...[...pages.keys()].sort().flatMap((page) => pages.get(page).map((it) => `${page}: ${it}`)),
    ]);
  }

  /** Follows a connection's events. */
  connection(who, connection) {
    for (const name of ['connecting', 'connected', 'disconnected', 'closed', 'stopped', 'state']) {
      connection.on(name, (...args) => {
        const {state, canSend, id} = connection;
        const facts = `state=${state} canSend=${canSend} id=${typeof id}`;
        // Of a socket's reason that is an object a tab hears nothing.
        this.write(who, `${name} ${shown(args.filter((it) => typeof it === 'string'))} ${facts}`);
      });
    }
    connection.on('pong', () => this.write(who, 'pong'));
    connection.on('doc', (doc) => {
      this.write(who, `doc ${doc.collection}/${doc.id}`);
      this.#doc(`${who} ${doc.collection}/${doc.id}`, doc);
    });
    connection.on('error', (error) => this.write(who, `error ${shown([error])}`));
    connection.on('connection error', (error) => this.write(who, `connection error ${error}`));
  }

  #doc(page, doc) {
    for (const event of DOC_EVENTS) {
      doc.on(event, (...args) =>
        this.write(page, `${event} ${shown(args)} ${stateOf(doc, event)}`),
      );
    }
  }

  /** Follows a query's events. */
  query(page, query) {
    for (const event of QUERY_EVENTS) {
      query.on(event, (...args) => this.write(page, `${event} ${shown(args)}`));
    }
  }

  /** Follows the presence of others. */
  presence(page, presence) {
    presence.on('receive', (id, value) => this.write(page, `receive ${shown([id, value])}`));
    presence.on('error', (error) => this.write(page, `error ${shown([error])}`));
  }

  /** Calls a method that takes Node's kind of callback last; waits for that. */
  call(page, object, method, ...args) {
    return new Promise((resolve) => {
      object[method](...args, (error, ...answer) => {
        this.write(page, `${method} calls back ${shown([error ?? null, ...answer])}`);
        resolve(answer[0]);
      });
    });
  }
}

function stateOf(doc, event) {
  const {version, type, data, subscribed, paused} = doc;
  const state = {version, type: type?.name ?? null, data, paused};
  // A tab gets the state first, and then the answers to those who waited for it.
  if (event === 'load') return shown([state]);
  const [pending, write] = [doc.hasPending(), doc.hasWritePending()];
  return shown([{...state, subscribed, pending, write}]);
}

/** Values as text that is the same in every run. */
export function shown(values) {
  return values.map((value) => JSON.stringify(readable(value)) ?? 'undefined').join(' ');
}

function readable(value) {
  if (value instanceof Error || value?.code) return `error ${value.code}`;
  if (Array.isArray(value)) return value.map(readable);
  if (value?.collection && value.connection) return `${value.collection}/${value.id}`;
  // The id of a client differs from run to run.
  if (typeof value === 'string' && /^[0-9a-f-]{32,36}$/.test(value)) return 'client id';
  return value;
}
