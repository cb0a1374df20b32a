import {forAll} from '../../shared/for-all.js';
import type {Callback} from '../callbacks.js';
import type {ProxyDoc} from '../doc.js';
import type {DocEvents} from '../doc-state.js';
import type {DocChannel, DocFollower} from './doc-follower.js';
import {LocalDocPresence} from './local-doc-presence.js';
import {type PresenceRegistry, ProxyPresence} from './presence.js';
import {RemoteDocPresence} from './remote-doc-presence.js';

/**
 * The presence in a document: ShareDB's `DocPresence`. Its values move with the document's ops.
 */
export class ProxyDocPresence<T = any> extends ProxyPresence<T> implements DocChannel {
  readonly collection: string;
  /** The document's id. */
  readonly id: string;
  readonly #followers = new Set<DocFollower>();
  /** The document, while something follows it. */
  #doc: ProxyDoc | null = null;
  /** One listener for each event, however many presences there are. */
  readonly #listeners: Partial<DocEvents<any>> = {
    'before op': (op, source) => this.#each((follower) => follower.onBeforeOp?.(op, source)),
    op: (op, source, src) => this.#each((follower) => follower.onOp?.(op, source, src)),
    create: (source) => this.#each((follower) => follower.onCreateOrDel(source)),
    del: (_data, source) => this.#each((follower) => follower.onCreateOrDel(source)),
    load: () => this.#each((follower) => follower.onLoad()),
    destroy: () => this.#each((follower) => follower.onDestroy()),
  };

  /** @internal Use `connection.getDocPresence`. */
  constructor(registry: PresenceRegistry, collection: string, id: string) {
    super(registry, ProxyDocPresence.channel(collection, id));
    this.collection = collection;
    this.id = id;
  }

  /** The channel of a document's presence. */
  static channel(collection: string, id: string): string {
    return `${collection}.${id}`;
  }

  /** @internal */
  protected override createLocal(id: string): LocalDocPresence<T, ProxyDocPresence<T>> {
    return new LocalDocPresence(this, id);
  }

  /** @internal */
  protected override createRemote(id: string): RemoteDocPresence {
    return new RemoteDocPresence(this, id);
  }

  /** @internal Returns the document to follow. */
  follow(follower: DocFollower): ProxyDoc {
    const doc = this.connection.get(this.collection, this.id);
    if (doc !== this.#doc) {
      this.#doc = doc;
      for (const [event, listener] of this.#entries()) doc.on(event, listener);
    }
    this.#followers.add(follower);
    return doc;
  }

  /** @internal */
  unfollow(follower: DocFollower): void {
    this.#followers.delete(follower);
    const doc = this.#doc;
    if (this.#followers.size > 0 || !doc) return;
    this.#doc = null;
    for (const [event, listener] of this.#entries()) doc.off(event, listener);
  }

  #entries() {
    return Object.entries(this.#listeners) as [keyof DocEvents<any>, () => void][];
  }

  #each(action: (follower: DocFollower) => void): void {
    forAll([...this.#followers], action);
  }

  /** @internal Calls back once the document's data is what the server has at its version. */
  onceNothingPending(doc: ProxyDoc, callback: Callback): void {
    doc.onceNothingPending(callback);
  }
}
