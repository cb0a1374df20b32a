import start, {type InitInput} from '../wasm/tab/tabmux_tab.js';
import {codes, makeError} from './shared/errors.js';
import {noWasm} from './shared/start-wasm.js';
import {type CreateConnection, connector} from './tab/connect.js';
import {pageEntry} from './tab/page-entry.js';

export * from './tab/api.js';

let isStarted = false;

/**
 * Loads the tab's WebAssembly module by URL; must be awaited before `createConnection` is called.
 *
 * @param source where the `.wasm` file is, or its bytes, or the compiled module; by default the
 *   file beside this one
 */
export async function init(source?: InitInput | Promise<InitInput>): Promise<void> {
  const module_or_path = source ?? new URL('./tabmux_tab.wasm', import.meta.url);
  await start({module_or_path}).catch((error) => {
    throw error instanceof WebAssembly.CompileError ? noWasm(error) : error;
  });
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
