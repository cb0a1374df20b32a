import {copied} from './document-state.js';
import type {QueuedOp, WholeConnection, WholeDoc} from './sharedb.js';

/**
 * The messages with the ops of documents, each of which waits until the store has what it carries
 * and under which name.
 *
 * ShareDB sends an op anew when it is connected anew, so a message does not outlive the connection.
 */
export class WaitingSends {
  readonly #held = new Map<WholeDoc, {op: QueuedOp; send: () => void}>();

  /** Holds what this connection's documents send from now on. */
  hold(
    connection: WholeConnection,
    holding: (doc: WholeDoc, src: string, seq: number) => void,
  ): void {
    const {send, sendOp} = connection;
    let sending: {doc: WholeDoc; op: QueuedOp} | undefined;
    connection.sendOp = (doc, op) => {
      sending = {doc: doc as WholeDoc, op};
      try {
        sendOp.call(connection, doc, op);
      } finally {
        sending = undefined;
      }
    };
    connection.send = (message) => {
      if (!sending) return send.call(connection, message);
      const {doc, op} = sending;
      // What is inflight goes on to be transformed, but the message belongs to its version.
      const asIs = copied(message);
      this.#held.set(doc, {op, send: () => send.call(connection, asIs)});
      holding(doc, op.src ?? (connection.id as string), op.seq as number);
    };
    connection.on('state', (state) => {
      if (state !== 'connected') this.#held.clear();
    });
  }

  /** Lets go what the document sends under this name, if it still waits. */
  release(doc: WholeDoc, src: string, seq: number): void {
    const held = this.#held.get(doc);
    if (!held || held.op.src !== src || held.op.seq !== seq) return;
    this.#held.delete(doc);
    // Unless the document has given it up meanwhile.
    if (doc.inflightOp === held.op) held.send();
  }
}
