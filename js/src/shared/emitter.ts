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

type Name = string | number | symbol;
type Listener = ((...args: any[]) => void) & {listener?: Listener};

/** How many listeners of one event are taken for a leak. */
const MOST_LISTENERS = 10;

/** As an `EventEmitter` emits, but each listener is called, whatever those before it throw. */
export function emitToAll(
  emitter: {rawListeners(event: any): any[]},
  event: Name,
  args: any[],
): boolean {
  const listeners = emitter.rawListeners(event);
  if (event === 'error' && listeners.length === 0) throw unhandled(args[0]);
  forAll(listeners, (listener) => Reflect.apply(listener, emitter, args));
  return listeners.length > 0;
}

function unhandled(error: any): Error {
  if (error instanceof Error) return error;
  const message = `Unhandled error.${error ? ` (${error.message})` : ''}`;
  return Object.assign(new Error(message), {context: error});
}

/**
 * What Node's `EventEmitter` is to a program there. It is not taken from a package: of the name `events` is
 * also a module of Node, and bundlers differ in which of the two they find.
 */
class EventEmitter {
  readonly #events = new Map<Name, Listener[]>();
  #most = MOST_LISTENERS;

  /** Of how many events there are listeners, under the name that it has in Node. */
  get _eventsCount(): number {
    return this.#events.size;
  }

  emit(event: Name, ...args: any[]): boolean {
    return emitToAll(this, event, args);
  }

  on(event: Name, listener: Listener): this {
    return this.#add(event, listener, 'push');
  }

  addListener(event: Name, listener: Listener): this {
    return this.on(event, listener);
  }

  prependListener(event: Name, listener: Listener): this {
    return this.#add(event, listener, 'unshift');
  }

  once(event: Name, listener: Listener): this {
    return this.on(event, this.#untilCalled(event, listener));
  }

  prependOnceListener(event: Name, listener: Listener): this {
    return this.prependListener(event, this.#untilCalled(event, listener));
  }

  off(event: Name, listener: Listener): this {
    const listeners = this.rawListeners(event);
    const at = listeners.map((it) => it === listener || it.listener === listener).lastIndexOf(true);
    if (at < 0) return this;
    const [removed] = listeners.splice(at, 1);
    if (listeners.length > 0) this.#events.set(event, listeners);
    else this.#events.delete(event);
    if (this.listenerCount('removeListener')) {
      this.emit('removeListener', event, removed?.listener ?? listener);
    }
    return this;
  }

  removeListener(event: Name, listener: Listener): this {
    return this.off(event, listener);
  }

  removeAllListeners(event?: Name): this {
    for (const name of event === undefined ? this.eventNames() : [event]) {
      for (const listener of this.rawListeners(name).reverse()) this.off(name, listener);
    }
    return this;
  }

  eventNames(): Name[] {
    return [...this.#events.keys()];
  }

  listeners(event: Name): Listener[] {
    return this.rawListeners(event).map((it) => it.listener ?? it);
  }

  /** A copy, with what `once` has made of its listeners. */
  rawListeners(event: Name): Listener[] {
    return [...(this.#events.get(event) ?? [])];
  }

  listenerCount(event: Name): number {
    return this.rawListeners(event).length;
  }

  getMaxListeners(): number {
    return this.#most;
  }

  setMaxListeners(count: number): this {
    this.#most = count;
    return this;
  }

  #add(event: Name, listener: Listener, how: 'push' | 'unshift'): this {
    checkListener(listener);
    if (this.listenerCount('newListener')) {
      this.emit('newListener', event, listener.listener ?? listener);
    }
    const listeners = this.rawListeners(event);
    listeners[how](listener);
    this.#events.set(event, listeners);
    if (listeners.length === this.#most + 1 && this.#most > 0) {
      console.warn(`tabmux: ${listeners.length} listeners of "${String(event)}": is that a leak?`);
    }
    return this;
  }

  #untilCalled(event: Name, listener: Listener): Listener {
    checkListener(listener);
    const wrapped: Listener = (...args) => {
      this.off(event, wrapped);
      Reflect.apply(listener, this, args);
    };
    wrapped.listener = listener;
    return wrapped;
  }
}

function checkListener(listener: unknown): void {
  if (typeof listener === 'function') return;
  throw new TypeError(
    `The "listener" argument must be of type Function. Received ${typeof listener}`,
  );
}

/** The base of what emits the events `E`. */
export const Emitter = EventEmitter as unknown as new <E>() => TypedEmitter<E>;
