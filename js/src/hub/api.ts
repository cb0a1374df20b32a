export type {ConnectContext, TabContext} from '../shared/context.js';
export type {CustomCodec, CustomLayer, LayerMessage} from '../shared/plugins.js';
export type {CipherFunctions, StoreOptions} from '../shared/store-options.js';
export {HubDefinition} from './define.js';
export type {HubEvents} from './hub.js';
export {Hub} from './hub.js';
export type {HubOptions} from './options.js';
