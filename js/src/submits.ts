import {setType} from './apply.js';
import {type Callback, callEach} from './callbacks.js';
import type {ProxyDoc} from './doc.js';
import type {DocRequests} from './doc-requests.js';
import {type CoreError, codeOf, codes, makeError, toError} from './errors.js';

/** Why a document may load anew without an error, if no op was lost. */
const quiet: unknown[] = [codes.OP_SUBMIT_REJECTED, codes.HUB_LOST];

/** The submits of a document that the server has not answered for, and what becomes of them. */
export class Submits {
  /** Whether the document is being loaded anew after an op that failed. */
  inHardRollback = false;
  readonly #doc: ProxyDoc;
  readonly #requests: DocRequests;
  /** Oldest first. */
  readonly #callbacks = new Map<number, Callback | undefined>();
  /** Of ops that were dropped: they hear of it once the document is loaded anew. */
  readonly #lost: {callbacks: (Callback | undefined)[]; error: Error}[] = [];

  constructor(doc: ProxyDoc, requests: DocRequests) {
    this.#doc = doc;
    this.#requests = requests;
  }

  /** How many there are. */
  get size(): number {
    return this.#callbacks.size;
  }

  add(token: number, callback: Callback | undefined): void {
    this.#callbacks.set(token, callback);
  }

  /** There is no hub: none of them will have an answer. */
  fail(error: Error): void {
    callEach(this.#take([...this.#callbacks.keys()]), error);
    this.#doc.tellNothingPending();
  }

  /** The server has answered for these. */
  answered(tokens: Float64Array, error: Error | null): void {
    if (!error || !this.inHardRollback) return this.settle(tokens, error);
    this.#lost.push({callbacks: this.#take(tokens), error});
  }

  /** Tells what became of these. */
  settle(tokens: Float64Array, error: Error | null): void {
    const doc = this.#doc;
    const called = callEach(this.#take(tokens), error ?? undefined);
    const unheard = error && !called ? error : null;
    // ShareDB loads a document anew if it can't invert the op, and then says so first.
    const isLoadedAnew = !doc.type?.invert;
    if (unheard && isLoadedAnew) doc.emit('error', unheard);
    doc.tellNothingPending();
    if (unheard && !isLoadedAnew) doc.emit('error', unheard);
  }

  #take(tokens: Iterable<number>): (Callback | undefined)[] {
    const callbacks: (Callback | undefined)[] = [];
    for (const token of tokens) {
      if (!this.#callbacks.has(token)) continue;
      callbacks.push(this.#callbacks.get(token));
      this.#callbacks.delete(token);
    }
    return callbacks;
  }

  /** Gives up the document's state after an op that could not be applied. */
  hardRollback(error: unknown, tokens: number[]): void {
    const {connection, key} = this.#doc;
    const dropped = new Set([...connection.core.rollBack(key), ...tokens]);
    this.loadAnew(toError(error as CoreError), dropped);
  }

  /** Loads the document anew, then says why to those whose ops were dropped. */
  loadAnew(error: Error, dropped: Iterable<number>): void {
    const doc = this.#doc;
    this.inHardRollback = true;
    setType(doc, null);
    doc.setVersion(null);
    this.#lost.push({callbacks: this.#take(dropped), error});
    this.#requests.fetch(true, (fetchError) => {
      this.inHardRollback = false;
      if (fetchError) {
        const message = `Hard rollback fetch failed: ${fetchError.message}`;
        doc.emit('error', makeError(codes.HARD_ROLLBACK_FETCH_FAILED, message));
      }
      for (const {callbacks, error} of this.#lost.splice(0)) {
        if (callbacks.length === 0 && quiet.includes(codeOf(error))) continue;
        const allHeard = callbacks.length > 0 && callbacks.every(Boolean);
        callEach(callbacks, error);
        if (!allHeard) doc.emit('error', error);
      }
    });
  }
}
