import type {Op, Origin, PendingOp, UnappliedOp} from '../../wasm/hub/tabmux_hub.js';
import {codes, makeError} from '../shared/errors.js';
import {
  copied,
  type State,
  serialized,
  stateAfter,
  stateAfterAll,
  stateOf,
  typeNamed,
} from './document-state.js';
import type {Callback, QueuedOp, TypeMap, WholeDoc} from './sharedb.js';

/** Whose op the server answers for by this call. */
const origins = new WeakMap<Callback, Origin>();

/** Makes the origin known of an op that is submitted with this callback. */
export function answerTo(origin: Origin, callback: Callback): Callback {
  origins.set(callback, origin);
  return callback;
}

/** Ops whose source is to be sent: to ShareDB that is up to the document, but tabs may differ. */
const sourced = new WeakSet<QueuedOp>();

/** Whether the server is to know the op's source. */
export function sendsSource(op: QueuedOp): boolean {
  return sourced.has(op);
}

/** Lets the server know the op's source. */
export function sendSource(op: QueuedOp): void {
  sourced.add(op);
}

/** The document's uncommitted ops, oldest first. */
export function pendingOf(doc: WholeDoc): PendingOp[] {
  const queue = doc.inflightOp ? [doc.inflightOp, ...doc.pendingOps] : doc.pendingOps;
  return queue.map((queued) => {
    const {type, source, callbacks, src, seq} = queued;
    const pending: PendingOp = {
      op: wireOp(queued),
      origins: callbacks.flatMap((callback) => origins.get(callback) ?? []),
    };
    if (type?.uri) pending.type = type.uri;
    if (sendsSource(queued)) pending.source = source;
    if (seq !== undefined) pending.sent = {src: src ?? (doc.connection.id as string), seq};
    return pending;
  });
}

function wireOp(queued: QueuedOp): Op {
  if ('op' in queued) return {op: queued.op};
  // ShareDB composes into the data in place.
  if (queued.create) return {create: copied(queued.create)};
  return queued.del ? {del: true} : {};
}

/** The ops as the document queues them. `settle` is told what the server answers for each origin. */
export function queuedOps(
  doc: WholeDoc,
  pending: PendingOp[],
  types: TypeMap,
  settle: (origin: Origin, error: unknown) => void,
): QueuedOp[] {
  const queue = pending.map((it) => queuedOp(it, types, settle));
  for (const {create, sentAt, callbacks} of queue) {
    // To ShareDB the document is just created, but if the server had it already, others may have
    // changed it.
    if (create && sentAt) callbacks.push((error) => error || doc.fetch());
  }
  return queue;
}

function queuedOp(
  {op, type, source, origins, sent}: PendingOp,
  types: TypeMap,
  settle: (origin: Origin, error: unknown) => void,
): QueuedOp {
  const queued: QueuedOp = {
    // ShareDB composes into the data in place.
    ...(op.create ? {create: copied(op.create)} : op),
    type: type === undefined ? null : typeNamed(type, types),
    source: source ?? true,
    callbacks: origins.map((origin) => answerTo(origin, (error) => settle(origin, error))),
    // So that it is the second time when it is sent, and nothing is composed into it.
    ...(sent && {...sent, sentAt: Date.now(), retries: 0}),
  };
  if (source !== undefined) sendSource(queued);
  return queued;
}

/** Of ops that are to be done on `base`: the state they lead to, and those that do not fit. */
export function fitting(
  base: State,
  pending: PendingOp[],
  types: TypeMap,
): {state: State; fit: PendingOp[]; unapplied: UnappliedOp[]} {
  const snapshot = {type: base.type?.uri, data: serialized(base)};
  const fit: PendingOp[] = [];
  const unapplied: UnappliedOp[] = [];
  let state = stateOf(snapshot, types);
  for (const [index, it] of pending.entries()) {
    try {
      checkGround(state, it, types);
      state = stateAfter(state, it.op, types);
      fit.push(it);
    } catch (error) {
      unapplied.push({index, error});
      // It may have been applied in part.
      state = stateAfterAll(
        snapshot,
        fit.map(({op}) => op),
        types,
      );
    }
  }
  return {state, fit, unapplied};
}

function checkGround({type}: State, pending: PendingOp, types: TypeMap): void {
  const {op, create, del} = pending.op;
  if (pending.type !== undefined) typeNamed(pending.type, types);
  if (create && type) throw makeError(codes.DOC_ALREADY_CREATED, 'Document already exists');
  if (del && !type) throw makeError(codes.DOC_DOES_NOT_EXIST, 'Document does not exist');
  if (op !== undefined && type && pending.type !== undefined && pending.type !== type.uri) {
    const message = `the op is for a document of type ${pending.type}, not ${type.uri}`;
    throw makeError(codes.OP_NOT_APPLIED, message);
  }
}
