import {initSync} from '../wasm/tab/tabmux_tab.js';
import {loadWasm, type WasmSource} from './shared/load-wasm.js';

export type {WasmSource} from './shared/load-wasm.js';
export * from './tab/api.js';

/**
 * Loads the tab's WebAssembly module by URL; must be awaited before anything else is called.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: WasmSource | Promise<WasmSource>): Promise<void> {
  initSync({module: await loadWasm(source ?? new URL('./tabmux_tab.wasm', import.meta.url))});
}
