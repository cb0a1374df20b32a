import type {DocName} from '../shared/doc-name.js';
import {type CoreError, toError} from '../shared/errors.js';
import {forAll} from '../shared/for-all.js';
import type {WireOp, WireSnapshot} from '../shared/wire.js';
import type {ConnectionBase} from './connection-base.js';
import type {State} from './connection-events.js';
import type {ProxyDoc} from './doc.js';
import type {Documents} from './documents.js';
import {guard} from './guard.js';
import type {LastWords} from './last-words.js';
import type {Lifetime} from './lifetime.js';
import type {Messages} from './messages.js';
import type {Parts} from './parts.js';
import type {QueryStep} from './query-steps.js';
import {storeEvent} from './store.js';
import type {Answered} from './submits.js';

/** What the core tells of the connection as a whole. */
interface HandledConnection
  extends Pick<ConnectionBase, 'emit' | 'tabId' | 'tabs'>,
    Pick<Documents, 'get'> {
  readonly lastWords: LastWords;
  readonly messages: Messages;
  fail(error: Error): void;
}

/** What the core calls; nothing thrown by a listener may pass through the core. */
export function coreHandler(connection: HandledConnection, parts: Parts, lifetime: Lifetime) {
  const {docs, queries, requests, writes} = parts;
  const withDoc = (key: number, action: (doc: ProxyDoc) => void) =>
    guard(connection, () => {
      const doc = docs.withKey(key);
      if (doc) action(doc);
    });
  const withOps = (key: number, action: (doc: ProxyDoc) => void) => {
    withDoc(key, action);
    withDoc(key, (doc) => {
      for (const settle of writes.onProgress(doc)) guard(connection, settle);
    });
  };
  const settle = (request: number, error: CoreError | null, answer?: unknown) =>
    guard(connection, () => requests.settle(request, toError(error), answer));
  return {
    joined: (_epoch: number) => {
      writes.onJoined();
      connection.lastWords.onJoined();
      guard(connection, () => lifetime.onJoined());
    },
    refused: (error: CoreError) => guard(connection, () => connection.fail(toError(error))),
    offline: () => guard(connection, () => lifetime.onOffline()),
    hubLost: () => guard(connection, () => lifetime.onHubLost()),
    closed: (reason: string | undefined) =>
      guard(connection, () => lifetime.onTransportClosed(reason)),
    state: (state: State, id: string | undefined, reason: unknown) =>
      guard(connection, () => lifetime.onState(state, id, reason)),
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
      guard(connection, () => {
        if (name === 'cleared') connection.lastWords.onCleared();
        connection.emit(...storeEvent(name, detail));
      }),
    load: (key: number, snapshot: WireSnapshot, dropped: Answered) =>
      withOps(key, (doc) => doc.onLoad(snapshot, dropped)),
    behind: (key: number) => withDoc(key, (doc) => doc.fetch()),
    apply: (key: number, op: WireOp, version: number | null, src: string | undefined) =>
      withDoc(key, (doc) => doc.onApply(op, version, src)),
    rolledBack: (key: number, error: CoreError, dropped: Answered) =>
      withOps(key, (doc) => doc.onRolledBack(toError(error), dropped)),
    sequenced: (key: number) => withOps(key, () => {}),
    sent: (key: number, op: WireOp) => withDoc(key, (doc) => doc.onSent(op)),
    settled: (key: number, answered: Answered, version: number | null, error: CoreError | null) =>
      withOps(key, (doc) => doc.onSettled(answered, version, toError(error))),
    docError: (key: number, error: CoreError) => withDoc(key, (doc) => doc.onError(toError(error))),
    subscribed: (key: number, error: CoreError | null) =>
      withDoc(key, (doc) => doc.onSubscribed(toError(error))),
    queryDocs: (names: DocName[]) =>
      guard(connection, () => forAll(names, ({collection, id}) => connection.get(collection, id))),
    queryReady: (
      query: number,
      error: CoreError | null,
      names: DocName[] | null | undefined,
      extra: unknown,
    ) => guard(connection, () => queries.withNumber(query)?.onReady(toError(error), names, extra)),
    queryChange: (query: number, steps: QueryStep[]) =>
      guard(connection, () => queries.withNumber(query)?.onChange(steps)),
    queryExtra: (query: number, extra: unknown) =>
      guard(connection, () => queries.withNumber(query)?.onExtra(extra)),
    queryFailed: (query: number, error: CoreError) =>
      guard(connection, () => queries.withNumber(query)?.onFailed(toError(error))),
    receive: (message: unknown) => guard(connection, () => connection.messages.take(message)),
    fault: (error: CoreError) => guard(connection, () => connection.emit('fault', toError(error))),
  };
}
