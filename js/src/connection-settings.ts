import type {TransportEnd} from '../wasm/tab/tabmux_tab.js';
import type {Layer, TraceEvent} from './options.js';

/** What a connection is made of. */
export interface ConnectionSettings {
  tabId: string;
  identity: string;
  codec: string;
  middleware?: Layer[] | undefined;
  trace?: ((event: TraceEvent) => void) | undefined;
  types: {map: {[name: string]: any}; defaultType: any};
  /** Given to the hub's `connect`. */
  context: object;
  /** The end whose guarantees the layers must fit. */
  transport: TransportEnd;
  /** The hub's own connection, if the hub is in this process and has one. */
  upstream: () => any;
  /** Called once, when this tab leaves the hub. */
  onClose: () => void;
}
