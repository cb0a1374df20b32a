import type {ConnectionEventMap} from 'sharedb/lib/sharedb.js';
import type {ErrorEvents} from './emitter.js';

/** The states of ShareDB's connection. */
export type State = 'connecting' | 'connected' | 'disconnected' | 'closed' | 'stopped';

/** One tab of the hub. */
export interface TabInfo {
  /** The tab's id. */
  id: string;
  /** When it joined the hub, in milliseconds since 1970. */
  since: number;
  /** Whether it is this very tab. */
  self: boolean;
}

/** Where the hub lives, and why there. */
export interface TopologyEvent {
  topology: 'shared-worker' | 'direct' | 'custom';
  reason: string;
}

/** The events of ShareDB's `Connection`, and those of tabmux. */
export interface ConnectionEvents extends Omit<ConnectionEventMap, 'error'>, ErrorEvents {
  /** Where the hub lives became known, or changed. */
  topology: (event: TopologyEvent) => void;
  /** A tab joined the hub, or left it. */
  tabs: (tabs: TabInfo[]) => void;
  /** Something that came from the hub was dropped. */
  fault: (error: any) => void;
}
