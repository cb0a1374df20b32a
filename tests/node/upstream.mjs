// The hub's side of ShareDB, alone: no package exports it, so it is bundled here.

import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {build} from 'esbuild';
import richText from 'rich-text';
import Backend from 'sharedb';
import {call, closing, until} from './support.mjs';

const source = new URL('../../js/src/hub/upstream.ts', import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), 'tabmux-upstream-'));
const outfile = join(folder, 'upstream.mjs');
await build({entryPoints: [source], bundle: true, format: 'esm', sourcemap: 'inline', outfile});
const {UpstreamAdapter} = await import(outfile);
await rm(folder, {recursive: true});

export const json0 = Backend.types.defaultType.uri;
export const rich = richText.type.uri;

/** An adapter, the events it has told, and the server it is connected to. */
export class Upstream {
  events = [];
  #lastOp = 0;
  #backend;

  /** `held`: ops wait to be released. */
  constructor(backend, {held = true, online = true, canTell} = {}) {
    this.#backend = backend;
    this.connection = closing(backend.connect());
    if (!online) this.connection.close();
    const store = held ? {holdsOps: true, canTell} : {canTell};
    const heads = new Heads(this.connection);
    const tell = (event) => {
      this.events.push(event);
      if (event.doc) heads.set(event.doc, event.head);
      // Some tests have events wait.
      if (!canTell) setImmediate(() => heads.check());
    };
    this.adapter = new UpstreamAdapter(() => this.connection, Backend.types.map, tell, store);
    heads.follow(this.adapter);
    this.adapter.connect();
  }

  /** The events of this type, or that tell of such a change: `op`, `create` or `del`. */
  named(name) {
    const tells = ({type, op = {}}) => type === name || (type === 'changed' && name in op);
    return this.events.filter(tells);
  }

  /** Waits for so many events of this type; the last of them. */
  async told(name, count = 1) {
    const explain = () => `no ${name} #${count} in ${JSON.stringify(this.events)}`;
    await until(() => this.named(name).length >= count, explain);
    return this.named(name)[count - 1];
  }

  /** Submits an op of a tab `t`, numbered. Returns whether it was composed. */
  submit(id, op, {source, compose = true} = {}) {
    this.#lastOp += 1;
    const origin = {tab: 't', op_id: this.#lastOp};
    return this.adapter.submit('notes', id, op, source, compose, origin).composed;
  }

  async subscribe(id) {
    const count = this.named('subscribed').length + 1;
    this.adapter.subscribe('notes', id);
    const {error} = await this.told('subscribed', count);
    if (error) throw error;
  }

  /** Releases the next op that is told of, for which there were `count - 1` before. */
  async release(count = 1) {
    this.letGo(await this.told('sending', count));
  }

  /** Releases the op of which this event has told. */
  letGo({doc: {collection, id}, sent: {src, seq}}) {
    this.adapter.release(collection, id, src, seq);
  }

  restore(id, snapshot, {ops = [], pending = []} = {}) {
    this.adapter.restore('notes', id, snapshot, ops, pending);
  }

  pending(id) {
    return this.adapter.pending('notes', id);
  }

  /** The document as the hub has it. */
  state(id) {
    const {version = null, type = null, data} = this.adapter.snapshot('notes', id);
    return {version, type, data};
  }

  async online() {
    await until(() => this.connection.state === 'connected');
  }

  async drop() {
    this.connection.socket.close('lost');
    await until(() => this.connection.state === 'disconnected');
  }

  async reconnect() {
    this.#backend.connect(this.connection);
    await this.online();
  }
}

/**
 * What a core holds of each document's version and type, by the events and by what the adapter returns. It
 * must be what the document has.
 */
class Heads {
  #connection;
  #heads = new Map();

  constructor(connection) {
    this.#connection = connection;
  }

  /** No head: as before. */
  set({collection, id}, head) {
    if (head) this.#heads.set(`${collection} ${id}`, {version: head.version, type: head.type});
  }

  /** Takes what the adapter returns. */
  follow(adapter) {
    const methods = {
      submit: ({head}) => head,
      ingest: (head) => head,
      restore: (head) => head,
      reapply: ({head}) => head,
      startOver: () => ({}),
      destroy: () => ({}),
    };
    for (const [name, headOf] of Object.entries(methods)) {
      const method = adapter[name];
      adapter[name] = (collection, id, ...rest) => {
        const returned = method.call(adapter, collection, id, ...rest);
        this.set({collection, id}, headOf(returned));
        return returned;
      };
    }
  }

  check() {
    for (const [collection, docs] of Object.entries(this.#connection.collections)) {
      for (const [id, doc] of Object.entries(docs)) {
        const held = this.#heads.get(`${collection} ${id}`) ?? {
          version: undefined,
          type: undefined,
        };
        const head = {version: doc.version ?? undefined, type: doc.type?.uri};
        if (!doc._wantsDestroy) assert.deepEqual(held, head, `the head of ${collection}.${id}`);
      }
    }
  }
}

/** The event that an op was answered for, but for the document's head. */
export function answered(tab, op_id, error) {
  return {type: 'answered', doc: {collection: 'notes', id: 'a'}, origin: {tab, op_id}, error};
}

/** An event without the document's head. */
export function headless({head: _, ...event}) {
  return event;
}

/** An uncommitted op as the core has it. */
export function pendingOp(op, opId, {type = json0, ...rest} = {}) {
  return {op, ...(!op.create && {type}), origins: [{tab: 't', op_id: opId}], ...rest};
}

/** A document of the server, made by another client, which is returned. */
export async function makeDoc(backend, id, data, type = json0) {
  const doc = closing(backend.connect()).get('notes', id);
  await call(doc, 'create', data, type);
  return doc;
}

/** What the server has of a document. */
export function stored(backend, id) {
  const {v = 0, type = null, data} = backend.db.docs.notes?.[id] ?? {};
  return {version: v, type, data};
}

/** The ops of a document that the server has committed. */
export function committed(backend, id) {
  return backend.db.ops.notes?.[id] ?? [];
}
