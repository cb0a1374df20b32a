import type {Callback} from '../callbacks.js';
import type {ProxyDoc} from '../doc.js';

/** A presence that follows what happens to its document. */
export interface DocFollower {
  /** An op is about to be applied. */
  onBeforeOp?(op: any, source: unknown): void;
  /** An op was applied. */
  onOp?(op: any, source: unknown, src: string | undefined): void;
  onCreateOrDel(source: unknown): void;
  onLoad(): void;
  onDestroy(): void;
}

/** The presence in a document, as those see it that follow what happens to that. */
export interface DocChannel {
  readonly collection: string;
  /** The document's id. */
  readonly id: string;
  /** Returns the document to follow. */
  follow(follower: DocFollower): ProxyDoc;
  unfollow(follower: DocFollower): void;
  /** Calls back once the document's data is what the server has at its version. */
  onceNothingPending(doc: ProxyDoc, callback: Callback): void;
}
