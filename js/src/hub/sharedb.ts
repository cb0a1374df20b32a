import type {Connection, Doc, Query} from 'sharedb/lib/client/index.js';
import type {Type} from 'sharedb/lib/sharedb.js';
import type {Op} from '../shared/wire.js';

/** ShareDB's connection, with the members its typings lack. */
export type WholeConnection = Connection & {
  queries: {[id: string]: Query};
  socket: {readyState: number};
  bindToSocket(socket: unknown): void;
  getExisting(collection: string, id: string): WholeDoc | undefined;
  startBulk(): void;
  endBulk(): void;
  send(message: unknown): void;
  sendFetch(doc: Doc): void;
  sendOp(doc: Doc, op: QueuedOp): void;
  handleMessage(message: unknown): void;
  /** Forgets the document, unless it was taken again since it got `_wantsDestroy`. */
  _destroyDoc(doc: WholeDoc): void;
};

/** ShareDB's document, with the members its typings lack. */
export type WholeDoc = Doc & {
  wantSubscribe: boolean;
  inflightSubscribe: {wantSubscribe: boolean; callback?: Callback | null} | null;
  pendingSubscribe: unknown[];
  inflightFetch: Callback[];
  inflightOp: QueuedOp | null;
  pendingOps: QueuedOp[];
  _wantsDestroy: boolean;
  _isInHardRollback: boolean;
  /** Gives up the state and the uncommitted ops, and loads the document. */
  _hardRollback?: (error: unknown) => void;
  _setData(data: unknown): void;
  /** Takes the answer to the oldest of `inflightFetch`. */
  _handleFetch(error?: unknown, snapshot?: unknown): void;
  /** Takes the answer to `inflightSubscribe`. */
  _handleSubscribe(error?: unknown, snapshot?: unknown): void;
  /** Sends the next of the subscriptions, and ends of them, that wait for those before. */
  _flushSubscribe(): void;
};

/** What ShareDB calls once the server has answered. */
export type Callback = (error?: unknown) => void;

/** ShareDB's types, by name and by URI. */
export type TypeMap = {[name: string]: Type};

/** An op in a document's queue. */
export interface QueuedOp extends Op {
  type: Type | null;
  source: unknown;
  callbacks: Callback[];
  /** From here on once it was sent, or is held to be sent. */
  seq?: number;
  src?: string;
  sentAt?: number;
  /** How often it was sent after the first time. */
  retries?: number;
}

/** What tells which answer belongs to which message of ShareDB's protocol. */
export interface Subject {
  a?: string;
  id?: unknown;
  c?: string;
  d?: string;
  src?: string;
  seq?: number;
  error?: unknown;
}

/** An answer of the server, or an op of others. */
export interface Answer extends Subject, Op {
  v?: number;
  /** The documents of a question about many: their ids, or their versions by id. */
  b?: string[] | {[id: string]: number};
}
