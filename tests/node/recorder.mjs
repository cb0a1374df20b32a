import assert from 'node:assert/strict';
import {test} from 'node:test';
import {drained, frozen, newBackend, openTabs, plain, turns, until} from './support.mjs';

const EVENTS = [
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

/** Writes down all that a document does, with what the document looks like at that moment. */
export class Recorder {
  log = [];
  /** What to write in place of values that differ from run to run. */
  names = new Map();

  constructor(doc) {
    this.doc = doc;
    for (const event of EVENTS) doc.on(event, (...args) => this.write(event, args));
  }

  write(what, args = []) {
    const {version, data, type, subscribed} = this.doc;
    this.log.push({
      what,
      args: args.map((value) => this.readable(value)),
      version,
      data: frozen(data),
      type: type?.name ?? null,
      // A tab gets the state first, and then the answers to those who waited for it.
      ...(what !== 'load' && {
        subscribed,
        pending: this.doc.hasPending(),
        writePending: this.doc.hasWritePending(),
      }),
    });
  }

  readable(value) {
    if (value instanceof Error) return `${value.code}: ${value.message}`;
    return this.names.get(value) ?? frozen(value);
  }

  /** Calls a method of the document with these arguments and a callback; waits for that. */
  call(method, ...args) {
    return new Promise((resolve) => {
      this.write(`${method} is called`);
      this.doc[method](...args, (...answer) => {
        // No error is `undefined`, but for one case where ShareDB says `null`.
        const [error, ...rest] = answer;
        this.write(`${method} calls back`, [error ?? undefined, ...rest]);
        resolve();
      });
      this.write(`${method} has returned`);
    });
  }

  /** The events and callbacks, without what goes with them. */
  get events() {
    return this.log.map(({what}) => what);
  }
}

/** Compares two logs entry by entry, so that a failure shows the first difference. */
export function assertSameLog(actual, expected) {
  for (const [at, entry] of expected.entries()) assert.deepEqual(actual[at], entry);
  assert.equal(actual.length, expected.length);
}

/**
 * Runs it on a connection of ShareDB's own and on a tab: the document must do the same in both, or
 * at least what `view` leaves of it.
 */
export function sameAsShareDB(name, script, view = (log) => log) {
  test(name, async () => {
    const logs = [];
    for (const connect of [plain, (backend) => openTabs(backend, 1)[0]]) {
      const backend = newBackend();
      const connection = connect(backend);
      const app = new Recorder(connection.get('things', 'one'));
      const outside = plain(backend).get('things', 'one');
      await until(() => connection.id && outside.connection.id);
      app.names.set(connection.id, 'the id of this client');
      app.names.set(outside.connection.id, 'the id of the outside client');
      const thrown = [];
      connection.on('error', (error) => thrown.push(error.message));
      await script({app, doc: app.doc, outside, backend, connection, thrown});
      await drained(connection);
      await turns(10);
      logs.push({log: view(app.log), thrown});
    }
    assertSameLog(logs[1].log, logs[0].log);
    assert.deepEqual(logs[1].thrown, logs[0].thrown);
  });
}
