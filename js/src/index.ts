import './tab/inline.js';
import * as hubs from './hub/hub-place.js';
import {provideBackendHubs} from './tab/backend-hubs.js';
import * as cbor from './tab/cbor.js';
import {provideCbor} from './tab/codecs.js';

export * from './tab/api.js';

// In Node all is there: what `createConnection(backend)` returns has its hub at once.
provideBackendHubs(hubs);
provideCbor(cbor);
