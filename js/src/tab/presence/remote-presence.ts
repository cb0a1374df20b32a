import type {ConnectionBase} from '../connection-base.js';
import type {Owner} from '../owner.js';
import type {PresenceMessage} from './messages.js';

/** What it needs of the connection. */
type RemotePresenceOwner = Pick<ConnectionBase, 'tabs' | 'types'>;

/** What it needs of its channel. */
export interface RemoteChannel {
  readonly connection: any;
  onRemoteChanged(remote: RemotePresence): void;
  forgetRemote(remote: RemotePresence): void;
}

/** One presence of another client, or of a sibling tab. */
export class RemotePresence {
  readonly presence: RemoteChannel;
  readonly presenceId: string;
  readonly connection: Owner<RemotePresenceOwner>;
  /** The number of the message that `value` came with. */
  presenceVersion = 0;
  /** `null` if there is none. */
  value: any = null;

  constructor(presence: RemoteChannel, presenceId: string) {
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
