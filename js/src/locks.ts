const PREFIX = 'tabmux:tab:';

/** The name of the Web Lock that a tab holds while it lives. */
export function tabLock(tabId: string): string {
  return PREFIX + tabId;
}

/** The tab whose lock has this name. */
export function tabOfLock(name: string): string | undefined {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}

/**
 * Holds this tab's lock until `left` is aborted, and calls back once it does.
 *
 * Where there are no Web Locks, as in Node, it calls back at once: there a hub learns of a tab's
 * end from its transport.
 */
export function holdTabLock(tabId: string, left: AbortSignal, held: () => void): void {
  if (!globalThis.navigator?.locks) return held();
  const released = new Promise<void>((resolve) => {
    left.addEventListener('abort', () => resolve());
  });
  navigator.locks.request(tabLock(tabId), () => {
    held();
    return released;
  });
}
