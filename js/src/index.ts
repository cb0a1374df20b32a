import './tab/inline.js';
import * as hubs from './hub/seat.js';
import {provideBackendHubs} from './tab/backend-hubs.js';

export * from './tab/api.js';

// In Node both halves are there: what `createConnection(backend)` returns has its hub at once.
provideBackendHubs(hubs);
