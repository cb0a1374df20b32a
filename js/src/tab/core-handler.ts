import type {TabHandler} from '../../wasm/tab/tabmux_tab.js';
import {toError} from '../shared/errors.js';
import {forAll} from '../shared/for-all.js';
import type {ConnectionBase} from './connection-base.js';
import type {State} from './connection-events.js';
import type {ProxyDoc} from './doc.js';
import {guard} from './guard.js';
import type {Lifetime} from './lifetime.js';
import type {Messages} from './messages.js';
import type {Parts} from './parts.js';
import type {ProxyDocs} from './proxy-docs.js';
import {storeEvent} from './store.js';
import type {UnloadJournal} from './unload-journal.js';

/** What the core tells of the connection as a whole. */
interface HandledConnection
  extends Pick<ConnectionBase, 'emit' | 'tabId' | 'tabs'>,
    Pick<ProxyDocs, 'get'> {
  readonly unloadJournal: UnloadJournal;
  readonly messages: Messages;
  fail(error: Error): void;
}

/** What the core calls; nothing thrown by a listener may pass through the core. */
export function coreHandler(
  connection: HandledConnection,
  parts: Parts,
  lifetime: Lifetime,
  layer: TabHandler['layer'],
): TabHandler {
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
  return {
    layer,
    joined: () => {
      writes.onJoined();
      connection.unloadJournal.onJoined();
      guard(connection, () => lifetime.onJoined());
    },
    refused: (error) => guard(connection, () => connection.fail(toError(error))),
    offline: () => guard(connection, () => lifetime.onOffline()),
    hubLost: () => guard(connection, () => lifetime.onHubLost()),
    closed: (reason) => guard(connection, () => lifetime.onTransportClosed(reason)),
    state: (state, id, reason) =>
      guard(connection, () => lifetime.onState(state as State, id, reason)),
    connectionFailed: (socket, error) =>
      guard(connection, () =>
        connection.emit(socket ? 'connection error' : 'error', toError(error)),
      ),
    tabs: (tabs) =>
      guard(connection, () => {
        connection.tabs = tabs.map((tab) => ({...tab, self: tab.id === connection.tabId}));
        connection.emit('tabs', connection.tabs);
      }),
    callback: (request, error) =>
      guard(connection, () => requests.settle(request, toError(error), undefined)),
    storeReply: (request, error, answer) =>
      guard(connection, () => requests.settle(request, toError(error), answer)),
    storeEvent: (name, detail) =>
      guard(connection, () => {
        if (name === 'cleared') connection.unloadJournal.onCleared();
        connection.emit(...storeEvent(name, detail));
      }),
    load: (key, snapshot, dropped) => withOps(key, (doc) => doc.onLoad(snapshot, dropped)),
    behind: (key) => withDoc(key, (doc) => doc.fetch()),
    apply: (key, op, version, src) => withDoc(key, (doc) => doc.onApply(op, version ?? null, src)),
    rolledBack: (key, error, dropped) =>
      withOps(key, (doc) => doc.onRolledBack(toError(error), dropped)),
    sequenced: (key) => withOps(key, () => {}),
    sent: (key, op) => withDoc(key, (doc) => doc.onSent(op)),
    answered: (key, answered, version, error) =>
      withOps(key, (doc) => doc.onAnswered(answered, version ?? null, toError(error))),
    docError: (key, error) => withDoc(key, (doc) => doc.onError(toError(error))),
    subscribed: (key, error) => withDoc(key, (doc) => doc.onSubscribed(toError(error))),
    queryDocs: (names) =>
      guard(connection, () => forAll(names, ({collection, id}) => connection.get(collection, id))),
    queryReady: (query, error, names, extra) =>
      guard(connection, () => queries.withNumber(query)?.onReady(toError(error), names, extra)),
    queryChange: (query, steps) =>
      guard(connection, () => queries.withNumber(query)?.onChange(steps)),
    queryExtra: (query, extra) =>
      guard(connection, () => queries.withNumber(query)?.onExtra(extra)),
    queryFailed: (query, error) =>
      guard(connection, () => queries.withNumber(query)?.onFailed(toError(error))),
    receive: (message) => guard(connection, () => connection.messages.take(message)),
    fault: (error) => guard(connection, () => connection.emit('fault', toError(error))),
  };
}
