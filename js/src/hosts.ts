import {directPair, overMessagePort, type TransportEnd} from '../wasm/tabmux.js';
import type {ProxyConnection} from './connection.js';
import {codes, makeError} from './errors.js';
import type {HubDefinition, Introduction} from './hub/define.js';
import type {HubLocation} from './options.js';

/** A tab that is looking for its hub. */
export interface Hosting {
  connection: ProxyConnection;
  hub: HubLocation;
  identity: string;
  url: string | undefined;
  /** With the transport `broadcast-channel`: its name and this tab's end. */
  channel: {name: string; end: TransportEnd} | undefined;
}

/** Connects the tab to the hub in a SharedWorker; in this thread, if that can't start. */
export function startSharedWorker(hosting: Hosting, reason: string): void {
  const {connection, hub, identity, url, channel} = hosting;
  const {core} = connection;
  let worker: SharedWorker;
  try {
    worker = (hub.worker ?? (() => defaultWorker(url, identity)))();
  } catch (error) {
    return fallBack(hosting, String((error as Error)?.message ?? error));
  }
  let ready = false;
  worker.onerror = (event) => {
    if (ready || connection.state === 'closed') return;
    ready = true;
    fallBack(hosting, (event as ErrorEvent).message || 'its script could not be loaded or run');
  };
  worker.port.onmessage = ({data}) => {
    if (data?.tabmux === 'ready') ready = true;
  };
  connection.setTopology({topology: 'shared-worker', reason});
  if (channel) {
    const hello: Introduction = {tabmux: 'broadcast-channel', identity, channel: channel.name};
    worker.port.postMessage(hello);
    core.attach(channel.end);
  } else {
    const {port1, port2} = new MessageChannel();
    const hello: Introduction = {tabmux: 'port', identity, port: port2};
    worker.port.postMessage(hello, [port2]);
    core.attach(overMessagePort(port1));
  }
}

function fallBack(hosting: Hosting, cause: string): void {
  startDirect(hosting, `the SharedWorker did not start: ${cause}`);
}

/** Connects the tab to a hub in this thread. */
export function startDirect(hosting: Hosting, reason: string): void {
  const {connection, hub, identity, url} = hosting;
  const local = hub.local ?? (url === undefined ? undefined : defaultLocal);
  if (!local) {
    const message = `the hub can't start: ${reason}; give createConnection \`hub.local\` as well`;
    return connection.fail(makeError(codes.HUB_START, message));
  }
  const [tabEnd, hubEnd] = directPair() as [TransportEnd, TransportEnd];
  connection.setTopology({topology: 'direct', reason});
  connection.core.attach(tabEnd);
  const started = async () => {
    const definition = definitionIn(await local());
    definition.hub(identity).acceptEnd(hubEnd);
  };
  started().catch((error) => {
    const cause = (error as Error)?.message ?? String(error);
    connection.fail(makeError(codes.HUB_START, `the hub can't start (${reason}): ${cause}`));
  });
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

function defaultWorker(url: string | undefined, identity: string): SharedWorker {
  const name = `tabmux ${identity} ${url}`;
  return new SharedWorker(new URL('./worker.js', import.meta.url), {type: 'module', name});
}

function defaultLocal(): Promise<unknown> {
  return import('./hub/default.js');
}
