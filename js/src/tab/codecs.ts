import {type CustomCodec, coreCodec} from '../shared/plugins.js';
import type {Cbor, Entry} from './entry.js';

let cbor: Cbor | undefined;

/** Gets what the codec needs, unless it is there; returns a promise if that takes time. */
export function loadCodec(
  codec: string | CustomCodec | undefined,
  entry: Entry,
): Promise<void> | void {
  if (codec !== 'cbor' || cbor) return;
  const found = entry.cbor();
  const keep = (it: Cbor) => {
    cbor = it;
  };
  return found instanceof Promise ? found.then(keep) : keep(found);
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
  if (!cbor) throw new Error('it is not loaded');
  return cbor;
}
