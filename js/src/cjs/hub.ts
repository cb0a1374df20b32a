import {defineHub as define, type HubDefinition} from '../hub/define.js';
import type {HubOptions} from '../hub/options.js';
import {startHub} from './start.js';

export * from '../hub/api.js';

/** Defines the hub; see `defineHub` of the ES module. */
export function defineHub(options: HubOptions): HubDefinition {
  startHub();
  return define(options);
}
