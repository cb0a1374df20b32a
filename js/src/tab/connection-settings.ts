import type {TransportEnd} from '../../wasm/tab/tabmux_tab.js';
import type {CustomCodec} from '../shared/plugins.js';
import type {Layer, TraceEvent} from './options.js';

/** How a tab comes back to a hub after it has left, and what is to be done when it leaves. */
export interface Entrance {
  /** Throws if there is no way back. */
  check: () => void;
  enter: () => void;
  leave: () => void;
}

/** What a connection is made of. */
export interface ConnectionSettings {
  /** What proves that the tab's id, which is made of it, is its own. */
  secret: string;
  identity: string;
  codec: string | CustomCodec;
  middleware?: Layer[] | undefined;
  trace?: ((event: TraceEvent) => void) | undefined;
  types: {map: {[name: string]: any}; defaultType: any};
  /** Given to the hub's `connect`. */
  context: object;
  /** The end whose guarantees the layers must fit; without one the connection leads nowhere. */
  transport: TransportEnd | undefined;
  /** The hub's own connection, if the hub is in this process and has one. */
  upstream: () => any;
  /** How the tab comes to a hub, and leaves it. */
  entrance: Entrance;
}
