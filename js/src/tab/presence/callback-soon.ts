import type {ErrorEvents, TypedEmitter} from '../../shared/emitter.js';
import {nextTick} from '../../shared/next-tick.js';
import type {Callback} from '../callbacks.js';
import type {ConnectionBase} from '../connection-base.js';
import {guard} from '../guard.js';

/** Calls back in the next tick, or emits the error if there is no callback. */
export function callbackSoonOrEmit(
  emitter: TypedEmitter<ErrorEvents>,
  error: Error | null | undefined,
  callback?: Callback | null,
): void {
  if (callback) nextTick(() => callback(error));
  else if (error) emitter.emit('error', error);
}

/** Whether the connection has failed, so that nothing will be answered; then the callback hears why. */
export function hasFailed(
  connection: Pick<ConnectionBase, 'emit' | 'failure'>,
  callback?: Callback | null,
): boolean {
  const {failure} = connection;
  if (failure && callback) nextTick(() => guard(connection, () => callback(failure)));
  return failure !== null;
}
