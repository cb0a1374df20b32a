import type {Op, SinceOp, UpstreamEvent} from '../../wasm/hub/tabmux_hub.js';
import {copied} from './document-state.js';
import type {Answer, WholeConnection} from './sharedb.js';

interface Question {
  collection: string;
  id: string;
  version: number;
  /** What has come of the document's ops since it was asked, by version. */
  ops: Map<number, SinceOp>;
}

/**
 * Asks the server for ops that a document has left behind.
 *
 * It is asked as for many documents: that answer says for which version it is, so that it is not
 * taken for one to a fetch of the document's own. The ops themselves do not bother the document: it
 * has them.
 */
export class OpsSince {
  #unanswered: Question[] = [];

  ask(connection: WholeConnection, collection: string, id: string, version: number): void {
    const isAsked = this.#unanswered.some(
      (it) => isAbout(it, collection, id) && it.version === version,
    );
    if (isAsked) return;
    const question = {collection, id, version, ops: new Map()};
    this.#unanswered.push(question);
    if (connection.state === 'connected') send(connection, question);
  }

  /** The connection is another: what was asked on the last has no answer. */
  askAgain(connection: WholeConnection): void {
    for (const question of this.#unanswered) {
      question.ops.clear();
      if (connection.state === 'connected') send(connection, question);
    }
  }

  /** Looks at a message of the server. If it ends an answer, returns that: it is not for ShareDB. */
  see(message: Answer): UpstreamEvent | undefined {
    const {a, c = '', d = '', v, src, error} = message;
    if (a === 'op' && v !== undefined && !error) {
      for (const it of this.#unanswered) {
        if (isAbout(it, c, d)) it.ops.set(v, {op: copied(opOf(message)), src});
      }
    }
    const question = this.#unanswered.find((it) => isAnswer(message, it));
    if (!question) return undefined;
    this.#unanswered = this.#unanswered.filter((it) => it !== question);
    const {version, ops, ...doc} = question;
    const told: SinceOp[] = [];
    for (let op = ops.get(version); op; op = ops.get(version + told.length)) told.push(op);
    return {type: 'since', doc, version, error, ops: told};
  }
}

function send(connection: WholeConnection, {collection, id, version}: Question): void {
  connection.send({a: 'bf', c: collection, b: {[id]: version}});
}

function isAbout(question: Question, collection: string, id: string): boolean {
  return question.collection === collection && question.id === id;
}

function isAnswer({a, c, b}: Answer, {collection, id, version}: Question): boolean {
  if (a !== 'bf' || c !== collection || !b || Array.isArray(b)) return false;
  return Object.keys(b).length === 1 && b[id] === version;
}

function opOf({op, create, del}: Answer): Op {
  if (create) return {create};
  if (del) return {del};
  return op === undefined ? {} : {op};
}
