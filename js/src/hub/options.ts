import type {Connection} from 'sharedb/lib/client/index.js';
import type {ConnectContext} from '../shared/context.js';
import type {CustomCodec, CustomLayer} from '../shared/plugins.js';
import type {StoreOptions} from '../shared/store-options.js';

/** The options of `defineHub`. */
export interface HubOptions {
  /**
   * Makes the connection to the server; called when the first tab comes, and when one comes after all
   * had left a hub in the page. The hub then goes on over the new connection's socket.
   */
  connect: (context: ConnectContext) => Connection;
  /** ShareDB's type registry; by default that of the npm package `sharedb`. */
  types?: {map: {[name: string]: any}};
  /** How long a document that no tab wants stays subscribed, in milliseconds; 5000 by default. */
  linger?: number;
  /** Whether and how the hub keeps documents across restarts; by default it does not. */
  store?: boolean | StoreOptions;
  /** Codecs of your own that tabs may use, beside tabmux's. */
  codecs?: CustomCodec[];
  /** The hub's ends of layers of your own, for the tabs whose `middleware` has one of the same name. */
  middleware?: CustomLayer[];
}
