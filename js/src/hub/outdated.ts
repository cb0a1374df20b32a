import {codeOf, codes} from '../shared/errors.js';
import type {Answer, Callback, QueuedOp, WholeConnection, WholeDoc} from './sharedb.js';

/** By these the server, or its database, says that it can't get from a document's version to its own. */
const outdatedCodes = new Set<unknown>([
  'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND',
  codes.OP_VERSION_NEWER,
  // sharedb-mongo's: no ops at all, or none from that version on.
  5102,
  5103,
]);

function isOutdated(error: unknown): boolean {
  const {message} = error as {message?: unknown};
  // ShareDB's database in memory gives no code.
  return outdatedCodes.has(codeOf(error)) || /^Missing ops\b/.test(String(message));
}

/** Finds out which documents the server can't bring up to date any more. */
export class Outdated {
  readonly #tell: (doc: WholeDoc, error: unknown) => void;
  /** Those of which that was told. */
  readonly #told = new WeakSet<WholeDoc>();
  /** The ops the server has answered for. */
  readonly #answered = new WeakSet<QueuedOp>();
  /**
   * Fetches and subscriptions that failed before the answer to the op inflight, which says whether
   * the server has that op: they are asked again then.
   */
  readonly #waiting = new Map<WholeDoc, {op: QueuedOp; actions: string[]}>();

  constructor(tell: (doc: WholeDoc, error: unknown) => void) {
    this.#tell = tell;
  }

  /** Whether the document's error says what was told. */
  hasTold(doc: WholeDoc, error: unknown): boolean {
    return this.#told.has(doc) && isOutdated(error);
  }

  /** Looks at an answer of the server. Returns whether ShareDB must not see it. */
  see(connection: WholeConnection, answer: Answer): boolean {
    const {a, error} = answer;
    const doc = connection.getExisting(answer.c ?? '', answer.d ?? '');
    const op = doc && answeredOp(connection, doc, answer);
    if (op) this.#answered.add(op);
    if (doc) this.#askAgain(connection, doc);
    if (!error || !isOutdated(error)) return false;
    if (a === 'bf' || a === 'bs') return askEach(connection, answer);
    if (doc && op) return this.#seeRefusal(doc, op, error);
    return (
      doc !== undefined && (a === 'f' || a === 's') && this.#seeFailure(connection, doc, answer)
    );
  }

  /**
   * Without a store, who asked hears of it as in ShareDB; but a tab that has nothing of the document, for
   * which a client of its own would load it, is not to hear of what the hub has.
   */
  seeRead(connection: WholeConnection, {a = '', c = '', d = '', b, error}: Answer): void {
    if (!error || !isOutdated(error)) return;
    const asked = {f: [d], s: [d], bf: namesIn(b), bs: namesIn(b)}[a] ?? [];
    for (const id of asked) {
      const doc = connection.getExisting(c, id);
      if (doc) this.#tell(doc, error);
    }
  }

  /** The connection is lost, and what was asked: ShareDB asks it again. */
  forgetAsked(): void {
    this.#waiting.clear();
  }

  /** ShareDB would roll the op back. */
  #seeRefusal(doc: WholeDoc, op: QueuedOp, error: unknown): boolean {
    if (op.retries === 0) {
      // It was sent but once, and refused: the server does not have it.
      for (const member of ['seq', 'src', 'sentAt', 'retries'] as const) delete op[member];
    }
    this.#tellOnce(doc, error);
    return true;
  }

  #seeFailure(connection: WholeConnection, doc: WholeDoc, answer: Answer): boolean {
    const action = answer.a as string;
    const version = answer.v ?? doc.version;
    if (version !== doc.version) {
      // That was about a version that the document has left behind.
      ask(connection, doc, action);
      return true;
    }
    if (version === null) return false;
    const {inflightOp: op} = doc;
    if (op && !this.#answered.has(op) && !this.#told.has(doc)) {
      const actions = this.#waiting.get(doc)?.actions ?? [];
      this.#waiting.set(doc, {op, actions: [...actions, action]});
      return true;
    }
    this.#tellOnce(doc, answer.error);
    return false;
  }

  /** Once the document no longer waits for the answer to the op. */
  #askAgain(connection: WholeConnection, doc: WholeDoc): void {
    const waiting = this.#waiting.get(doc);
    if (!waiting || (doc.inflightOp === waiting.op && !this.#answered.has(waiting.op))) return;
    this.#waiting.delete(doc);
    for (const action of waiting.actions) ask(connection, doc, action);
  }

  /** The document gives up its state and its uncommitted ops, and is loaded. */
  startOver(doc: WholeDoc, loaded: Callback): void {
    this.#told.delete(doc);
    doc.version = null;
    doc.type = null;
    doc._setData(undefined);
    doc.inflightOp = null;
    doc.pendingOps = [];
    const lostSubscription = doc.wantSubscribe && !doc.subscribed && !doc.inflightSubscribe;
    if (lostSubscription) doc.subscribe(loaded);
    else if (!doc.connection.canSend) doc.fetch(loaded);
    else {
      // Even if another fetch is on its way: that is for a version.
      doc.inflightFetch.push(loaded);
      (doc.connection as WholeConnection).sendFetch(doc);
    }
  }

  #tellOnce(doc: WholeDoc, error: unknown): void {
    if (this.#told.has(doc)) return;
    this.#told.add(doc);
    this.#tell(doc, error);
  }
}

/** The document's op inflight, if this is the answer to it. */
function answeredOp(
  connection: WholeConnection,
  {inflightOp}: WholeDoc,
  {a, src = connection.id ?? undefined, seq}: Answer,
): QueuedOp | undefined {
  const isIts = a === 'op' && inflightOp?.seq === seq && inflightOp?.src === src;
  return isIts ? (inflightOp ?? undefined) : undefined;
}

/** One of the documents has made the server refuse all of them. */
function askEach(connection: WholeConnection, {a, c, b}: Answer): boolean {
  for (const id of namesIn(b)) {
    const doc = connection.getExisting(c ?? '', id);
    if (doc) ask(connection, doc, a === 'bf' ? 'f' : 's');
  }
  return namesIn(b).length > 0;
}

/** The documents of a bulk that were asked for from a version on. */
function namesIn(b: Answer['b']): string[] {
  return b && !Array.isArray(b) ? Object.keys(b) : [];
}

function ask(connection: WholeConnection, {collection, id, version}: WholeDoc, a: string): void {
  connection.send({a, c: collection, d: id, v: version});
}
