import type {Connection} from 'sharedb/lib/client/index.js';

/** ShareDB's `Backend`, or whatever makes connections like it. */
export interface Backend {
  /** A new connection; or this one, which was closed, connected anew. */
  connect(closed?: Connection): Connection;
}
