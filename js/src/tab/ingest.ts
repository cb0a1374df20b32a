import type {IngestibleSnapshot} from 'sharedb/lib/sharedb.js';
import {type CoreError, codes, makeError, toError} from '../shared/errors.js';
import {doAll} from '../shared/for-all.js';
import type {WireSnapshot} from '../shared/wire.js';
import {type Callback, callbackOrEmit} from './callbacks.js';
import type {ConnectionBase} from './connection-base.js';
import type {DocState} from './doc-state.js';
import type {Answered} from './submits.js';

/** What takes a state. */
interface IngestingDoc extends DocState {
  readonly connection: Pick<ConnectionBase, 'core' | 'types'>;
  fetch(callback?: Callback): void;
  onLoad(snapshot: WireSnapshot, dropped: Answered): void;
}

/** A state that came by other means than from the hub. */
export type Ingested<T> =
  | (Omit<IngestibleSnapshot<T>, 'type'> & {type?: string | null})
  | null
  | undefined;

/** Has a document take a state that is not older than its own. */
export function ingest<T>(doc: IngestingDoc, snapshot: Ingested<T>, callback?: Callback): void {
  if (!snapshot) return callback?.();
  if (typeof snapshot.v !== 'number') {
    const message = `Missing version in ingested snapshot. ${doc.collection}.${doc.id}`;
    return callbackOrEmit(doc, makeError(codes.INGESTED_WITHOUT_VERSION, message), callback);
  }
  if (doc.type || doc.hasWritePending()) return catchUpTo(doc, snapshot.v, callback);
  if (doc.version !== null && doc.version > snapshot.v) return callback?.();
  const {core, types} = doc.connection;
  const type = snapshot.type === undefined ? types.defaultType.uri : snapshot.type;
  const state: WireSnapshot = {version: snapshot.v, type: type ?? undefined, data: snapshot.data};
  try {
    core.ingest(doc.key, state);
  } catch (error) {
    return callbackOrEmit(doc, toError(error as CoreError), callback);
  }
  doAll(
    () => doc.onLoad(state, []),
    () => callback?.(),
  );
}

/** The document has a state: it needs the ops up to the version, not the state. */
function catchUpTo(doc: IngestingDoc, version: number, callback?: Callback): void {
  if (doc.version !== null) {
    if (version > doc.version) return doc.fetch(callback);
    return callback?.();
  }
  if (doc.hasWritePending()) {
    if (callback) doc.once('no write pending', callback);
    return;
  }
  const message = `Cannot ingest snapshot in doc with null version. ${doc.collection}.${doc.id}`;
  callbackOrEmit(doc, makeError(codes.DOC_MISSING_VERSION, message), callback);
}
