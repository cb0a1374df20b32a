import type {Doc} from 'sharedb/lib/client/index.js';
import type {Type} from 'sharedb/lib/sharedb.js';
import type {DocId, Head, Op, Snapshot} from '../../wasm/hub/tabmux_hub.js';
import {created} from '../shared/created.js';
import {codes, makeError} from '../shared/errors.js';
import type {TypeMap} from './sharedb.js';

/** A document's type and data. */
export interface State {
  type: Type | null;
  data: unknown;
}

/** Which document it is. */
export function nameOf({collection, id}: Doc): DocId {
  return {collection, id};
}

/** A document's version, and the URI of its type. */
export function headOf(version: number | null | undefined, type: Type | null | undefined): Head {
  return {version: version ?? undefined, type: type?.uri};
}

/** A copy as the server would get it. */
export function copied<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}

/** The data as the server has it. */
export function serialized({type, data}: State): unknown {
  return type?.serialize ? type.serialize(data) : data;
}

/** The state that a snapshot says; types change data in place, so it is a copy. */
export function stateOf({type, data}: Snapshot, types: TypeMap): State {
  if (!type) return {type: null, data: undefined};
  const found = typeNamed(type, types);
  return {type: found, data: created(found, {data: copied(data), snapshot: true})};
}

/** The state after an op, as ShareDB's documents apply it; that of before may be used up. */
export function stateAfter(state: State, {op, create, del}: Op, types: TypeMap): State {
  if (create) {
    const type = typeNamed(create.type, types);
    return {type, data: created(type, copied(create))};
  }
  if (del) return {type: null, data: undefined};
  if (op === undefined) return state;
  if (!state.type) throw makeError(codes.DOC_DOES_NOT_EXIST, 'the document does not exist');
  return {type: state.type, data: state.type.apply(state.data, op)};
}

/** The state that a snapshot says, after ops. */
export function stateAfterAll(snapshot: Snapshot, ops: Op[], types: TypeMap): State {
  return ops.reduce((state, op) => stateAfter(state, op, types), stateOf(snapshot, types));
}

/** The registered type of this name or URI. */
export function typeNamed(name: string, types: TypeMap): Type {
  const type = types[name];
  if (type) return type;
  const message = `Missing type ${name}: register it in the tab and in the hub. If it is registered, that is on another copy of ShareDB: give its \`types\` as an option`;
  throw makeError(codes.TYPE_NOT_RECOGNIZED, message);
}
