import type {CustomTransport} from './transport.js';

/**
 * The two ends of a transport within this thread. Tab and hub are two WebAssembly modules, and what one
 * sends the other gets by reference, on a microtask.
 *
 * Each end must be taken over by its module before anything is sent.
 */
export function directPair(): [CustomTransport, CustomTransport] {
  const [one, other] = [makeEnd(), makeEnd()];
  connect(one, other);
  connect(other, one);
  return [one, other];
}

function makeEnd(): CustomTransport {
  return {name: 'direct', send() {}, close() {}};
}

function connect(from: CustomTransport, to: CustomTransport): void {
  from.send = (frame) => to.onframe?.(frame);
  from.close = (reason) => to.onclose?.(reason);
}
