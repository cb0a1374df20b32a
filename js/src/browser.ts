import {codes, makeError} from './shared/errors.js';
import {type CreateConnection, connector} from './tab/connect.js';
import {startTab} from './tab/inline.js';
import {scriptUrl} from './tab/script-url.js';

export {Connection, Doc, Query, types} from 'sharedb/lib/client/index.js';
export * from './tab/api.js';

let script = scriptUrl();

/** @internal Says where the script is, if it is no classic one. */
export function cameFrom(url: string): void {
  script = url;
}

async function isMissing(what: string): Promise<never> {
  const message = `${what} is not a part of tabmux/browser: use a bundler, and the entry tabmux`;
  throw makeError(codes.OPTION_INVALID, message);
}

/** Connects this tab to the hub; see {@link CreateConnection}. */
export const createConnection: CreateConnection = connector({
  startTab,
  workerUrl: () => new URL('worker.js', script),
  // It is as good a hub in a page as in a worker.
  defaultHubs: (worker) => import(String(worker)),
  backendHubs: () => isMissing('a hub over a backend'),
  cbor: () => isMissing('the codec cbor'),
});
