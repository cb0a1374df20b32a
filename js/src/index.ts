import {startBackendHubs} from './hub/backend-hubs.js';
import {startCbor} from './tab/cbor.js';
import {type CreateConnection, connector} from './tab/connect.js';
import {startTab} from './tab/inline.js';
import {pageEntry} from './tab/page-entry.js';

export * from './tab/api.js';

/** Connects this tab to the hub; see {@link CreateConnection}. */
export const createConnection: CreateConnection = connector({
  ...pageEntry,
  startTab,
  // In Node all is there: what `createConnection(backend)` returns has its hub at once.
  backendHubs: startBackendHubs,
  cbor: startCbor,
});
