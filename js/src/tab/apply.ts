import type {Type} from 'sharedb/lib/sharedb.js';
import {created} from '../shared/created.js';
import {codes, makeError} from '../shared/errors.js';
import {checkPaths} from '../shared/paths.js';
import type {WireOp} from '../shared/wire.js';
import type {ConnectionBase} from './connection-base.js';
import type {DocState} from './doc-state.js';

/** What ops are applied to. */
export interface AppliedDoc extends DocState {
  data: any;
  readonly connection: Pick<ConnectionBase, 'core' | 'types'>;
}

/** Applies an op to a document's data and emits its events. */
export function applyOp(doc: AppliedDoc, op: WireOp, source: unknown): void {
  if ('op' in op) return applyEdit(doc, op.op, source, op.src);
  if (op.create) {
    setType(doc, op.create.type);
    doc.data = created(doc.type as Type, op.create);
    doc.emit('create', source);
  } else if (op.del) {
    const oldData = doc.data;
    setType(doc, null);
    doc.emit('del', oldData, source);
  }
}

/** Gives a document the type of this name, or with `null` none and no data. */
export function setType(doc: AppliedDoc, name: string | null): void {
  if (name === null) {
    doc.type = null;
    doc.data = undefined;
  } else {
    doc.type = doc.connection.types.map[name] ?? null;
  }
}

function applyEdit(doc: AppliedDoc, edit: any, source: unknown, src?: string): void {
  if (!doc.type) {
    const message = `Cannot apply op to uncreated document. ${doc.collection}.${doc.id}`;
    throw makeError(codes.DOC_DOES_NOT_EXIST, message);
  }
  const refused = checkPaths(doc.type, edit);
  if (refused) throw refused;
  doc.emit('before op batch', edit, source);
  // As in ShareDB, a json0 op by others is applied component by component, so that bindings see
  // the data as it was after each.
  if (!source && doc.type === doc.connection.types.defaultType && edit.length > 1) {
    applyPieces(doc, doc.type, edit, source, src);
  } else {
    doc.emit('before op', edit, source, src);
    doc.data = doc.type.apply(doc.data, edit);
    doc.emit('op', edit, source, src);
  }
  doc.emit('op batch', edit, source);
}

function applyPieces(
  doc: AppliedDoc,
  type: Type,
  edit: any[],
  source: unknown,
  src: string | undefined,
): void {
  const {core} = doc.connection;
  const since = core.beginApply(doc.key);
  for (const component of edit) {
    let piece = [component];
    doc.emit('before op', piece, source, src);
    piece = core.transformPiece(doc.key, since, {op: piece}).op as any[];
    doc.data = type.apply(doc.data, piece);
    doc.emit('op', piece, source, src);
  }
  core.endApply(doc.key, since);
}
