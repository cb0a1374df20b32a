import richText from 'rich-text';
import Backend from 'sharedb';

Backend.types.register(richText.type);
Backend.logger.setMethods({info() {}, warn() {}, error() {}});

/** What a client asks for, by the action of its message. */
const ASKED = {
  s: 'subscribe',
  bs: 'subscribe',
  f: 'fetch',
  bf: 'fetch',
  p: 'presence',
  ps: 'presence',
};

const QUERIES = {qf: 'query', qs: 'query'};

/** Documents whose `n` is that of the query. */
class Database extends Backend.MemoryDB {
  _querySync(snapshots, query) {
    const fits = ({data}) => query.n === undefined || data?.n === query.n;
    return {snapshots: snapshots.filter(fits), extra: undefined};
  }
}

/** A ShareDB server in memory that can refuse, and forget ops. */
export class Server {
  /** What the server refuses now: `{what, client, code}`. */
  refusals = [];
  /** What it has refused. */
  refused = [];
  /** All ops that were committed: `{collection, id, op}`. */
  committed = [];
  /** Each state that each document had, by name and version. */
  #history = new Map();

  /** `slow`: whether ops or reads, if any, take longer than all else. */
  constructor({presence, slow}) {
    this.db = new Database();
    this.backend = new Backend({
      db: this.db,
      presence,
      doNotForwardSendPresenceErrorsToClient: true,
    });
    this.backend.use('connect', ({agent, req}, next) => {
      agent.custom.client = req?.client;
      next();
    });
    this.#refuse('receive', ({data}) => ASKED[data.a]);
    this.#refuse('submit', () => 'submit');
    this.#refuse('readSnapshots', () => 'read');
    this.#refuse('query', () => 'query');
    if (slow) this.#slowDown(slow);
    this.#record();
  }

  #slowDown(slow) {
    this.backend.use('receive', ({data}, next) => {
      const kind = data.a === 'op' ? 'ops' : data.a in ASKED || data.a in QUERIES ? 'reads' : null;
      if (kind === slow) setImmediate(() => setImmediate(next));
      else next();
    });
  }

  #record() {
    this.backend.use('afterWrite', ({collection, id, op, snapshot}, next) => {
      this.#states(collection, id).push(JSON.parse(JSON.stringify(snapshot)));
      this.committed.push({collection, id, op});
      next();
    });
  }

  #refuse(action, whatOf) {
    this.backend.use(action, (context, next) => {
      const {client} = context.agent.custom;
      const what = whatOf(context);
      const at = this.refusals.findIndex((it) => it.what === what && it.client === client);
      if (at < 0) return next();
      const [{code}] = this.refusals.splice(at, 1);
      const read = context.snapshots?.map(({id}) => ` ${id}`).sort() ?? [];
      this.refused.push(`${client}${read.join('')} ${what}`);
      next(new Backend.Error(code, `The server refuses to ${what}`));
    });
  }

  /** A connection of a client, whose name the refusals have. */
  connect(client, connection) {
    return this.backend.connect(connection, {client});
  }

  #states(collection, id) {
    const name = `${collection}/${id}`;
    if (!this.#history.has(name)) this.#history.set(name, []);
    return this.#history.get(name);
  }

  /** The committed state that is `back` versions old, as for `ingestSnapshot`. */
  state(collection, id, back) {
    const states = this.#states(collection, id);
    const at = states.length - 1 - back;
    if (at < 0) return {v: 0, type: null};
    const {v, type, data} = states[at];
    return {v, type, data};
  }

  /** Forgets the ops of a document but for the last `keep`. */
  trim(collection, id, keep) {
    const ops = this.db.ops[collection]?.[id] ?? [];
    for (let v = 0; v < ops.length - keep; v++) ops[v] = null;
  }

  /** What the server has of a document. */
  stored(collection, id) {
    const {v, type, data} = this.db._getSnapshotSync(collection, id);
    return {version: v, type: type ? Backend.types.map[type].name : null, data};
  }
}
