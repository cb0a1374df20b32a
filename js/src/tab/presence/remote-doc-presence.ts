import type {ErrorEvents, TypedEmitter} from '../../shared/emitter.js';
import {doAll} from '../../shared/for-all.js';
import type {ProxyDoc} from '../doc.js';
import type {DocChannel, DocFollower} from './doc-follower.js';
import type {PresenceMessage} from './messages.js';
import {type RemoteChannel, RemotePresence} from './remote-presence.js';
import {transformPresence} from './transform.js';

/** What it needs of its channel. */
interface RemoteDocChannel
  extends RemoteChannel,
    DocChannel,
    Pick<TypedEmitter<ErrorEvents>, 'emit'> {
  requestRemotePresence(): void;
}

/** A value that does not fit the document yet. */
interface Pending extends PresenceMessage {
  /** The value is out of date, and its owner was asked for a new one. */
  requested: boolean;
}

/** What the server has done to the document since a version, one step for each version. */
interface Steps {
  since: number;
  /** `null` stands for a creation or a deletion. */
  ops: ({op: any; isOwnOp: boolean} | null)[];
}

/**
 * One presence of others in a document.
 *
 * A value is taken once the document has the version it fits. Where the document is ahead, the value
 * is transformed by the ops in between if they are known; else its owner is asked to send it again.
 */
export class RemoteDocPresence extends RemotePresence implements DocFollower {
  declare readonly presence: RemoteDocChannel;
  readonly collection: string;
  /** The document's id. */
  readonly id: string;
  /** Whose presence it is. */
  src: string | undefined;
  readonly #doc: ProxyDoc;
  #pending: Pending | null = null;
  #steps: Steps | null = null;
  #waitsToTake = false;

  constructor(presence: RemoteDocChannel, presenceId: string) {
    super(presence, presenceId);
    this.collection = presence.collection;
    this.id = presence.id;
    this.#doc = presence.follow(this);
  }

  override receiveUpdate(message: PresenceMessage): void {
    if (this.#pending && message.pv < this.#pending.pv) return;
    this.src = message.src;
    this.#pending = {...message, requested: false};
    this.#takePending();
  }

  override destroy(): void {
    this.#pending = null;
    this.presence.unfollow(this);
    super.destroy();
  }

  #takePending(): void {
    if (this.#waitsToTake) return;
    // Of several values in one frame each is taken, as if each had come alone.
    if (this.#doc.hasNothingPending()) return this.#take();
    this.#waitsToTake = true;
    this.presence.onceNothingPending(this.#doc, () => {
      this.#waitsToTake = false;
      this.#take();
    });
  }

  #take(): void {
    const pending = this.#pending;
    if (!pending) return;
    if (pending.pv < this.presenceVersion) {
      this.#pending = null;
      return;
    }
    const version = this.#doc.version ?? 0;
    const presenceAt = pending.v ?? 0;
    if (presenceAt > version) return this.#fetch();
    // No presence is no presence at any version.
    if (presenceAt < version && pending.p !== null && !this.#catchUp(pending)) return;
    this.#pending = null;
    this.value = pending.p;
    this.presenceVersion = pending.pv;
    this.presence.onRemoteChanged(this);
  }

  #fetch(): void {
    const {version} = this.#doc;
    this.#doc.fetch((error) => {
      if (error) this.presence.emit('error', error);
      // The version of what this tab or a sibling did changes without an event.
      else if (this.#doc.version !== version) this.#takePending();
    });
  }

  /** Transforms a value to the document's version; returns whether it could. */
  #catchUp(pending: Pending): boolean {
    const version = this.#doc.version ?? 0;
    try {
      while ((pending.v ?? 0) < version && this.#step(pending));
    } catch (error) {
      this.#pending = null;
      this.#steps = null;
      this.presence.emit('error', error);
      return false;
    }
    if (pending.v === version) {
      this.#steps = null;
      return true;
    }
    if (!this.#steps) {
      this.#steps = {since: version, ops: []};
      this.#fetch();
    }
    if (!pending.requested) {
      pending.requested = true;
      this.presence.requestRemotePresence();
    }
    return false;
  }

  /** Transforms a value to the next version; returns whether the op for it is known. */
  #step(pending: Pending): boolean {
    const at = pending.v ?? 0;
    const step = this.#steps?.ops[at - this.#steps.since];
    if (step === undefined) return false;
    if (step) {
      const type = this.connection.types.map[pending.t ?? ''];
      pending.p = transformPresence(type, pending.p, step.op, step.isOwnOp);
    } else {
      pending.p = null;
    }
    pending.v = at + 1;
    return true;
  }

  /** @internal */
  onOp(op: any, source: unknown, src: string | undefined): void {
    const isOwnOp = src === this.src;
    const hasVersion = !source && !this.connection.tabs.some((tab) => tab.id === src);
    doAll(
      () => this.#transform(op, isOwnOp),
      () => hasVersion && this.#keepStep({op, isOwnOp}),
      () => this.#takePending(),
    );
  }

  #transform(op: any, isOwnOp: boolean): void {
    if (this.value === null) return;
    try {
      this.value = transformPresence(this.#doc.type, this.value, op, isOwnOp);
    } catch (error) {
      this.presence.emit('error', error);
      return;
    }
    this.presence.onRemoteChanged(this);
  }

  /** @internal */
  onCreateOrDel(source: unknown): void {
    if (!source) this.#keepStep(null);
    this.#takePending();
  }

  /** Keeps a step that took the document to its version. */
  #keepStep(step: Steps['ops'][number]): void {
    if (!this.#steps) return;
    const at = (this.#doc.version ?? 0) - 1;
    const next = this.#steps.since + this.#steps.ops.length;
    if (at === next) this.#steps.ops.push(step);
    // A step was missed: it was this tab's or a sibling's, whose versions are known only later.
    else if (at > next) this.#steps = null;
  }

  /** @internal */
  onLoad(): void {
    this.#steps = null;
    if (this.#pending) return this.#takePending();
    this.value = null;
    this.presence.onRemoteChanged(this);
  }

  /** @internal */
  onDestroy(): void {
    this.value = null;
    this.presence.onRemoteChanged(this);
  }
}
