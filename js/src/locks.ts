const PREFIX = 'tabmux:tab:';

/** The name of the Web Lock that a tab holds while it lives. */
export function tabLock(tabId: string): string {
  return PREFIX + tabId;
}

/** The tabs whose lock is held. */
export async function tabsWithLock(): Promise<Set<string>> {
  const {held = []} = (await globalThis.navigator?.locks?.query()) ?? {};
  const tabs = held.filter(({name}) => name?.startsWith(PREFIX));
  return new Set(tabs.map(({name = ''}) => name.slice(PREFIX.length)));
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
