import {noWasm} from './start-wasm.js';

/** Where a WebAssembly module is, or its bytes, or the module itself. */
export type WasmSource = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

/** The compiled module. Fails with an error that says what to do where there can be none. */
export async function loadWasm(
  source: WasmSource | Promise<WasmSource>,
): Promise<WebAssembly.Module> {
  try {
    return await load(await source);
  } catch (error) {
    throw error instanceof WebAssembly.CompileError ? noWasm(error) : error;
  }
}

async function load(given: WasmSource): Promise<WebAssembly.Module> {
  const isPlace = typeof given === 'string' || given instanceof URL || given instanceof Request;
  const found = isPlace ? await fetch(given) : given;
  if (found instanceof Response) return compile(found);
  return found instanceof WebAssembly.Module ? found : WebAssembly.compile(found);
}

/** Only what is served with its type can be compiled while it comes. */
async function compile(response: Response): Promise<WebAssembly.Module> {
  const {ok, url, status, headers} = response;
  if (!ok) throw new Error(`can't load the WebAssembly module from ${url}: status ${status}`);
  return headers.get('content-type') === 'application/wasm'
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}
