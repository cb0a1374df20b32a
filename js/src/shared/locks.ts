const PREFIX = 'tabmux:tab:';

/** The name of the Web Lock that a tab holds while it lives. */
export function tabLock(tabId: string): string {
  return PREFIX + tabId;
}

/** The tabs whose lock is held; none where there are no Web Locks, or the browser refuses them. */
export async function tabsWithLock(): Promise<Set<string>> {
  const {locks} = globalThis.navigator ?? {};
  const {held = []} = (await locks?.query().catch(() => undefined)) ?? {};
  const tabs = held.filter(({name}) => name?.startsWith(PREFIX));
  return new Set(tabs.map(({name = ''}) => name.slice(PREFIX.length)));
}

/**
 * Holds this tab's lock until `left` is aborted, or the page ends, and calls back once it does.
 *
 * Where there are no Web Locks, as in Node, it calls back at once: there a hub learns of a tab's
 * end from its transport. So it does with the reason where the browser refuses them, as in a
 * sandboxed frame.
 */
export function holdTabLock(
  tabId: string,
  held: (refusal?: string) => void,
  left?: AbortSignal,
): void {
  if (!globalThis.navigator?.locks) return held();
  const released = new Promise<void>((resolve) => {
    left?.addEventListener('abort', () => resolve());
  });
  let isHeld = false;
  const request = navigator.locks.request(tabLock(tabId), () => {
    isHeld = true;
    held();
    return released;
  });
  request.catch((error) => {
    // What was thrown above is no refusal.
    if (isHeld) throw error;
    held(`the browser refuses Web Locks: ${(error as Error).message}`);
  });
}
