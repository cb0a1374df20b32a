import {
  overBroadcastChannel,
  overDirect,
  overMessagePort,
  type TransportEnd,
} from '../../wasm/tab/tabmux_tab.js';
import {backoff, FIRST_WAIT_MS} from '../shared/backoff.js';
import {clock} from '../shared/clock.js';
import type {TabContext} from '../shared/context.js';
import {directPair} from '../shared/direct-pair.js';
import {codes, makeError} from '../shared/errors.js';
import {type Answer, type Introduction, WITH_STORE} from '../shared/introduction.js';
import {randomId} from '../shared/random-id.js';
import type {CustomTransport} from '../shared/transport.js';
import type {ProxyConnection} from './connection.js';
import type {HubLocation} from './options.js';

/** The longest wait between one hub of this thread that has failed and the next. */
const LONGEST_WAIT_MS = 30_000;

/** A hub in this thread. */
interface LocalHub {
  onFailed(tabId: string, goOn: () => void): void;
  acceptDirect(end: CustomTransport): void;
}

/** What `defineHub` has made. */
interface HubDefinition {
  localHub(identity: string, context: TabContext): LocalHub;
  releaseLocal(hub: LocalHub): void;
}

/** A tab that is looking for its hub. */
export interface Hosting {
  connection: ProxyConnection;
  hub: HubLocation;
  identity: string;
  /** What the tab says of itself, as JSON has it. */
  context: TabContext;
  /** Whether the default hub is to have a store. */
  store: boolean;
  /** With the transport `broadcast-channel`: its name and this tab's end. */
  channel: {name: string; end: TransportEnd} | undefined;
  /** How long a worker may take to answer, in milliseconds. */
  patience: number;
  /** Aborted when the tab leaves the hub. */
  left: AbortSignal;
  /** The hub in this thread, if it is: a tab that comes back finds it as it was. */
  localHub?: LocalHub;
}

/** Connects the tab to the hub in a SharedWorker; in this thread, if that can't start. */
export function startSharedWorker(hosting: Hosting, reason: string): void {
  const {connection, hub, patience} = hosting;
  const makeWorker = hub.worker ?? (() => defaultWorker(hosting));
  const start = clock.now();
  const nextWait = backoff();
  let timer: ReturnType<typeof clock.setTimeout> | undefined;
  let settled = false;
  /** Whether this is the first outcome; there is none after it. */
  const settle = () => {
    if (settled || isOver(hosting)) return false;
    settled = true;
    clock.clearTimeout(timer);
    return true;
  };
  const giveUp = (cause: string) => {
    if (!settle()) return;
    const reason = `the SharedWorker did not start: ${cause}`;
    console.warn(`tabmux: this tab shares no hub with others, because ${reason}`);
    startDirect(hosting, reason);
  };
  const knock = () => {
    if (isOver(hosting)) return;
    if (clock.now() - start >= patience) {
      return giveUp(`it did not answer within ${patience} ms`);
    }
    try {
      const worker = makeWorker();
      worker.onerror = (event) =>
        giveUp((event as ErrorEvent).message || 'its script could not be loaded or run');
      worker.port.onmessage = ({data}: MessageEvent<Answer | undefined>) => {
        if (data?.tabmux === 'failed') giveUp(data.message);
        if (data?.tabmux !== 'ready' || !settle()) return;
        connection.setTopology({topology: 'shared-worker', reason});
        introduce(hosting, worker.port);
        navigator.locks
          .request(data.lock, {mode: 'shared', signal: hosting.left}, () =>
            startNextWorker(hosting),
          )
          .catch(() => {
            // The tab that has left no longer waits for the worker's end. Nor can one that is refused.
          });
      };
    } catch (error) {
      return giveUp(String((error as Error)?.message ?? error));
    }
    timer = clock.setTimeout(knock, Math.min(nextWait(), start + patience - clock.now()));
  };
  knock();
}

function isOver({left, connection}: Hosting): boolean {
  return left.aborted || connection.state === 'stopped';
}

function introduce({connection, identity, context, channel}: Hosting, worker: MessagePort): void {
  if (channel) {
    const hello: Introduction = {
      tabmux: 'broadcast-channel',
      identity,
      context,
      channel: channel.name,
    };
    worker.postMessage(hello);
    return connection.core.attach(channel.end);
  }
  const {port1, port2} = new MessageChannel();
  const hello: Introduction = {tabmux: 'port', identity, context, port: port2};
  worker.postMessage(hello, [port2]);
  connection.core.attach(overMessagePort(port1));
}

/** The worker has ended, as in some browsers it does with the tab that started it: on to the next. */
function startNextWorker(hosting: Hosting): void {
  const {channel} = hosting;
  if (isOver(hosting)) return;
  if (channel) channel.end = overBroadcastChannel(channel.name, randomId());
  const reason = 'the SharedWorker before this one has ended';
  // Some browsers still connect a page to a worker that has just died.
  clock.setTimeout(() => startSharedWorker(hosting, reason), FIRST_WAIT_MS);
}

/** Connects the tab to a hub in this thread. */
export function startDirect(hosting: Hosting, reason: string): void {
  const {connection, hub, identity, context, store, left} = hosting;
  const isDefault = !hub.worker && context.url !== undefined;
  const local = hub.local ?? (isDefault ? () => defaultLocal(store) : undefined);
  if (!local) {
    const message = `the hub can't start: ${reason}; give createConnection \`hub.local\` as well`;
    return connection.fail(makeError(codes.HUB_START, message));
  }
  connection.setTopology({topology: 'direct', reason});
  const start = async () => {
    const definition = definitionIn(await local());
    const retry = retryLater();
    const attach = () => {
      if (isOver(hosting)) return;
      const localHub = definition.localHub(identity, context);
      hosting.localHub = localHub;
      localHub.onFailed(connection.tabId, () => retry(attach));
      connection.core.attach(endAt(localHub));
    };
    attach();
    left.addEventListener('abort', () => {
      if (hosting.localHub) definition.releaseLocal(hosting.localHub);
    });
  };
  start().catch((error) => {
    const cause = (error as Error)?.message ?? String(error);
    connection.fail(makeError(codes.HUB_START, `the hub can't start (${reason}): ${cause}`));
  });
}

/**
 * Calls a tab of a hub in this thread that has failed to the next one, after a wait that is twice as
 * long each time: what the tab says may be what made the hub fail.
 */
export function retryLater(): (goOn: () => void) => void {
  const nextWait = backoff(LONGEST_WAIT_MS);
  return (goOn) => clock.setTimeout(goOn, nextWait());
}

/** The tab's end of a transport to a hub in this thread. */
function endAt(hub: LocalHub): TransportEnd {
  const [tabEnd, hubEnd] = directPair();
  hub.acceptDirect(hubEnd);
  return overDirect(tabEnd);
}

function definitionIn(module: unknown): HubDefinition {
  let found: any = module;
  // A CommonJS module imported as an ES module may be wrapped more than once.
  for (let depth = 0; depth < 2 && !isDefinition(found); depth++) found = found?.default;
  if (isDefinition(found)) return found;
  throw makeError(
    codes.OPTION_INVALID,
    '`hub.local` must load a module whose default export is made by defineHub',
  );
}

/** By its methods: a bundle of its own has a class of its own. */
function isDefinition(value: any): value is HubDefinition {
  return typeof value?.hub === 'function' && typeof value?.introduce === 'function';
}

/** The worker knows by its name whether its hub is to have a store. */
function defaultWorker({identity, context, store}: Hosting): SharedWorker {
  const name = `${store ? WITH_STORE : 'tabmux'} ${identity} ${context.url}`;
  return new SharedWorker(new URL('./worker.js', import.meta.url), {type: 'module', name});
}

async function defaultLocal(store: boolean): Promise<unknown> {
  const hubs = await import('../worker.js');
  return store ? hubs.withStore : hubs.default;
}
