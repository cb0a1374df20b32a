export type {ConnectContext, HubOptions} from './define.js';
export {defineHub, HubDefinition} from './define.js';
export {Hub} from './hub.js';
