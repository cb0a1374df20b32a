import {initSync} from '../../wasm/hub/tabmux_hub.js';
import text from '../../wasm/hub/tabmux_hub.wasm.txt';
import {wasmOfText} from '../shared/wasm-text.js';

initSync({module: wasmOfText(text)});
