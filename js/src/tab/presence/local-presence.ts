import {Emitter, type ErrorEvents} from '../../shared/emitter.js';
import {forAll} from '../../shared/for-all.js';
import {type Callback, callEach} from '../callbacks.js';
import {callbackSoonOrEmit, hasFailed} from './callback-soon.js';
import type {PresenceMessage} from './messages.js';

/** What a presence needs of its channel. */
export interface Channel {
  readonly channel: string;
  readonly connection: any;
  forgetLocal(local: LocalPresence): void;
}

/**
 * One presence of this tab: the API and the events of ShareDB's `LocalPresence`.
 *
 * Emits `error` where there is no callback to give it to.
 */
export class LocalPresence<T = any, C extends Channel = Channel> extends Emitter<ErrorEvents> {
  /** The channel this presence is on. */
  readonly presence: C;
  readonly presenceId: string;
  /** The connection this presence belongs to; ShareDB's typings take it for a string. */
  readonly connection: any;
  /** The number of the next message about this presence. */
  presenceVersion = 0;
  /** The value submitted last; as in ShareDB, `null` if there is none. */
  value: T = null as T;

  /** @internal The messages that are still to be sent, oldest first. */
  protected pending: PresenceMessage[] = [];
  /** The messages the server has not answered for, sent or not. */
  readonly #callbacks = new Map<number, Callback | undefined>();
  #isDestroyed = false;

  /** @internal Use `presence.create`. */
  constructor(presence: C, presenceId: string) {
    super();
    if (typeof presenceId !== 'string') {
      throw new Error(`LocalPresence presenceId must be a string, not ${String(presenceId)}`);
    }
    this.presence = presence;
    this.presenceId = presenceId;
    this.connection = presence.connection;
  }

  /** Sets the value and sends it to the others. */
  submit(value: T, callback?: Callback): void {
    this.value = value;
    this.send(callback);
  }

  /** Sends the value again. */
  send(callback?: Callback): void {
    if (hasFailed(this.connection, callback)) return;
    const message = this.message();
    this.pending.push(message);
    this.#callbacks.set(message.pv, callback);
    this.sendPending();
  }

  /** Takes the presence back. */
  destroy(callback?: Callback): void {
    this.submit(null as T, (error) => {
      if (error) return callbackSoonOrEmit(this, error, callback);
      this.#isDestroyed = true;
      this.#forgetOnceAnswered();
      callback?.();
    });
  }

  /** What was sent after the destruction still has its answer. */
  #forgetOnceAnswered(): void {
    if (this.#isDestroyed && this.#callbacks.size === 0) this.presence.forgetLocal(this);
  }

  /** @internal */
  protected message(): PresenceMessage {
    const pv = this.presenceVersion++;
    return {a: 'p', ch: this.presence.channel, id: this.presenceId, p: this.value, pv};
  }

  /** @internal Sends what waits, if the connection can. */
  sendPending(): void {
    if (!this.connection.canSend) return;
    const messages = this.pending;
    this.pending = [];
    forAll(messages, (message) => this.connection.send(message));
  }

  /** @internal The server has answered for a message, or it could not be sent. */
  onAnswer(error: Error | null, presenceVersion: number): void {
    callbackSoonOrEmit(this, error, this.#takeCallback(presenceVersion));
    this.#forgetOnceAnswered();
  }

  #takeCallback(presenceVersion: number): Callback | undefined {
    const callback = this.#callbacks.get(presenceVersion);
    this.#callbacks.delete(presenceVersion);
    return callback;
  }

  /** @internal Nothing will be answered any more. Returns what tells those who wait. */
  fail(error: Error): (() => void)[] {
    const callbacks = [...this.#callbacks.values()];
    this.#callbacks.clear();
    this.pending = [];
    return callbacks.map((callback) => () => callback?.(error));
  }

  /** @internal The answers for what was sent are lost, and the server forgets the presence. */
  onConnectionLost(): void {
    const pending = new Set(this.pending.map((message) => message.pv));
    const sent = [...this.#callbacks.keys()].filter((pv) => !pending.has(pv));
    const hasToBeSent = this.value !== null && pending.size === 0;
    if (sent.length === 0 && !hasToBeSent) return;
    const callbacks = sent.flatMap((pv) => this.#takeCallback(pv) ?? []);
    this.send(callbacks.length > 0 ? (error) => callEach(callbacks, error) : undefined);
  }
}
