import {initSync} from '../../wasm/hub/tabmux_hub.js';
import text from '../../wasm/hub/tabmux_hub.wasm.txt';
import {startWasm} from '../shared/start-wasm.js';
import {wasmOfText} from '../shared/wasm-text.js';

let isStarted = false;

/** Starts the hub's module, which is a part of the script, unless that is done. */
export function startHub(): void {
  if (isStarted) return;
  startWasm(() => initSync({module: wasmOfText(text)}));
  isStarted = true;
}
