import type {Doc} from 'sharedb/lib/client/index.js';
import type {Op} from '../../wasm/hub/tabmux_hub.js';
import type {Answer} from './sharedb.js';

/** The op of the server that ShareDB is handling, as it came. */
export class IncomingOp {
  #message: Answer | undefined;
  /** ShareDB goes on to change the message. */
  #raw: Op | undefined;

  see(message: Answer): void {
    this.forget();
    if (message.a !== 'op' || message.error) return;
    const {create, del} = message;
    if (create) this.#raw = {create};
    else if (del) this.#raw = {del};
    else if ('op' in message) this.#raw = {op: message.op};
    this.#message = message;
  }

  forget(): void {
    this.#message = undefined;
    this.#raw = undefined;
  }

  /** That op, if it is what has just changed the document: an edit by `edit`, unless it is none. */
  rawOf(doc: Doc, edit?: unknown): Op | undefined {
    const message = this.#message;
    if (message?.c !== doc.collection || message.d !== doc.id) return undefined;
    // Else it is a rollback, or a correction that came with an acknowledgement.
    const isIt = message.op === edit && doc.version === (message.v ?? Number.NaN) + 1;
    return isIt ? this.#raw : undefined;
  }
}
