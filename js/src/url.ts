import start, {type InitInput} from '../wasm/tab/tabmux_tab.js';

export * from './tab/api.js';
export type {InitInput};

/**
 * Loads the tab's WebAssembly module by URL; must be awaited before anything else is called.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: InitInput | Promise<InitInput>): Promise<void> {
  await start({module_or_path: source ?? new URL('./tabmux_tab.wasm', import.meta.url)});
}
