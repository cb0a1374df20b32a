import {readFileSync} from 'node:fs';
import {initSync as initHub} from '../../wasm/hub/tabmux_hub.js';
import {initSync as initTab} from '../../wasm/tab/tabmux_tab.js';
import {startWasm} from '../shared/start-wasm.js';

const inPackage = (file: string) => readFileSync(`${__dirname}/../${file}`);

const started = new Set<string>();

function startOnce(file: string, start: (module: {module: BufferSource}) => unknown): void {
  if (started.has(file)) return;
  const module = inPackage(file);
  startWasm(() => start({module}));
  started.add(file);
}

/** Starts the tab's module, which is a file beside, unless that is done. */
export const startTab = () => startOnce('tabmux_tab.wasm', initTab);

/** Starts the hub's module, which is a file beside, unless that is done. */
export const startHub = () => startOnce('tabmux_hub.wasm', initHub);
