import start, {type InitInput} from '../wasm/hub/tabmux_hub.js';

export * from './hub/api.js';
export type {InitInput};

/**
 * Loads the hub's WebAssembly module by URL; must be awaited before a tab comes.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: InitInput | Promise<InitInput>): Promise<void> {
  await start({module_or_path: source ?? new URL('./tabmux_hub.wasm', import.meta.url)});
}
