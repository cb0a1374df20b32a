import './hub/inline.js';

export * from './hub/default.js';
export {default} from './hub/default.js';
