import {initSync} from '../wasm/hub/tabmux_hub.js';
import {loadWasm, type WasmSource} from './shared/load-wasm.js';

export * from './hub/api.js';
export {defineHub} from './hub/define.js';
export type {WasmSource} from './shared/load-wasm.js';

/**
 * Loads the hub's WebAssembly module by URL; must be awaited before a tab comes.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: WasmSource | Promise<WasmSource>): Promise<void> {
  initSync({module: await loadWasm(source ?? new URL('./tabmux_hub.wasm', import.meta.url))});
}
