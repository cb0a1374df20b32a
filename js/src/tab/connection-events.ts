import type {ConnectionEventMap} from 'sharedb/lib/sharedb.js';
import type {DocName} from '../shared/doc-name.js';
import type {ErrorEvents} from '../shared/emitter.js';

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

/** Ops that have no place any more, with all that is needed to save them by other means. */
export interface LostOps extends DocName {
  /** Oldest first. */
  ops: {op?: any; create?: {type: string; data?: any}; del?: true; source?: any}[];
  /** Why they have none. */
  error: any;
}

/** The events of ShareDB's `Connection`, and those of tabmux. */
export interface ConnectionEvents extends Omit<ConnectionEventMap, 'error'>, ErrorEvents {
  /** Where the hub lives became known, or changed. */
  topology: (event: TopologyEvent) => void;
  /** A tab joined the hub, or left it. */
  tabs: (tabs: TabInfo[]) => void;
  /** Something that came from the hub was dropped. */
  fault: (error: any) => void;
  /** The store could not do something; the hub goes on without. */
  'store:error': (error: any) => void;
  /** The device has little or no room left: how many bytes are taken, of how many. */
  'store:quota': (room: {usage?: number; quota?: number}) => void;
  /** Documents were dropped from the store to make room. */
  'store:evicted': (docs: DocName[]) => void;
  /** Ops that the server does not have can't be kept. */
  'store:lost': (lost: LostOps) => void;
  /** The store was wiped; nothing is kept from here on. */
  'store:cleared': () => void;
}
