/** Where a WebAssembly module is, or its bytes, or the module itself. */
export type WasmSource = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

/** The compiled module. */
export async function loadWasm(
  source: WasmSource | Promise<WasmSource>,
): Promise<WebAssembly.Module> {
  const given = await source;
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
