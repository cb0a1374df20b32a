import {codes, makeError} from '../shared/errors.js';
import {type CustomCodec, type CustomLayer, checkCodec, checkLayer} from '../shared/plugins.js';
import type {StoreOptions} from '../shared/store-options.js';
import type {BuiltInTransport, CustomTransport} from '../shared/transport.js';

/** One layer of the middleware: its name, its name and options, or one of your own. Times are in milliseconds. */
export type Layer =
  | 'batching'
  | 'coalescing'
  | 'timeouts'
  | 'ordering'
  | 'retries'
  | 'tracing'
  | {layer: 'batching'; maxMessages?: number}
  | {layer: 'coalescing'; window?: number}
  | {layer: 'timeouts'; after?: number}
  | {layer: 'ordering'; maxHeld?: number}
  | {layer: 'retries'; initial?: number; max?: number; ackDelay?: number}
  | {layer: 'tracing'}
  | CustomLayer;

/** Whether it is written in JavaScript. */
export function isCustomLayer(layer: Layer): layer is CustomLayer {
  return isObject(layer) && 'name' in (layer as object);
}

/** A message that passed the `tracing` layer. */
export interface TraceEvent {
  /** Away from this tab, or towards it. */
  direction: 'out' | 'in';
  /** When it passed, in milliseconds since 1970. */
  time: number;
  /** The length of the message as JSON text. */
  size: number;
  /** The message: `{type, body}`. */
  message: {type: string; body?: unknown};
}

/** Where the hub is. */
export interface HubLocation {
  /** Makes the SharedWorker that runs the hub's module. */
  worker?: () => SharedWorker;
  /** Loads the same module into this thread, for a page that can't have the worker. */
  local?: () => Promise<unknown>;
}

interface CommonOptions {
  /** How values are written into frames; `structured-clone` by default. */
  codec?: 'structured-clone' | 'json' | 'cbor' | CustomCodec;
  /** The layers, from the application down to the transport; by default those the transport needs. */
  middleware?: Layer[];
  /** Hears of every message; adds the layer `tracing` if `middleware` is not given. */
  trace?: (event: TraceEvent) => void;
  /** Whose data this is. Identities never share a hub. */
  identity?: string;
  /** ShareDB's type registry; by default that of the npm package `sharedb`. */
  types?: {map: {[name: string]: any}; defaultType: any};
  /** `false` for a direct connection, without a SharedWorker. */
  useSharedWorker?: boolean;
}

/** The options of `createConnection(options)`. */
export interface ConnectionOptions extends CommonOptions {
  /** The address of the server; given to the hub's `connect`. */
  url?: string;
  /** Whatever the hub's `connect` needs to be let in by the server. */
  auth?: unknown;
  /** Where the hub is; may be left out if `url` is given and json0 is enough. */
  hub?: HubLocation;
  /** Whether the hub at `url` keeps documents across restarts; a hub of your own says so itself. */
  store?: boolean;
  /** How the tab reaches the hub; `message-port` by default. */
  transport?: BuiltInTransport | CustomTransport;
}

/** The options of `createConnection(backend, options)`. */
export interface BackendOptions extends CommonOptions {
  /** How the tab reaches the hub in this thread. */
  transport?: 'direct' | BuiltInTransport;
  /** Calls of the same name share a hub; without one, those of one backend, identity and store do. */
  name?: string;
  /** Whether and how the hub keeps documents across restarts; of the calls that share a hub, the first says so. */
  store?: boolean | StoreOptions;
}

type Check = (value: any) => boolean;

const isObject: Check = (value) => typeof value === 'object' && value !== null;
const isFunction: Check = (value) => typeof value === 'function';
const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const oneOf =
  (...names: string[]): Check =>
  (value) =>
    names.includes(value);

const common: Record<keyof CommonOptions, [Check, string]> = {
  codec: [
    (codec) => isString(codec) || isObject(codec),
    '"structured-clone", "json", "cbor" or a codec object',
  ],
  middleware: [Array.isArray, 'a list of layers'],
  trace: [isFunction, 'a function'],
  identity: [isString, 'a string'],
  types: [(types) => isObject(types) && isObject(types.map), "ShareDB's `types`"],
  useSharedWorker: [isBoolean, 'true or false'],
};

const ofConnection: Record<keyof ConnectionOptions, [Check, string]> = {
  ...common,
  url: [isString, 'a string'],
  auth: [() => true, 'anything'],
  hub: [
    (hub) =>
      isObject(hub) &&
      Object.keys(hub).every((key) => oneOf('worker', 'local')(key) && isFunction(hub[key])),
    'an object of the functions `worker` and `local`',
  ],
  store: [isBoolean, 'true or false: a hub of your own takes options, in `defineHub`'],
  transport: [
    (transport) =>
      oneOf('message-port', 'broadcast-channel')(transport) ||
      (isObject(transport) && isFunction(transport.send)),
    '"message-port", "broadcast-channel" or a transport object, with the methods send and close',
  ],
};

const ofBackend: Record<keyof BackendOptions, [Check, string]> = {
  ...common,
  transport: [
    oneOf('direct', 'message-port', 'broadcast-channel'),
    '"direct", "message-port" or "broadcast-channel"',
  ],
  name: [isString, 'a string'],
  // Looked at more closely where the hub is made.
  store: [(store) => isBoolean(store) || isObject(store), 'true, false or an object of options'],
};

function check(options: CommonOptions, known: Record<string, [Check, string]>): void {
  if (typeof options !== 'object') {
    const message = `createConnection is given ${JSON.stringify(options)}; it needs an object of options`;
    throw makeError(codes.OPTION_INVALID, message);
  }
  for (const [name, value] of Object.entries(options)) {
    const rule = known[name];
    if (!rule) {
      const names = Object.keys(known).join(', ');
      throw makeError(codes.OPTION_UNKNOWN, `unknown option \`${name}\`; the options are ${names}`);
    }
    const [fits, expected] = rule;
    if (value !== undefined && !fits(value)) {
      const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
      throw makeError(
        codes.OPTION_INVALID,
        `option \`${name}\` is ${shown}; it must be ${expected}`,
      );
    }
  }
  const {codec, middleware = []} = options;
  if (isObject(codec)) checkCodec('codec', codec);
  middleware.forEach((layer, at) => {
    if (isCustomLayer(layer)) checkLayer(`middleware[${at}]`, layer);
  });
}

/** Throws an error that names the first option that is unknown or out of its range. */
export function checkConnectionOptions(options: ConnectionOptions): void {
  check(options, ofConnection);
}

/** Throws an error that names the first option that is unknown or out of its range. */
export function checkBackendOptions(options: BackendOptions): void {
  check(options, ofBackend);
}
