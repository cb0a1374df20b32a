import type {ErrorEvents, TypedEmitter} from '../shared/emitter.js';
import {forAll} from '../shared/for-all.js';

/** Node's kind of callback. The error has ShareDB's `code`, a string. */
export type Callback = (error?: any) => void;

/** Calls those of the callbacks that are there. */
export function callEach(callbacks: (Callback | null | undefined)[], error?: unknown): void {
  forAll(callbacks, (callback) => callback?.(error));
}

/** Gives the error to the callback, or to the emitter's `error` listeners if there is none. */
export function callbackOrEmit(
  emitter: Pick<TypedEmitter<ErrorEvents>, 'emit'>,
  error: Error | null | undefined,
  callback?: Callback | null,
): void {
  if (callback) return callback(error);
  if (error) emitter.emit('error', error);
}
