export {createConnection} from './connect.js';
export {ProxyConnection} from './connection.js';
export type {LostOps, TabInfo, TopologyEvent} from './connection-events.js';
export {ProxyDoc} from './doc.js';
export type {DocName} from './doc-name.js';
export type {CipherFunctions, StoreOptions} from './hub/store-options.js';
export type {
  BackendOptions,
  ConnectionOptions,
  CustomTransport,
  HubLocation,
  Layer,
  TraceEvent,
} from './options.js';
export {ProxyDocPresence} from './presence/doc-presence.js';
export {ProxyPresence} from './presence/presence.js';
export {ProxyQuery} from './query.js';
export type {ExportedDocument, StoredDocument, StoreExport, StoreUsage} from './store.js';
export {ProxyStore} from './store.js';
