import {hubOf} from '../hub/default.js';
import * as places from '../hub/hub-place.js';
import {type CreateConnection, connector} from '../tab/connect.js';
import {scriptUrl} from '../tab/script-url.js';
import {startHub, startTab} from './start.js';

export * from '../tab/api.js';

/** Loaded once it is named: the package has it as an ES module alone. */
const CBOR = '../cbor.js';

/** Connects this tab to the hub; see {@link CreateConnection}. */
export const createConnection: CreateConnection = connector({
  startTab,
  workerUrl: () => new URL('worker.js', scriptUrl()),
  async defaultHubs() {
    startHub();
    return {hubOf};
  },
  backendHubs() {
    startHub();
    return places;
  },
  cbor: async () => (await import(CBOR)).startCbor(),
});
