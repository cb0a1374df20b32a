import {initSync} from '../wasm/tabmux.js';
import bytes from '../wasm/tabmux_bg.wasm';

initSync({module: bytes});
