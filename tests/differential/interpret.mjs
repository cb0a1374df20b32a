import {Observer, stateOf} from './observe.mjs';
import {openWorld} from './worlds.mjs';

/** Runs programs in one world. */
export class Interpreter {
  /** What each client holds: its documents, queries and presences. */
  hands = [];
  /** The ops that can be found in the server's log, with their documents. */
  marks = new Map();
  /** Where each phase begins: the steps of one tick, and all that comes of them. */
  phases = [];

  constructor(mode, program) {
    this.mode = mode;
    this.program = program;
    this.world = openWorld(mode, program);
    this.observer = new Observer(this.world.quiet, program);
    this.world.clients.forEach(({connection}, c) => {
      this.observer.connection(`c${c}`, connection);
      this.hands.push({docs: [], queries: [], presences: new Map(), isClosed: false});
    });
    this.onUncaught = (error) => this.observer.write('process', 'error', [error]);
  }

  /** Runs all steps; what is on its way at the end is awaited. */
  async run() {
    process.on('uncaughtException', this.onUncaught);
    const {steps, early} = this.program;
    for (let from = 0, to; from < steps.length; from = to) {
      to = from + 1;
      while (to < steps.length && this.isJoined(steps[to], steps[to - 1])) to += 1;
      // While a connection is made, who hears of its loss is a matter of chance.
      const isLost = steps.slice(from, to).some(({do: kind}) => ['drop', 'close'].includes(kind));
      if (from === 0 && (!early || isLost)) await this.settle();
      await this.runPhase(from, to);
    }
  }

  /** Takes these steps in one tick, and waits for all that comes of them. */
  async runPhase(from, to) {
    this.observer.phase = from;
    this.phases.push(from);
    const {steps} = this.program;
    const {server} = this.world;
    for (const {refuse, c} of steps.slice(from, to)) {
      if (refuse) server.refusals.push({...refuse, client: this.lineOf(c).name});
    }
    for (let at = from; at < to; at++) this.take(steps[at], String(at));
    await this.settle();
    server.refusals = [];
    this.observer.writeStates();
  }

  /** Whether a step comes in the same tick as the one before. */
  isJoined(step, before) {
    // Between clients, and while a connection is made, who is first is a matter of chance.
    if (!step.now || ['restore', 'open'].includes(before.do)) return false;
    return this.program.concurrent || step.c === before.c;
  }

  async settle() {
    if (await this.world.quiet.settle()) return;
    this.observer.write('process', 'never quiet');
  }

  close() {
    process.off('uncaughtException', this.onUncaught);
    this.observer.isClosed = true;
    this.world.close();
  }

  /** A line that is lost comes back. */
  restore(line) {
    if (line.isDropped) line.restore();
  }

  /** A client that has closed its connection opens it again. */
  open(c) {
    if (!this.hands[c].isClosed) return;
    this.hands[c].isClosed = false;
    this.world.clients[c].open();
  }

  lineOf(c) {
    return this.world.clients[c].line;
  }

  connectionOf(c) {
    return this.world.clients[c].connection;
  }

  take(step, key) {
    try {
      steps[step.do].call(this, step, key);
    } catch (error) {
      this.observer.write(`c${step.c} steps`, `step ${key} throws`, [error]);
    }
  }

  /** The callback of a step, if it has one. */
  callback(step, key, on, state = () => ({})) {
    if (!step.cb) return undefined;
    this.observer.expect(on, key);
    return (...args) => {
      this.observer.callback(on, key, step.do, args, state());
      if (step.next) this.take(step.next, `${key}.next`);
      if (step.cb === 'throws') throw new Error(`thrown in callback ${key}`);
    };
  }

  /** The client's document: the object it has had last. */
  doc(c, d) {
    return this.hands[c].docs[d]?.doc ?? this.get(c, d);
  }

  get(c, d) {
    const {collection, id} = this.program.docs[d];
    const doc = this.connectionOf(c).get(collection, id);
    const hand = this.hands[c];
    if (hand.docs[d]?.doc === doc) return doc;
    hand.docs[d] = {doc, on: this.nameOf(c, doc)};
    doc.once('destroy', () => {
      if (hand.docs[d]?.doc === doc) hand.docs[d] = undefined;
    });
    return doc;
  }

  /** The name of a document of a client, whose log begins now if it is new. */
  nameOf(c, doc) {
    return this.observer.doc(`c${c}`, doc);
  }

  onDoc(step, key, method, ...args) {
    const doc = this.doc(step.c, step.d);
    const {on} = this.hands[step.c].docs[step.d];
    doc[method](
      ...args,
      this.callback(step, key, on, () => this.observer.stateInEvent('callback', doc)),
    );
  }

  presence(c, of) {
    const connection = this.connectionOf(c);
    const {presences} = this.hands[c];
    if (presences.has(of)) return presences.get(of);
    const {collection, id} = this.program.docs[of] ?? {};
    const presence =
      of === 'channel'
        ? connection.getPresence('channel')
        : connection.getDocPresence(collection, id);
    const on = `c${c} presence ${of}`;
    const held = {presence, on};
    this.observer.presence(on, presence);
    presences.set(of, held);
    return held;
  }

  /** The one presence that a client has in a channel. */
  local(c, held) {
    if (!held.local) {
      held.local = held.presence.create(`presence of c${c}`);
      this.observer.localPresence(`${held.on} own`, held.local);
    }
    return held.local;
  }
}

const steps = {
  get({c, d}) {
    this.get(c, d);
  },
  fetch(step, key) {
    this.onDoc(step, key, 'fetch');
  },
  subscribe(step, key) {
    this.onDoc(step, key, 'subscribe');
  },
  unsubscribe(step, key) {
    this.onDoc(step, key, 'unsubscribe');
  },
  destroy(step, key) {
    this.onDoc(step, key, 'destroy');
  },
  create(step, key) {
    const data = copy(step.data);
    if (data.marks) {
      data.marks[key] = 1;
      this.marks.set(key, this.program.docs[step.d]);
    }
    const type = step.type ?? this.program.docs[step.d].type;
    this.onDoc(step, key, 'create', data, type, optionsOf(step));
  },
  submit(step, key) {
    const op = marked(step, key);
    if (op?.at?.(-1)?.p?.[0] === 'marks') this.marks.set(key, this.program.docs[step.d]);
    this.onDoc(step, key, 'submitOp', op, optionsOf(step));
  },
  del(step, key) {
    this.onDoc(step, key, 'del', optionsOf(step));
  },
  pause({c, d}) {
    this.doc(c, d).pause();
  },
  resume({c, d}) {
    this.doc(c, d).resume();
  },
  set({c, d, flag, value}) {
    this.doc(c, d)[flag] = value;
  },
  ingest(step, key) {
    const {collection, id} = this.program.docs[step.d];
    const {server} = this.world;
    const snapshot = server.state(collection, id, step.which === 'older' ? 1 : 0);
    if (step.which === 'ahead') snapshot.v += 1;
    if (step.which === 'broken') delete snapshot.v;
    this.onDoc(step, key, 'ingestSnapshot', copy(snapshot));
  },
  nothingPending(step, key) {
    const {c, d} = step;
    const waiting = d === undefined ? this.connectionOf(c) : this.doc(c, d);
    waiting.whenNothingPending(this.callback(step, key, `c${c} nothingPending`) ?? (() => {}));
  },
  snapshot(step, key) {
    const {collection, id} = this.program.docs[step.d];
    const callback = this.callback(step, key, `c${step.c} snapshots`) ?? (() => {});
    this.connectionOf(step.c).fetchSnapshot(collection, id, step.version, callback);
  },
  query(step, key) {
    const {c, live, collection, query, results} = step;
    const connection = this.connectionOf(c);
    const on = `c${c} query ${key}`;
    // Who knows results by other means has their data.
    const isHeld = ({wantsDestroy, _wantsDestroy}) => !(wantsDestroy || _wantsDestroy);
    const docs = results?.map((d) => this.doc(c, d));
    const known = docs?.filter((doc) => doc.type && isHeld(doc));
    const options = results ? {results: known} : null;
    const method = live ? 'createSubscribeQuery' : 'createFetchQuery';
    const found = (docs) => docs?.map((doc) => [this.nameOf(c, doc), stateOf(doc)]) ?? null;
    let made;
    const state = () => ({found: found(made?.results)});
    made = connection[method](
      collection,
      copy(query),
      options,
      this.callback(step, key, on, state),
    );
    this.observer.query(on, made, () => found(made.results));
    this.hands[c].queries.push(made);
  },
  endQuery(step, key) {
    const {queries} = this.hands[step.c];
    if (queries.length === 0) return;
    queries[step.nth % queries.length].destroy(this.callback(step, key, `c${step.c} queries`));
  },
  bulk({c, calls}) {
    const connection = this.connectionOf(c);
    connection.startBulk();
    for (const [method, d] of calls) this.doc(c, d)[method]();
    connection.endBulk();
  },
  trim({d, keep}) {
    const {collection, id} = this.program.docs[d];
    this.world.server.trim(collection, id, keep);
  },
  drop({c}) {
    if (!this.hands[c].isClosed && !this.lineOf(c).isDropped) this.lineOf(c).drop();
  },
  restore({c}) {
    if (!this.hands[c].isClosed) this.restore(this.lineOf(c));
  },
  close({c}) {
    if (this.hands[c].isClosed || this.lineOf(c).isDropped) return;
    this.hands[c].isClosed = true;
    this.world.clients[c].close();
  },
  open({c}) {
    this.open(c);
  },
  presence(step, key) {
    const {c, of, call, value} = step;
    const held = this.presence(c, of);
    const callback = this.callback(step, key, held.on);
    if (call === 'submit') {
      this.local(c, held).submit(copy(value), callback);
    } else if (call === 'destroyLocal') {
      this.local(c, held).destroy(callback);
      held.local = undefined;
    } else {
      held.presence[call](callback);
      if (call === 'destroy') this.hands[c].presences.delete(of);
    }
  },
};

function copy(value) {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function optionsOf({source}) {
  return source === undefined ? null : {source};
}

/** The op, with a mark by which it can be found in the server's log. */
function marked({op}, key) {
  if (!Array.isArray(op) || !op[0]?.p) return copy(op);
  return [...copy(op), {p: ['marks', key], oi: 1}];
}
