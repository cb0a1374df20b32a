import {errorsIn} from '../shared/for-all.js';
import {nextTick} from '../shared/next-tick.js';

/** Who tells the application of errors: a connection. */
export interface Reporter {
  emit(event: 'error', error: unknown): unknown;
}

/** Runs what calls listeners; as in ShareDB, what they throw becomes the connection's `error`. */
export function guard(connection: Reporter, action: () => void): void {
  try {
    action();
  } catch (thrown) {
    for (const error of errorsIn(thrown)) report(connection, error);
  }
}

/** Makes what a listener has thrown the connection's `error`. */
export function report(connection: Reporter, error: unknown): void {
  nextTick(() => connection.emit('error', error));
}
