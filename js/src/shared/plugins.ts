import {codes, makeError} from './errors.js';

/**
 * A codec written in JavaScript. It must not call tabmux.
 *
 * @see https://github.com/tabmux/tabmux/blob/main/docs/plugins.md#a-codec-in-javascript
 */
export interface CustomCodec {
  /** Any name but those of tabmux's own codecs. */
  name: string;
  /** What `encode` makes. */
  frames: 'objects' | 'strings' | 'bytes';
  /** Makes a frame of a plain JSON value. May throw. */
  encode(value: any): unknown;
  /** The inverse. Throws if the frame is not one of this codec. */
  decode(frame: any): unknown;
}

/** A message as layers have it: `{type, body}`, or what the layer before has made of that. */
export type LayerMessage = any;

/**
 * A layer written in JavaScript.
 *
 * @see https://github.com/tabmux/tabmux/blob/main/docs/plugins.md#a-layer-in-javascript
 */
export interface CustomLayer {
  /** Any name but those of tabmux's own layers. */
  name: string;
  /** Takes a message on its way to the other end; `next` passes on what it makes of it. */
  send?(message: LayerMessage, next: (message: LayerMessage) => void): unknown;
  /** Takes a message from the other end. */
  receive?(message: LayerMessage, next: (message: LayerMessage) => void): unknown;
}

type Rules = Record<string, [fits: (value: unknown) => boolean, expected: string]>;

const isFunction = (value: unknown) => typeof value === 'function';
const isNameBut = (taken: string): Rules[string] => [
  (name) => typeof name === 'string' && name !== '' && !taken.split(', ').includes(name),
  `a name, other than ${taken}`,
];
const aFunction: Rules[string] = [isFunction, 'a function'];
const aFunctionOrNothing: Rules[string] = [
  (value) => value === undefined || isFunction(value),
  'a function',
];

const ofCodec: Rules = {
  name: isNameBut('structured-clone, json, cbor'),
  frames: [
    (frames) => ['objects', 'strings', 'bytes'].includes(frames as string),
    '"objects", "strings" or "bytes"',
  ],
  encode: aFunction,
  decode: aFunction,
};

const ofLayer: Rules = {
  name: isNameBut('batching, coalescing, timeouts, ordering, retries, tracing'),
  send: aFunctionOrNothing,
  receive: aFunctionOrNothing,
};

function check(option: string, plugin: any, rules: Rules): void {
  for (const [member, [fits, expected]] of Object.entries(rules)) {
    const value = plugin?.[member];
    if (fits(value)) continue;
    const message = `option \`${option}\`: \`${member}\` is ${JSON.stringify(value)}; it must be ${expected}`;
    throw makeError(codes.OPTION_INVALID, message);
  }
}

/** Throws an error that names the member at fault. */
export function checkCodec(option: string, codec: unknown): void {
  check(option, codec, ofCodec);
}

/** Throws an error that names the member at fault. */
export function checkLayer(option: string, layer: unknown): void {
  check(option, layer, ofLayer);
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

/** A codec as the core has it: nobody else has the values and the objects. */
export function coreCodec(codec: CustomCodec): CustomCodec {
  return {
    name: codec.name,
    frames: codec.frames,
    encode: (value) => codec.encode(plain(value)),
    decode: (frame) => plain(codec.decode(frame)),
  };
}

/** What the core calls to have a layer see a message. */
export function layerCaller(
  layers: readonly CustomLayer[],
  pass: (id: number, inbound: boolean, message: LayerMessage) => void,
  fault: (error: Error) => void,
): (name: string, id: number, inbound: boolean, message: LayerMessage) => void {
  return (name, id, inbound, message) => {
    const next = (passed: LayerMessage) => pass(id, inbound, passed);
    const layer = layers.find((it) => it.name === name);
    const act = inbound ? layer?.receive : layer?.send;
    if (!act) return next(message);
    (async () => act.call(layer, message, next))().catch((error) => {
      const reason = `the layer \`${name}\` dropped a message: ${error?.message ?? error}`;
      fault(Object.assign(makeError(codes.LAYER_FAILED, reason), {cause: error}));
    });
  };
}
