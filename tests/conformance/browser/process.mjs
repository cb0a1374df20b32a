/** What ShareDB's tests use of Node's `process`. Imported before them and before ShareDB. */
globalThis.process = {
  nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
  env: {},
};
