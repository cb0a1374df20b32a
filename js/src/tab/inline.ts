import {initSync} from '../../wasm/tab/tabmux_tab.js';
import text from '../../wasm/tab/tabmux_tab.wasm.txt';
import {startWasm} from '../shared/start-wasm.js';
import {wasmOfText} from '../shared/wasm-text.js';

let isStarted = false;

/** Starts the tab's module, which is a part of the script, unless that is done. */
export function startTab(): void {
  if (isStarted) return;
  startWasm(() => initSync({module: wasmOfText(text)}));
  isStarted = true;
}
