import './inline.js';

export {default} from './hub/default.js';
