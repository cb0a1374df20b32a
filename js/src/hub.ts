import {defineHub as define, type HubDefinition} from './hub/define.js';
import {startHub} from './hub/inline.js';
import type {HubOptions} from './hub/options.js';

export * from './hub/api.js';

/**
 * Defines the hub. In a SharedWorker it serves the pages from then on; elsewhere it waits to be
 * taken by `createConnection`.
 *
 * ```js
 * export default defineHub({
 *   connect: ({url}) => new Connection(new ReconnectingWebSocket(url)),
 * });
 * ```
 */
export function defineHub(options: HubOptions): HubDefinition {
  startHub();
  return define(options);
}
