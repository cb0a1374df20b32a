import './tab/inline.js';

export * from './tab/api.js';
