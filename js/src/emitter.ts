import {EventEmitter} from 'events';

/** An event emitter that knows its events: `E` has a listener's type for each name. */
export interface TypedEmitter<E> {
  on<N extends keyof E>(event: N, listener: E[N]): this;
  once<N extends keyof E>(event: N, listener: E[N]): this;
  off<N extends keyof E>(event: N, listener: E[N]): this;
  addListener<N extends keyof E>(event: N, listener: E[N]): this;
  prependListener<N extends keyof E>(event: N, listener: E[N]): this;
  prependOnceListener<N extends keyof E>(event: N, listener: E[N]): this;
  removeListener<N extends keyof E>(event: N, listener: E[N]): this;
  removeAllListeners(event?: keyof E): this;
  emit(event: keyof E, ...args: unknown[]): boolean;
  // `any`, so that an emitter with more events than one of ShareDB's, or whose listeners are given
  // more, is still one.
  eventNames(): any[];
  listeners(event: keyof E): any[];
  rawListeners(event: keyof E): any[];
  listenerCount(event: keyof E): number;
  getMaxListeners(): number;
  setMaxListeners(count: number): this;
}

/** What emits errors. Their `code` is a string, unlike ShareDB's typings have it. */
export interface ErrorEvents {
  error: (error: any) => void;
}

/** The base of what emits the events `E`. */
export const Emitter = EventEmitter as unknown as new <E>() => TypedEmitter<E>;
