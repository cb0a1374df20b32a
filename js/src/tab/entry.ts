/** The codec `cbor`: a WebAssembly module of its own. */
export type Cbor = ReturnType<typeof import('./cbor.js').startCbor>;

/** The hubs over backends: a part of the hub's half. */
export type BackendHubs = typeof import('../hub/hub-place.js');

/** The hubs of `createConnection({url})`. */
export type DefaultHubs = Pick<typeof import('../worker.js'), 'hubOf'>;

/** What an entry of the package brings along, or loads once it is needed. */
export interface Entry {
  /** Starts the tab's WebAssembly module, unless that is done. Throws if it can't. */
  startTab(): void;
  /** Where the default hub's worker is. */
  workerUrl(): URL;
  /** The hubs, for a page without SharedWorkers; `worker` is where the worker's script is. */
  defaultHubs(worker: string | URL): Promise<DefaultHubs>;
  backendHubs(): BackendHubs | Promise<BackendHubs>;
  cbor(): Cbor | Promise<Cbor>;
}
