/** The hubs over backends: a part of the hub's half. */
type BackendHubs = typeof import('../hub/hub-place.js');

let provided: BackendHubs | undefined;

/** Has `createConnection(backend)` find its hub at once. */
export function provideBackendHubs(hubs: BackendHubs): void {
  provided = hubs;
}

/** They, if they are there from the start. */
export function backendHubs(): BackendHubs | undefined {
  return provided;
}

/** Loads them: a page does without until it must. */
export function loadBackendHubs(): Promise<BackendHubs> {
  return import('../hub/hub-place.js');
}
