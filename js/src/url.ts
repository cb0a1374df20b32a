import {initSync} from '../wasm/tab/tabmux_tab.js';
import {codes, makeError} from './shared/errors.js';
import {loadWasm, type WasmSource} from './shared/load-wasm.js';
import {type CreateConnection, connector} from './tab/connect.js';
import {pageEntry} from './tab/page-entry.js';

export type {WasmSource} from './shared/load-wasm.js';
export * from './tab/api.js';

let isStarted = false;

/**
 * Loads the tab's WebAssembly module by URL; must be awaited before `createConnection` is called.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: WasmSource | Promise<WasmSource>): Promise<void> {
  initSync({module: await loadWasm(source ?? new URL('./tabmux_tab.wasm', import.meta.url))});
  isStarted = true;
}

/** Connects this tab to the hub; see {@link CreateConnection}. */
export const createConnection: CreateConnection = connector({
  ...pageEntry,
  startTab() {
    if (isStarted) return;
    throw makeError(codes.NO_WASM, 'await `init()` of tabmux/url before createConnection');
  },
});
