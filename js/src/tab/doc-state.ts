import type {DocEventMap, Type} from 'sharedb/lib/sharedb.js';
import type {DocName} from '../shared/doc-name.js';
import type {ErrorEvents, TypedEmitter} from '../shared/emitter.js';

/** The events of ShareDB's `Doc`. */
export interface DocEvents<T> extends Omit<DocEventMap<T>, 'error'>, ErrorEvents {}

/** A document, as its parts see it: each adds what else it needs. */
export interface DocState extends DocName, TypedEmitter<DocEvents<any>> {
  /** Stands for it in the core. */
  readonly key: number;
  readonly version: number | null;
  type: Type | null;
  /** Whether it is being loaded anew after an op that failed. */
  readonly inHardRollback: boolean;
  /** Whether an op waits for the server. */
  hasWritePending(): boolean;
}
