/** The codec `cbor`: a WebAssembly module of its own. */
type Cbor = Pick<typeof import('./cbor.js'), 'encode' | 'decode'>;

let provided: Cbor | undefined;

/** Has `cbor` be there from the start. */
export function provideCbor(cbor: Cbor): void {
  provided = cbor;
}

/** Loads what the codec of this name needs, unless it is there: a page does without until it is named. */
export function loadCodec(name: string | undefined): Promise<void> | undefined {
  if (name !== 'cbor' || provided) return;
  return import('./cbor.js').then(provideCbor);
}

/** `cbor` for a connection that uses it once it is loaded. */
export const cbor: Cbor = {
  encode: (value) => loaded().encode(value),
  decode: (bytes) => loaded().decode(bytes),
};

function loaded(): Cbor {
  if (!provided) throw new Error('the codec cbor is not loaded');
  return provided;
}
