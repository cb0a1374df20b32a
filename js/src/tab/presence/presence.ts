import type {ReceivePresenceListener} from 'sharedb/lib/sharedb.js';
import {Emitter, type ErrorEvents} from '../../shared/emitter.js';
import {doAll, forAll} from '../../shared/for-all.js';
import {nextTick} from '../../shared/next-tick.js';
import {randomId} from '../../shared/random-id.js';
import {type Callback, callEach} from '../callbacks.js';
import {callbackSoonOrEmit, hasFailed} from './callback-soon.js';
import {LocalPresence} from './local-presence.js';
import type {PresenceMessage} from './messages.js';
import {RemotePresence} from './remote-presence.js';

/** The presences of a connection. */
export interface PresenceRegistry {
  readonly connection: unknown;
  nextSeq(): number;
  keep(presence: ProxyPresence): void;
  forget(presence: ProxyPresence): void;
}

/** The events of ShareDB's `Presence`. */
export interface PresenceEvents<T> extends ErrorEvents {
  receive: ReceivePresenceListener<T>;
}

/**
 * The presence on a channel: the API and the events of ShareDB's `Presence`.
 *
 * Emits `receive` with the id and the value of a presence that changed (`null` if it is gone), and
 * `error`. The presence of a sibling tab is remote presence.
 */
export class ProxyPresence<T = any> extends Emitter<PresenceEvents<T>> {
  /** The connection this presence belongs to; ShareDB's typings take it for a string. */
  readonly connection: any;
  /** The channel's name. */
  readonly channel: string;
  /** Whether the application asked for the presence of others. */
  wantSubscribe = false;
  /** Whether the presence of others arrives. */
  subscribed = false;
  /** The values of others' presence, by id. */
  readonly remotePresences: Record<string, T> = Object.create(null);
  /** This tab's own presence, by id. */
  readonly localPresences: Record<string, LocalPresence<T, ProxyPresence<T>>> = Object.create(null);

  /** @internal Whether `destroy` was called and not taken back by getting the presence again. */
  wantsDestroy = false;
  readonly #registry: PresenceRegistry;
  readonly #remotes = new Map<string, RemotePresence>();
  /** What the server has not answered for, oldest first. */
  readonly #subscriptions = new Map<number, Callback | undefined>();

  /** @internal Use `connection.getPresence` or `connection.getDocPresence`. */
  constructor(registry: PresenceRegistry, channel: string) {
    super();
    if (!channel || typeof channel !== 'string') {
      throw new Error(
        `Presence channel must be provided: a string, not ${String(channel) || 'empty'}`,
      );
    }
    this.#registry = registry;
    this.connection = registry.connection;
    this.channel = channel;
  }

  /** Asks for the presence of others. */
  subscribe(callback?: Callback): void {
    this.#subscribe(true, callback);
  }

  /** Ends `subscribe`. */
  unsubscribe(callback?: Callback): void {
    this.#subscribe(false, callback);
  }

  #subscribe(wantSubscribe: boolean, callback?: Callback): void {
    if (wantSubscribe === this.wantSubscribe) {
      if (!callback) return;
      if (wantSubscribe === this.subscribed) return nextTick(callback);
      if (this.#subscriptions.size > 0) return this.#joinLastSubscription(callback);
    }
    if (hasFailed(this.connection, callback)) return;
    this.wantSubscribe = wantSubscribe;
    const seq = this.#registry.nextSeq();
    this.#subscriptions.set(seq, callback);
    this.#registry.keep(this);
    if (!this.connection.canSend) return;
    this.connection.send({a: wantSubscribe ? 'ps' : 'pu', ch: this.channel, seq});
  }

  #joinLastSubscription(callback: Callback): void {
    const seq = Math.max(...this.#subscriptions.keys());
    const earlier = this.#subscriptions.get(seq);
    this.#subscriptions.set(seq, (error) => callEach([earlier, callback], error));
  }

  /** Makes a presence of this tab. Without an `id`, it has one that nobody else has. */
  create(id?: string): LocalPresence<T, ProxyPresence<T>> {
    if (this.wantsDestroy) throw new Error('Presence is being destroyed');
    const local = this.createLocal(id || randomId());
    this.localPresences[local.presenceId] = local;
    return local;
  }

  /** @internal */
  protected createLocal(id: string): LocalPresence<T, ProxyPresence<T>> {
    return new LocalPresence(this, id);
  }

  /** @internal */
  protected createRemote(id: string): RemotePresence {
    return new RemotePresence(this, id);
  }

  /** Unsubscribes, and takes back the presence that this tab has now. */
  destroy(callback?: Callback): void {
    this.wantsDestroy = true;
    // What is created after the destruction was cancelled stays.
    const ids = Object.keys(this.localPresences);
    this.unsubscribe((error) => {
      if (error) return callbackSoonOrEmit(this, error, callback);
      if (this.wantsDestroy) for (const remote of [...this.#remotes.values()]) remote.destroy();
      this.#destroyLocals(ids, (error) => {
        if (this.wantsDestroy) this.#registry.forget(this);
        callbackSoonOrEmit(this, error, callback);
      });
    });
  }

  #destroyLocals(ids: string[], callback: Callback): void {
    const locals = ids.flatMap((id) => this.localPresences[id] ?? []);
    if (locals.length === 0) return callback(null);
    let left = locals.length;
    let failure: unknown = null;
    forAll(locals, (local) =>
      local.destroy((error) => {
        failure ??= error ?? null;
        left -= 1;
        if (left === 0) callback(failure);
      }),
    );
  }

  // For this channel's presences

  /** @internal */
  forgetLocal(local: LocalPresence<T, ProxyPresence<T>>): void {
    if (this.localPresences[local.presenceId] === local) {
      delete this.localPresences[local.presenceId];
    }
  }

  /** @internal */
  forgetRemote(remote: RemotePresence): void {
    this.#remotes.delete(remote.presenceId);
    delete this.remotePresences[remote.presenceId];
  }

  /** @internal A remote presence has a new value. */
  onRemoteChanged(remote: RemotePresence): void {
    const {presenceId, value} = remote;
    if (value === null) remote.destroy();
    else this.remotePresences[presenceId] = value;
    this.emit('receive', presenceId, value);
  }

  /** @internal Asks the others to send their presence again. */
  requestRemotePresence(): void {
    // A new connection asks for it by subscribing.
    if (this.connection.canSend) this.connection.send({a: 'pr', ch: this.channel});
  }

  // For the registry

  /** @internal */
  onSubscribed(error: Error | null, seq: number): void {
    if (!error && this.wantSubscribe) this.subscribed = true;
    callbackSoonOrEmit(this, error, this.#takeSubscription(seq));
  }

  /** @internal */
  onUnsubscribed(error: Error | null, seq: number): void {
    if (!error) this.subscribed = false;
    callbackSoonOrEmit(this, error, this.#takeSubscription(seq));
  }

  #takeSubscription(seq: number): Callback | undefined {
    const callback = this.#subscriptions.get(seq);
    this.#subscriptions.delete(seq);
    return callback;
  }

  /** @internal The answer for a presence of this tab, or a presence of others. */
  onUpdate(error: Error | null, message: PresenceMessage): void {
    const local = this.localPresences[message.id];
    if (local) return local.onAnswer(error, message.pv);
    if (error) {
      this.emit('error', error);
      return;
    }
    let remote = this.#remotes.get(message.id);
    if (!remote) {
      remote = this.createRemote(message.id);
      this.#remotes.set(message.id, remote);
    }
    remote.receiveUpdate(message);
  }

  /** @internal Somebody asks for this tab's presence. */
  onRequest(error: Error | null): void {
    if (error) {
      this.emit('error', error);
      return;
    }
    forAll(Object.values(this.localPresences), (local) => {
      if (local.value !== null) local.send();
    });
  }

  /** @internal */
  onConnectionStateChanged(): void {
    const locals = Object.values(this.localPresences);
    if (!this.connection.canSend) {
      this.subscribed = false;
      return forAll(locals, (local) => local.onConnectionLost());
    }
    doAll(
      () => this.#resubscribe(),
      () => forAll(locals, (local) => local.sendPending()),
    );
  }

  /** @internal Nothing will be answered any more. Returns what tells those who wait. */
  fail(error: Error): (() => void)[] {
    const callbacks = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    const locals = Object.values(this.localPresences);
    return [
      ...callbacks.map((callback) => () => callback?.(error)),
      ...locals.flatMap((local) => local.fail(error)),
    ];
  }

  #resubscribe(): void {
    const callbacks = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    if (!this.wantSubscribe) {
      callEach(callbacks);
      return;
    }
    this.subscribe((error) => {
      doAll(
        () => callEach(callbacks, error),
        () => error && !callbacks.some(Boolean) && this.emit('error', error),
      );
    });
  }
}
