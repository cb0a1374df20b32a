import {initSync} from '../../wasm/tab/tabmux_tab.js';
import text from '../../wasm/tab/tabmux_tab.wasm.txt';
import {wasmOfText} from '../shared/wasm-text.js';

initSync({module: wasmOfText(text)});
