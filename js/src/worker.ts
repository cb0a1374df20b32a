import {defaultHub} from './hub/default.js';
import type {HubDefinition} from './hub/define.js';
import {startHub} from './hub/inline.js';

startHub();

export {hubOf} from './hub/default.js';

/** The hub of `createConnection({url})`, for a worker, and for `hub.local` of a script in Node. */
const hub: HubDefinition = defaultHub();
export default hub;
