import {type CoreError, codeOf, codes, makeError, toError} from '../shared/errors.js';
import {doAll, errorsIn, forAll} from '../shared/for-all.js';
import {type AppliedDoc, setType} from './apply.js';
import {type Callback, callEach} from './callbacks.js';
import type {ConnectionBase} from './connection-base.js';
import type {DocRequests} from './doc-requests.js';
import {report} from './guard.js';

/** Submits by their numbers, those of each op together: to the server, they are one. */
export type Answered = number[][];

/** One call of `submitOp`, `create` or `del`. */
interface Submit {
  callback: Callback | undefined;
  /** It neither creates nor deletes the document. */
  isEdit: boolean;
}

/** An op that was dropped: the number of its first submit, its submits, and why. */
interface Lost {
  first: number;
  submits: Submit[];
  error: Error;
}

/** Why a document may load anew without an error, if no op was lost. */
const quiet: unknown[] = [codes.OP_SUBMIT_REJECTED, codes.HUB_LOST];

/** What is submitted to. */
interface SubmittingDoc extends AppliedDoc {
  readonly connection: Pick<ConnectionBase, 'core' | 'emit' | 'types'>;
  setVersion(version: number | null): void;
  tellNothingPending(): void;
}

/** The submits of a document that the server has not answered for, and what becomes of them. */
export class Submits {
  /** Whether the document is being loaded anew after an op that failed. */
  inHardRollback = false;
  readonly #doc: SubmittingDoc;
  readonly #requests: DocRequests;
  /** Oldest first. */
  readonly #submits = new Map<number, Submit>();
  /** Why the document is being loaded anew. */
  readonly #causes: Error[] = [];
  /** The ops that were lost: they hear of it once the document is loaded anew. */
  readonly #lost: Lost[] = [];
  /**
   * Ops that were dropped behind others for which the server has not answered yet: if it refuses those,
   * that is why.
   */
  #discarded: {answered: Answered; error: Error} | null = null;

  constructor(doc: SubmittingDoc, requests: DocRequests) {
    this.#doc = doc;
    this.#requests = requests;
  }

  /** How many there are. */
  get size(): number {
    return this.#submits.size;
  }

  add(token: number, callback: Callback | undefined, isEdit: boolean): void {
    this.#submits.set(token, {callback, isEdit});
  }

  /** There is no hub: none of them will have an answer. */
  fail(error: Error): void {
    const submits = this.#take([[...this.#submits.keys()]]);
    doAll(
      () => callBack(submits.flat(), error),
      () => this.#doc.tellNothingPending(),
    );
  }

  /** The server has answered for these. */
  answered(answered: Answered, error: Error | null): void {
    const behind = this.#discarded;
    if (error && this.inHardRollback) return this.#lose(answered, error);
    if (!behind) return this.#settle(answered, error);
    if (error) behind.error = error;
    if (this.#hasBefore(behind.answered, answered)) return this.#settle(answered, error);
    this.#discarded = null;
    if (error) return this.#settle([...answered, ...behind.answered], error);
    doAll(
      () => this.#settle(answered, null),
      () => this.#settle(behind.answered, behind.error),
    );
  }

  /** The document was loaded anew without these. */
  discard(dropped: Answered, error: Error): void {
    const answered = [...(this.#discarded?.answered ?? []), ...dropped];
    this.#discarded = {answered, error};
    if (!this.#hasBefore(answered)) this.answered([], null);
  }

  /** Whether there are submits before these, but for `others`. */
  #hasBefore(answered: Answered, others: Answered = []): boolean {
    const first = Math.min(...answered.flat());
    const known = others.flat();
    return [...this.#submits.keys()].some((token) => token < first && !known.includes(token));
  }

  /** Tells what became of these. */
  #settle(answered: Answered, error: Error | null): void {
    const doc = this.#doc;
    const ops = this.#take(answered);
    // ShareDB loads a document anew if it can't invert the op, and then says so first.
    const isLoadedAnew = !doc.type?.invert || ops.flat().some(({isEdit}) => !isEdit);
    const tellUnheard = () => {
      if (error && !ops.every(isHeard)) doc.emit('error', error);
    };
    const tellNothingPending = () => doc.tellNothingPending();
    doAll(
      () => callBack(ops.flat(), error ?? undefined),
      ...(isLoadedAnew ? [tellUnheard, tellNothingPending] : [tellNothingPending, tellUnheard]),
    );
  }

  #lose(dropped: Answered, error: Error): void {
    for (const op of dropped) {
      for (const submits of this.#take([op])) this.#lost.push({first: op[0] ?? 0, submits, error});
    }
  }

  /** The submits of each op, but for those that have their answer. */
  #take(answered: Answered): Submit[][] {
    const takeOne = (token: number) => {
      const submit = this.#submits.get(token);
      this.#submits.delete(token);
      return submit ?? [];
    };
    const ops = answered.map((tokens) => tokens.flatMap(takeOne));
    return ops.filter((submits) => submits.length > 0);
  }

  /** Gives up the document's state after an op, the submit `token` if it is one, could not be applied. */
  hardRollback(thrown: unknown, token?: number): void {
    const {connection, key} = this.#doc;
    const [error, ...others] = errorsIn(thrown);
    for (const other of others) report(connection, other);
    const dropped: Answered = connection.core.rollBack(key);
    const reason = toError(error as CoreError);
    this.#causes.push(reason);
    this.#loadAnew(reason, token === undefined ? dropped : [...dropped, [token]]);
  }

  /** The core has given up the document's state: the hub answers for the ops that were sent to it. */
  rolledBack(error: Error, dropped: Answered): void {
    if (this.size === 0) this.#causes.push(error);
    this.#loadAnew(error, dropped);
  }

  /** Loads the document anew, then says why to those whose ops were dropped. */
  #loadAnew(error: Error, dropped: Answered): void {
    const doc = this.#doc;
    this.inHardRollback = true;
    setType(doc, null);
    doc.setVersion(null);
    this.#lose([...(this.#discarded?.answered ?? []), ...dropped], error);
    this.#discarded = null;
    this.#requests.fetch(true, (fetchError) => this.#loadedAnew(fetchError));
  }

  #loadedAnew(fetchError: Error | null | undefined): void {
    const doc = this.#doc;
    this.inHardRollback = false;
    const causes = this.#causes.splice(0);
    const lost = this.#lost.splice(0).sort((one, other) => one.first - other.first);
    const message = `Hard rollback fetch failed: ${fetchError?.message}`;
    const failed = makeError(codes.HARD_ROLLBACK_FETCH_FAILED, message);
    doAll(
      () => fetchError && doc.emit('error', failed),
      () => forAll(lost, ({submits, error}) => callBack(submits, error)),
      () => forAll(unheard(causes, lost), (error) => doc.emit('error', error)),
    );
  }
}

function callBack(submits: Submit[], error?: unknown): void {
  callEach(
    submits.map(({callback}) => callback),
    error,
  );
}

/** Whether the application hears of what became of the op. */
function isHeard(submits: Submit[]): boolean {
  return submits.some(({callback}) => callback);
}

/**
 * What callbacks do not tell, each error once: of an op that has none, and why the document was loaded
 * anew if no op was lost by it.
 */
function unheard(causes: Error[], lost: Lost[]): Error[] {
  const sameFor = (error: Error) => codeOf(error) ?? error;
  const told = new Set(lost.map(({error}) => sameFor(error)));
  const errors = [
    ...lost.filter(({submits}) => !isHeard(submits)).map(({error}) => error),
    ...causes.filter((error) => !told.has(sameFor(error)) && !quiet.includes(codeOf(error))),
  ];
  const first = new Map<unknown, Error>();
  for (const error of errors) if (!first.has(sameFor(error))) first.set(sameFor(error), error);
  return [...first.values()];
}
