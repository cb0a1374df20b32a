import {startHub} from './inline.js';
import * as seats from './seat.js';

/** The hubs over backends, with the hub's module started. */
export function startBackendHubs(): typeof seats {
  startHub();
  return seats;
}
