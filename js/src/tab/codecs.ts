import {type CustomCodec, coreCodec} from '../shared/plugins.js';

/** The codec `cbor`: a WebAssembly module of its own. */
type Cbor = Pick<typeof import('./cbor.js'), 'encode' | 'decode'>;

let provided: Cbor | undefined;

/** Has `cbor` be there from the start. */
export function provideCbor(cbor: Cbor): void {
  provided = cbor;
}

/** Loads what the codec needs, unless it is there: a page does without until it is named. */
export function loadCodec(codec: string | CustomCodec | undefined): Promise<void> | undefined {
  if (codec !== 'cbor' || provided) return;
  return import('./cbor.js').then(provideCbor);
}

/** What the core is given for the codec: a name that it knows, or the codec. */
export function codecOf(codec: string | CustomCodec): string | CustomCodec {
  if (typeof codec === 'object') return coreCodec(codec);
  if (codec !== 'cbor') return codec;
  return {
    name: codec,
    frames: 'bytes',
    encode: (value) => loaded().encode(value),
    decode: (bytes) => loaded().decode(bytes),
  };
}

function loaded(): Cbor {
  if (!provided) throw new Error('it is not loaded');
  return provided;
}
