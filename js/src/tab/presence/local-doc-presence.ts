import {codes, makeError} from '../../shared/errors.js';
import {doAll} from '../../shared/for-all.js';
import type {Callback} from '../callbacks.js';
import type {ProxyDoc} from '../doc.js';
import {callbackSoonOrEmit} from './callback-soon.js';
import type {DocChannel, DocFollower} from './doc-follower.js';
import {type Channel, LocalPresence} from './local-presence.js';
import type {PresenceMessage} from './messages.js';
import {transformPresence} from './transform.js';

/** One presence of this tab in a document. It is sent once the document has nothing pending. */
export class LocalDocPresence<T, C extends Channel & DocChannel>
  extends LocalPresence<T, C>
  implements DocFollower
{
  readonly collection: string;
  /** The document's id. */
  readonly id: string;
  readonly #doc: ProxyDoc;
  #waitsToSend = false;

  /** @internal Use `presence.create`. */
  constructor(presence: C, presenceId: string) {
    super(presence, presenceId);
    this.collection = presence.collection;
    this.id = presence.id;
    this.#doc = presence.follow(this);
  }

  override submit(value: T, callback?: Callback): void {
    if (this.#doc.type) return super.submit(value, callback);
    // In a document that does not exist there is no presence: nothing to take back.
    const error = value === null ? null : this.#noDocument();
    callbackSoonOrEmit(this, error, callback);
  }

  #noDocument(): Error {
    return this.#doc.inHardRollback
      ? makeError(
          codes.DOC_IN_HARD_ROLLBACK,
          `Cannot submit presence. Document is processing hard rollback. ${this.presence.channel}`,
        )
      : makeError(
          codes.DOC_DOES_NOT_EXIST,
          `Cannot submit presence. Document has not been created. ${this.presence.channel}`,
        );
  }

  override destroy(callback?: Callback): void {
    this.presence.unfollow(this);
    super.destroy(callback);
  }

  /** @internal */
  protected override message(): PresenceMessage {
    return {...super.message(), c: this.collection, d: this.id, v: null, t: null};
  }

  /** @internal */
  override sendPending(): void {
    if (this.#waitsToSend) return;
    this.#waitsToSend = true;
    this.presence.onceNothingPending(this.#doc, () => {
      this.#waitsToSend = false;
      const {type, version} = this.#doc;
      for (const message of this.pending) {
        message.t = type?.uri ?? null;
        message.v = version;
      }
      super.sendPending();
    });
  }

  /**
   * @internal The op is not applied yet: presence that listeners of `op` submit fits the data after
   * it, and must not be transformed.
   */
  onBeforeOp(op: any, source: unknown): void {
    const {type} = this.#doc;
    const refused: (() => void)[] = [];
    this.pending = this.pending.filter((message) => {
      try {
        message.p = transformPresence(type, message.p, op, Boolean(source));
        return true;
      } catch (error) {
        refused.push(() => this.onAnswer(error as Error, message.pv));
        return false;
      }
    });
    try {
      this.value = transformPresence(type, this.value, op, Boolean(source));
    } catch (error) {
      refused.push(() => this.emit('error', error));
    }
    doAll(...refused);
  }

  /** @internal */
  onCreateOrDel(): void {
    this.#reset();
  }

  /** @internal */
  onLoad(): void {
    this.#reset();
  }

  /** Presence in data that was replaced means nothing any more. */
  #reset(): void {
    this.value = null as T;
    for (const message of this.pending) message.p = null;
  }

  /** @internal */
  onDestroy(): void {
    this.destroy();
  }
}
