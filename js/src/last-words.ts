import type {ProxyConnection} from './connection.js';
import {type CoreError, toError} from './errors.js';
import {tabLock} from './locks.js';
import {nextTick} from './next-tick.js';

const PREFIX = 'tabmux:last-words:';

/**
 * What the hub may not have when a page ends: with the last page a worker may end before it has read
 * its messages. A page can write to `localStorage` until its end; the next tab of the same store finds
 * it there, and passes it on.
 */
export class LastWords {
  readonly #connection: ProxyConnection;
  readonly #left = new AbortController();
  /** Those of other tabs that are being passed on, or wait for the end of their tab. */
  readonly #others = new Set<string>();
  #prefix: string | undefined;
  /** The page is about to end: what is submitted now may never leave it. */
  #isEnding = false;

  constructor(connection: ProxyConnection) {
    this.#connection = connection;
    if (!storage() || !globalThis.navigator?.locks) return;
    const {signal} = this.#left;
    globalThis.addEventListener('pagehide', () => this.#leave(), {signal});
    globalThis.addEventListener('pageshow', () => this.#return(), {signal});
    globalThis.addEventListener('storage', ({key}) => key && this.#passOn(key), {signal});
  }

  /** The hub has let the tab in. */
  onJoined(): void {
    // A hub that has missed a transaction adds to the name.
    const store = this.#connection.core.heirs()?.split(',')[0];
    this.#prefix = store && `${PREFIX}${store}:`;
    if (this.#prefix) for (const key of keys()) this.#passOn(key);
  }

  /** There is more that the hub is to have. */
  onChanged(): void {
    if (this.#isEnding) this.#write();
  }

  /** The store was wiped. */
  onCleared(): void {
    for (const key of keys()) if (this.#isOurs(key)) storage()?.removeItem(key);
  }

  /** The tab has left the hub, which has all it said. */
  end(): void {
    this.#left.abort();
  }

  /** No hub will have what it said, as the tab was told: no other tab may pass it on. */
  fail(): void {
    this.end();
    storage()?.removeItem(this.#ownKey());
  }

  #leave(): void {
    this.#isEnding = true;
    this.#write();
  }

  /** The page was not at its end: it has all it was about to say. */
  #return(): void {
    this.#isEnding = false;
    storage()?.removeItem(this.#ownKey());
  }

  #write(): void {
    if (!this.#prefix) return;
    const words = this.#connection.core.lastWords();
    if (words === undefined) return storage()?.removeItem(this.#ownKey());
    try {
      storage()?.setItem(this.#ownKey(), words);
    } catch {
      // There is no room: the hub may still hear it.
    }
  }

  #ownKey(): string {
    return `${this.#prefix}${this.#connection.tabId}`;
  }

  /** Whether it is of a tab of a hub with the same store. */
  #isOurs(key: string): boolean {
    return this.#prefix !== undefined && key.startsWith(this.#prefix);
  }

  /** Passes on what a tab has left, once that is gone for good. */
  #passOn(key: string): void {
    const tab = key.slice(key.lastIndexOf(':') + 1);
    if (!this.#isOurs(key) || this.#others.has(key) || tab === this.#connection.tabId) return;
    this.#others.add(key);
    const {signal} = this.#left;
    navigator.locks
      .request(tabLock(tab), {signal}, () => this.#tell(key))
      .catch(() => {
        // The tab has left the hub meanwhile.
      })
      .finally(() => this.#others.delete(key));
  }

  /** Gives it to the hub; until that has it, no other tab does. */
  async #tell(key: string): Promise<void> {
    const connection = this.#connection;
    const words = storage()?.getItem(key);
    if (typeof words !== 'string' || this.#left.signal.aborted) return;
    let request: number;
    try {
      request = connection.core.passOn(words);
    } catch (error) {
      // Tabs of newer code, which may have left it, will pass it on.
      return nextTick(() => connection.emit('fault', toError(error as CoreError)));
    }
    const isTaken = await new Promise<boolean>((resolve) => {
      this.#left.signal.addEventListener('abort', () => resolve(false));
      connection.ask(request, (error) => resolve(!error));
    });
    if (!isTaken) return;
    // What the tab wrote last may come to this process later than its end.
    if (storage()?.getItem(key) !== words) return this.#tell(key);
    storage()?.removeItem(key);
  }
}

/** Where a page may write at its very end; workers and Node have no such thing. */
function storage(): Storage | undefined {
  try {
    return typeof document === 'undefined' ? undefined : globalThis.localStorage;
  } catch {
    // The page may not store anything.
    return undefined;
  }
}

function keys(): string[] {
  return Object.keys(storage() ?? {}).filter((key) => key.startsWith(PREFIX));
}
