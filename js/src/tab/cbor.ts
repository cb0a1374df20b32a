import {initSync} from '../../wasm/cbor/tabmux_cbor.js';
import text from '../../wasm/cbor/tabmux_cbor.wasm.txt';
import {wasmOfText} from '../shared/wasm-text.js';

initSync({module: wasmOfText(text)});

export {decode, encode} from '../../wasm/cbor/tabmux_cbor.js';
