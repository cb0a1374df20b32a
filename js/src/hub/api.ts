export type {ConnectContext, HubOptions, TabContext} from './define.js';
export {defineHub, HubDefinition} from './define.js';
export {Hub} from './hub.js';
export type {CipherFunctions, StoreOptions} from './store-options.js';
