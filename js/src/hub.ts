import './hub/inline.js';

export * from './hub/api.js';
