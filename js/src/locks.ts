/** The name of the Web Lock that a tab holds while it lives. */
export function tabLock(tabId: string): string {
  return `tabmux:tab:${tabId}`;
}

/**
 * Holds this tab's lock and calls back once it does. Returns what lets it go.
 *
 * Where there are no Web Locks, as in Node, it calls back at once: there a hub learns of a tab's
 * end from its transport.
 */
export function holdTabLock(tabId: string, held: () => void): () => void {
  if (!globalThis.navigator?.locks) {
    held();
    return () => {};
  }
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  navigator.locks.request(tabLock(tabId), () => {
    held();
    return released;
  });
  return release;
}
