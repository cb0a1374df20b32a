/** What joins tabs to hubs over backends: a part of the hub's half. */
export type BackendHubs = typeof import('./hub/backends.js');

let provided: BackendHubs | undefined;

/** Has `createConnection(backend)` find its hub at once. */
export function provideBackendHubs(hubs: BackendHubs): void {
  provided = hubs;
}

/** Calls back with it: at once if it is there, or when it is loaded, of which a page does without. */
export function withBackendHubs(
  use: (hubs: BackendHubs) => void,
  failed: (error: unknown) => void,
): void {
  if (provided) use(provided);
  else import('./hub/backends.js').then(use).catch(failed);
}
