import './inline.js';

export * from './hub/api.js';
