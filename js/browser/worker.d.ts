// Beside the script, where every TypeScript finds it.
export {default, hubOf} from './types/src/worker.js';
