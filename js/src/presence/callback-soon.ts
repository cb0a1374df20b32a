import type {Callback} from '../callbacks.js';
import type {ErrorEvents, TypedEmitter} from '../emitter.js';
import {nextTick} from '../next-tick.js';

/** Calls back in the next tick, or emits the error if there is no callback. */
export function callbackSoonOrEmit(
  emitter: TypedEmitter<ErrorEvents>,
  error: Error | null | undefined,
  callback?: Callback | null,
): void {
  if (callback) nextTick(() => callback(error));
  else if (error) emitter.emit('error', error);
}
