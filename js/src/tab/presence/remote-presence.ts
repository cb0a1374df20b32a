import type {ProxyConnection} from '../connection.js';
import type {PresenceMessage} from './messages.js';
import type {ProxyPresence} from './presence.js';

/** One presence of another client, or of a sibling tab. */
export class RemotePresence {
  readonly presence: ProxyPresence;
  readonly presenceId: string;
  readonly connection: ProxyConnection;
  /** The number of the message that `value` came with. */
  presenceVersion = 0;
  /** `null` if there is none. */
  value: any = null;

  constructor(presence: ProxyPresence, presenceId: string) {
    this.presence = presence;
    this.presenceId = presenceId;
    this.connection = presence.connection;
  }

  /** Takes a new value, unless a later one has come before. */
  receiveUpdate(message: PresenceMessage): void {
    if (message.pv < this.presenceVersion) return;
    this.value = message.p;
    this.presenceVersion = message.pv;
    this.presence.onRemoteChanged(this);
  }

  destroy(): void {
    this.presence.forgetRemote(this);
  }
}
