/**
 * The platform's clock as it is when the module is loaded: a test that replaces it later means the
 * application's time, not that of the way to the hub.
 */
export const clock = {
  setTimeout: globalThis.setTimeout.bind(globalThis),
  clearTimeout: globalThis.clearTimeout.bind(globalThis),
  now: performance.now.bind(performance),
};
