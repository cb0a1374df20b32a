import type {TabCore} from '../../wasm/tab/tabmux_tab.js';
import type {TypedEmitter} from '../shared/emitter.js';
import type {ConnectionEvents, State, TabInfo} from './connection-events.js';
import type {ConnectionSettings} from './connection-settings.js';

/**
 * What several parts of a connection need of it. They can't import `connection.ts`, which is made of
 * them: each names its share of this, and what it alone needs.
 */
export interface ConnectionBase extends Pick<TypedEmitter<ConnectionEvents>, 'emit'> {
  readonly core: TabCore;
  readonly types: ConnectionSettings['types'];
  readonly tabId: string;
  id: string | null;
  tabs: TabInfo[];
  state: State;
  canSend: boolean;
  /** Whether the tab is offline of its own accord, whatever the hub is. */
  readonly isOffline: boolean;
  /** Why nothing can be asked or submitted any more. */
  failure: Error | null;
  /** Gives the server a message of ShareDB's own protocol. */
  send(message: any): void;
  /** Keeps what to do when a request has ended. */
  ask(request: number | undefined, callback: (error: Error | null, answer?: any) => void): void;
  /** Why nothing can be written or asked now, if so. */
  whyNothingIsSent(): Error | null;
}
