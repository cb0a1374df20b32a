import './inline.js';
import {provideBackendHubs} from './backends.js';
import * as hubs from './hub/backends.js';

export * from './api.js';

// In Node both halves are there: what `createConnection(backend)` returns has its hub at once.
provideBackendHubs(hubs);
