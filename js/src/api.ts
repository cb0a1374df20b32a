export {createConnection} from './connect.js';
export {ProxyConnection} from './connection.js';
export type {TabInfo, TopologyEvent} from './connection-events.js';
export {ProxyDoc} from './doc.js';
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
