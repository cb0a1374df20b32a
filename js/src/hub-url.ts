import start, {type InitInput} from '../wasm/hub/tabmux_hub.js';
import {noWasm} from './shared/start-wasm.js';

export * from './hub/api.js';
export {defineHub} from './hub/define.js';

/**
 * Loads the hub's WebAssembly module by URL; must be awaited before a tab comes.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: InitInput | Promise<InitInput>): Promise<void> {
  const module_or_path = source ?? new URL('./tabmux_hub.wasm', import.meta.url);
  await start({module_or_path}).catch((error) => {
    throw error instanceof WebAssembly.CompileError ? noWasm(error) : error;
  });
}
