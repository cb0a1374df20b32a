import start, {type InitInput} from '../wasm/tabmux.js';

export * from './api.js';
export * from './hub/api.js';

/**
 * Loads the WebAssembly module by URL; must be awaited before anything else is called.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: InitInput | Promise<InitInput>): Promise<void> {
  await start({module_or_path: source ?? new URL('./tabmux_bg.wasm', import.meta.url)});
}
