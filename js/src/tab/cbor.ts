import {decode, encode, initSync} from '../../wasm/cbor/tabmux_cbor.js';
import text from '../../wasm/cbor/tabmux_cbor.wasm.txt';
import {startWasm} from '../shared/start-wasm.js';
import {wasmOfText} from '../shared/wasm-text.js';

let isStarted = false;

/** The codec `cbor`, started. */
export function startCbor() {
  if (!isStarted) startWasm(() => initSync({module: wasmOfText(text)}));
  isStarted = true;
  return {encode, decode};
}
