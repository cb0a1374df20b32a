import * as places from './hub-place.js';
import {startHub} from './inline.js';

/** The hubs over backends, with the hub's module started. */
export function startBackendHubs(): typeof places {
  startHub();
  return places;
}
