import type {ProxyConnection} from './connection.js';
import type {State} from './connection-events.js';
import type {ProxyDoc, WireOp, WireSnapshot} from './doc.js';
import type {DocName} from './doc-name.js';
import {type CoreError, toError} from './errors.js';
import {nextTick} from './next-tick.js';
import type {ProxyQuery, QueryDiff} from './query.js';
import {storeEvent} from './store.js';
import type {Writes} from './writes.js';

/** What of a connection the core speaks to. */
export interface Parts {
  /** The documents, by their keys in the core. */
  docs: ReadonlyMap<number, ProxyDoc>;
  /** The queries, by their numbers in the core. */
  queries: ReadonlyMap<number, ProxyQuery>;
  /** What to do when a request has ended. */
  requests: Map<number, (error: Error | null, answer?: unknown) => void>;
  writes: () => Writes;
  onHubLost: () => void;
  onTransportClosed: (reason: string) => void;
  onState: (state: State, id: string | undefined, reason: unknown) => void;
  /** The server, or a sibling, says this in ShareDB's own protocol. */
  onMessage: (message: unknown) => void;
}

/** What the core calls; nothing thrown by a listener may pass through the core. */
export function coreHandler(connection: ProxyConnection, parts: Parts) {
  const withDoc = (key: number, action: (doc: ProxyDoc) => void) =>
    guard(connection, () => {
      const doc = parts.docs.get(key);
      if (doc) action(doc);
    });
  const withOps = (key: number, action: (doc: ProxyDoc) => void) => {
    withDoc(key, action);
    withDoc(key, (doc) => {
      for (const settle of parts.writes().onProgress(doc)) guard(connection, settle);
    });
  };
  const settle = (request: number, error: CoreError | null, answer?: unknown) =>
    guard(connection, () => {
      const callback = parts.requests.get(request);
      parts.requests.delete(request);
      callback?.(toError(error), answer);
    });
  return {
    joined: (_epoch: number) => {},
    refused: (error: CoreError) => guard(connection, () => connection.fail(toError(error))),
    hubLost: () => guard(connection, () => parts.onHubLost()),
    closed: (reason: string | undefined) =>
      guard(connection, () => parts.onTransportClosed(reason ?? 'the transport was closed')),
    state: (state: State, id: string | undefined, reason: unknown) =>
      guard(connection, () => parts.onState(state, id, reason)),
    connectionFailed: (socket: boolean, error: CoreError) =>
      guard(connection, () =>
        connection.emit(socket ? 'connection error' : 'error', toError(error)),
      ),
    tabs: (tabs: {id: string; since: number}[]) =>
      guard(connection, () => {
        connection.tabs = tabs.map((tab) => ({...tab, self: tab.id === connection.tabId}));
        connection.emit('tabs', connection.tabs);
      }),
    callback: (request: number, error: CoreError | null) => settle(request, error),
    storeReply: settle,
    storeEvent: (name: string, detail: any) =>
      guard(connection, () => connection.emit(...storeEvent(name, detail))),
    load: (key: number, snapshot: WireSnapshot, dropped: Float64Array) =>
      withOps(key, (doc) => doc.onLoad(snapshot, dropped)),
    behind: (key: number) => withDoc(key, (doc) => doc.fetch()),
    apply: (key: number, op: WireOp, version: number | null, src: string | undefined) =>
      withDoc(key, (doc) => doc.onApply(op, version, src)),
    rolledBack: (key: number, error: CoreError, dropped: Float64Array) =>
      withOps(key, (doc) => doc.onRolledBack(toError(error), dropped)),
    sequenced: (key: number) => withOps(key, () => {}),
    sent: (key: number, op: WireOp) => withDoc(key, (doc) => doc.onSent(op)),
    settled: (key: number, tokens: Float64Array, version: number | null, error: CoreError | null) =>
      withOps(key, (doc) => doc.onSettled(tokens, version, toError(error))),
    docError: (key: number, error: CoreError) =>
      withDoc(key, (doc) => doc.emit('error', toError(error))),
    queryDocs: (names: DocName[]) =>
      guard(connection, () => {
        for (const {collection, id} of names) connection.get(collection, id);
      }),
    queryReady: (
      query: number,
      error: CoreError | null,
      names: DocName[] | null | undefined,
      extra: unknown,
    ) => guard(connection, () => parts.queries.get(query)?.onReady(toError(error), names, extra)),
    queryChange: (query: number, diff: QueryDiff[]) =>
      guard(connection, () => parts.queries.get(query)?.onChange(diff)),
    queryExtra: (query: number, extra: unknown) =>
      guard(connection, () => parts.queries.get(query)?.onExtra(extra)),
    queryFailed: (query: number, error: CoreError) =>
      guard(connection, () => parts.queries.get(query)?.onFailed(toError(error))),
    receive: (message: unknown) => guard(connection, () => parts.onMessage(message)),
    fault: (error: CoreError) => guard(connection, () => connection.emit('fault', toError(error))),
  };
}

/** Runs what calls listeners; as in ShareDB, what they throw becomes the connection's `error`. */
export function guard(connection: ProxyConnection, action: () => void): void {
  try {
    action();
  } catch (error) {
    nextTick(() => connection.emit('error', error));
  }
}
