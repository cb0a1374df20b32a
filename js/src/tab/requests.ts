import {codes, makeError} from '../shared/errors.js';
import {nextTick} from '../shared/next-tick.js';
import type {ConnectionBase} from './connection-base.js';

type Answered = (error: Error | null, answer?: any) => void;

/** What to do when the hub has answered: requests by their numbers in the core. */
export class Requests {
  readonly #connection: Pick<ConnectionBase, 'failure'>;
  readonly #waiting = new Map<number, Answered>();

  constructor(connection: Pick<ConnectionBase, 'failure'>) {
    this.#connection = connection;
  }

  /** Without a number, the document it was about is gone. */
  add(request: number | undefined, callback: Answered): void {
    if (request === undefined) {
      const error = makeError(codes.DOC_DOES_NOT_EXIST, 'The document was destroyed: get it again');
      return nextTick(() => callback(error));
    }
    const {failure} = this.#connection;
    if (failure) return nextTick(() => callback(failure));
    this.#waiting.set(request, callback);
  }

  /** A request has ended. */
  settle(request: number, error: Error | null, answer?: unknown): void {
    const callback = this.#waiting.get(request);
    this.#waiting.delete(request);
    callback?.(error, answer);
  }

  /** There is no hub: nothing will be answered. Returns what tells those that wait. */
  fail(error: Error): (() => void)[] {
    const callbacks = [...this.#waiting.values()];
    this.#waiting.clear();
    return callbacks.map((callback) => () => callback(error));
  }
}
