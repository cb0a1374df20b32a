declare const process: {nextTick?: (callback: () => void) => void} | undefined;

/** Calls back after the current run of JavaScript, before timers and I/O. */
export const nextTick: (callback: () => void) => void =
  typeof process !== 'undefined' && typeof process.nextTick === 'function'
    ? process.nextTick
    : queueMicrotask;
