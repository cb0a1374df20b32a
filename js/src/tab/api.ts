export type {DocName} from '../shared/doc-name.js';
export type {CustomCodec, CustomLayer, LayerMessage} from '../shared/plugins.js';
export type {CipherFunctions, StoreOptions} from '../shared/store-options.js';
export type {CustomTransport} from '../shared/transport.js';
export type {CreateConnection} from './connect.js';
export {ProxyConnection} from './connection.js';
export type {LostOps, TabInfo, TopologyEvent} from './connection-events.js';
export {ProxyDoc} from './doc.js';
export type {
  BackendOptions,
  ConnectionOptions,
  HubLocation,
  Layer,
  TraceEvent,
} from './options.js';
export {ProxyDocPresence} from './presence/doc-presence.js';
export {ProxyPresence} from './presence/presence.js';
export {ProxyQuery} from './query.js';
export type {ExportedDocument, StoredDocument, StoreExport, StoreUsage} from './store.js';
export {ProxyStore} from './store.js';
