export type {Backend} from '../shared/backend.js';
export type {DocName} from '../shared/doc-name.js';
export type {CustomCodec, CustomLayer, LayerMessage} from '../shared/plugins.js';
export type {CipherFunctions, StoreOptions} from '../shared/store-options.js';
export type {BuiltInTransport, CustomTransport} from '../shared/transport.js';
export type {WireOp} from '../shared/wire.js';
export type {Callback} from './callbacks.js';
export type {CreateConnection} from './connect.js';
export {ProxyConnection} from './connection.js';
export type {
  ConnectionEvents,
  LostOps,
  State as ConnectionState,
  TabInfo,
  TopologyEvent,
} from './connection-events.js';
export type {SourceOptions} from './doc.js';
export {ProxyDoc} from './doc.js';
export type {DocEvents} from './doc-state.js';
export type {Ingested} from './ingest.js';
export type {
  BackendOptions,
  ConnectionOptions,
  HubLocation,
  Layer,
  TraceEvent,
} from './options.js';
export {ProxyDocPresence} from './presence/doc-presence.js';
export type {LocalPresence} from './presence/local-presence.js';
export type {PresenceEvents} from './presence/presence.js';
export {ProxyPresence} from './presence/presence.js';
export type {QueryCallback, QueryEvents, QueryOptions} from './query.js';
export {ProxyQuery} from './query.js';
export type {SnapshotCallback} from './snapshot-requests.js';
export type {TabSocket} from './socket.js';
export type {ExportedDocument, StoredDocument, StoreExport, StoreUsage} from './store.js';
export {ProxyStore} from './store.js';
