import {EventEmitter} from 'events';
import {forAll} from './for-all.js';

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

/** As `EventEmitter` emits, but each listener is called, whatever those before it throw. */
export function emitToAll(emitter: EventEmitter, event: string | number, args: any[]): boolean {
  const listeners = emitter.rawListeners(event);
  // An error that nobody listens for is thrown.
  if (listeners.length === 0) return EventEmitter.prototype.emit.call(emitter, event, ...args);
  forAll(listeners, (listener) => Reflect.apply(listener, emitter, args));
  return true;
}

class EmitterToAll extends EventEmitter {
  override emit(event: string | number, ...args: any[]): boolean {
    return emitToAll(this, event, args);
  }
}

/** The base of what emits the events `E`. */
export const Emitter = EmitterToAll as unknown as new <E>() => TypedEmitter<E>;
