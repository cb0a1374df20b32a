import {errorIn} from '../../shared/errors.js';
import {forAll} from '../../shared/for-all.js';
import type {ConnectionBase} from '../connection-base.js';
import type {ProxyDocs} from '../proxy-docs.js';
import {ProxyDocPresence} from './doc-presence.js';
import type {IncomingMessage} from './messages.js';
import {type PresenceRegistry, ProxyPresence} from './presence.js';

/** What presence needs of the connection. */
type PresenceOwner = Pick<
  ConnectionBase,
  'canSend' | 'emit' | 'failure' | 'send' | 'tabs' | 'types'
> &
  Pick<ProxyDocs, 'get'>;

/** The presence channels of a connection: one object for each, until it is destroyed. */
export class Presences implements PresenceRegistry {
  readonly connection: PresenceOwner;
  readonly #byChannel = new Map<string, ProxyPresence>();
  #lastSeq = 0;

  constructor(connection: PresenceOwner) {
    this.connection = connection;
  }

  /** The presence of a channel. Throws if the channel is not a string, or empty. */
  get(channel: string): ProxyPresence {
    return this.#get(channel, () => new ProxyPresence(this, channel));
  }

  /** The presence in a document. */
  getForDoc(collection: string, id: string): ProxyPresence {
    const presence = () => new ProxyDocPresence(this, collection, id);
    return this.#get(ProxyDocPresence.channel(collection, id), presence);
  }

  #get(channel: string, create: () => ProxyPresence): ProxyPresence {
    const presence = this.#byChannel.get(channel) ?? create();
    this.#byChannel.set(channel, presence);
    presence.wantsDestroy = false;
    return presence;
  }

  /** Sees to it that a destroyed presence that is used again hears its answers. */
  keep(presence: ProxyPresence): void {
    if (!this.#byChannel.has(presence.channel)) this.#byChannel.set(presence.channel, presence);
  }

  /** Lets go of a destroyed presence. */
  forget(presence: ProxyPresence): void {
    if (this.#byChannel.get(presence.channel) === presence) {
      this.#byChannel.delete(presence.channel);
    }
  }

  /** A number for a subscription. */
  nextSeq(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }

  /** Takes a message of the server, or a sibling's presence. */
  handle(message: IncomingMessage): void {
    const presence = this.#byChannel.get(message.ch);
    if (!presence) return;
    const error = errorIn(message);
    if (message.a === 'p') presence.onUpdate(error, message);
    else if (message.a === 'ps') presence.onSubscribed(error, message.seq);
    else if (message.a === 'pu') presence.onUnsubscribed(error, message.seq);
    else presence.onRequest(error);
  }

  /** There is no hub: nothing will be answered. Returns what tells those who wait. */
  fail(error: Error): (() => void)[] {
    return [...this.#byChannel.values()].flatMap((presence) => presence.fail(error));
  }

  /** The connection changed its state. */
  onConnectionStateChanged(): void {
    forAll(this.#byChannel.values(), (presence) => presence.onConnectionStateChanged());
  }
}
