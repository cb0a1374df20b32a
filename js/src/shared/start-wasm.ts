import {codes, makeError} from './errors.js';

/** Starts a WebAssembly module. Throws an error that says what to do where there can be none. */
export function startWasm(start: () => unknown): void {
  try {
    start();
  } catch (error) {
    throw noWasm(error);
  }
}

/** The error for a WebAssembly module that could not be started, because of what was thrown. */
export function noWasm(cause: unknown): Error {
  const said = (cause as Error)?.message ?? cause;
  const message = `WebAssembly can't be used here: if there is a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src (${said})`;
  return makeError(codes.NO_WASM, message);
}
