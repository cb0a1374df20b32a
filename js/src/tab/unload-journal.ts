import {backoff} from '../shared/backoff.js';
import {clock} from '../shared/clock.js';
import {type CoreError, codes, makeError, toError} from '../shared/errors.js';
import {tabLock} from '../shared/locks.js';
import {nextTick} from '../shared/next-tick.js';
import type {ConnectionBase} from './connection-base.js';

const PREFIX = 'tabmux:unload:';

/** Before the name of a store that was wiped: tabs that had not heard of it may yet leave something. */
const WIPED = 'tabmux:wiped:';

/** How long a hub is given at most that can't take it yet. */
const LONGEST_WAIT_MS = 5000;

/** How long a tab may take to end that was about to, before the store is wiped. */
const ENDING_MS = 1000;

/** What the unload journal needs of the connection. */
type UnloadJournalOwner = Pick<
  ConnectionBase,
  'ask' | 'core' | 'emit' | 'failure' | 'isOffline' | 'tabId'
>;

/**
 * What the hub may not have when a page ends: with the last page a worker may end before it has read
 * its messages. A page can write to `localStorage` until its end; the next tab of the same store finds
 * it there, and passes it on.
 */
export class UnloadJournal {
  readonly #connection: UnloadJournalOwner;
  /** Aborted when the tab leaves the hub. */
  #left = new AbortController();
  /** Ends the wait for the end of the page. */
  #listening: AbortController | undefined;
  /** Those of other tabs that are being passed on, or wait for the end of their tab, or for the hub. */
  #others = new Set<string>();
  /** The name of the store whose hub has let the tab in, if that takes unload journals. */
  #store: string | undefined;
  /** Ends the wait for a hub. */
  #setJoined = () => {};
  readonly #joined = new Promise<void>((resolve) => {
    this.#setJoined = resolve;
  });
  /** The page is about to end: what is submitted now may never leave it. */
  #isEnding = false;

  constructor(connection: UnloadJournalOwner) {
    this.#connection = connection;
    this.#listen();
  }

  #listen(): void {
    if (this.#listening || this.#connection.failure || !storage() || !globalThis.navigator?.locks)
      return;
    this.#listening = new AbortController();
    const {signal} = this.#listening;
    // Firefox may cut one listener short as it closes a tab.
    for (const event of ['pagehide', 'pagehide']) {
      globalThis.addEventListener(event, () => this.#leave(), {signal});
    }
    globalThis.addEventListener('pageshow', () => this.#return(), {signal});
    globalThis.addEventListener('storage', ({key}) => key && this.#find(key), {signal});
  }

  /** The hub has let the tab in. */
  onJoined(): void {
    if (this.#connection.isOffline) return;
    this.#listen();
    if (this.#left.signal.aborted) {
      this.#left = new AbortController();
      this.#others = new Set();
    }
    // A hub that has missed a transaction adds to the name.
    this.#store = this.#connection.core.unloadJournalStores()?.split(',')[0];
    if (this.#store) storage()?.removeItem(WIPED + this.#store);
    for (const key of keys()) this.#find(key);
    this.#setJoined();
  }

  /** There is more that the hub is to have. */
  onChanged(): void {
    this.#listen();
    if (this.#isEnding) this.#write();
  }

  /** The store was wiped. */
  onCleared(): void {
    for (const key of this.#ours()) storage()?.removeItem(key);
    if (this.#store) keep(WIPED + this.#store, '');
  }

  /** The store is about to be wiped: fails if the hub does not have all that tabs have left. */
  async passOnAll(): Promise<void> {
    await this.#joined;
    const signal = AbortSignal.timeout(ENDING_MS);
    await Promise.all(this.#ours().map((key) => this.#tellOnceGone(key, signal)));
    if (this.#ours().length === 0 || this.#left.signal.aborted) return;
    const message =
      'the hub does not have all ops that ending tabs have left: try again, or clear with `force`';
    throw makeError(codes.STORE_PENDING, message);
  }

  /** The tab leaves the hub: others pass on what it was about to. */
  rest(): void {
    this.#left.abort();
    this.#setJoined();
    // A connection that is never opened again, and has nothing to leave, must not be kept.
    if (this.#connection.core.unloadJournal() === undefined) this.#rest();
  }

  #rest(): void {
    this.#listening?.abort();
    this.#listening = undefined;
  }

  /** No hub will have what it said, as the tab was told: no other tab may pass it on. */
  fail(): void {
    this.#left.abort();
    this.#setJoined();
    this.#rest();
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
    if (!this.#store) return;
    const journal = this.#connection.core.unloadJournal();
    if (journal === undefined) storage()?.removeItem(this.#ownKey());
    else keep(this.#ownKey(), journal);
  }

  #ownKey(): string {
    return `${PREFIX}${this.#store}:${this.#connection.tabId}`;
  }

  /** Whether it is of a tab of a hub with the same store. */
  #isOurs(key: string): boolean {
    return this.#store !== undefined && storeOf(key) === this.#store;
  }

  #ours(): string[] {
    return keys().filter((key) => this.#isOurs(key));
  }

  /** Another tab may have left this. */
  #find(key: string): void {
    const store = storeOf(key);
    const isWiped = store !== undefined && storage()?.getItem(WIPED + store) === '';
    if (isWiped) storage()?.removeItem(key);
    else this.#passOn(key);
  }

  /** Passes on what a tab has left; again and again, if the hub can't take it yet. */
  async #passOn(key: string): Promise<void> {
    const {signal} = this.#left;
    const others = this.#others;
    const isOver = signal.aborted || others.has(key) || key === this.#ownKey();
    if (isOver || !this.#isOurs(key)) return;
    others.add(key);
    const nextWait = backoff(LONGEST_WAIT_MS);
    while (!(await this.#tellOnceGone(key, signal))) {
      await new Promise((resolve) => clock.setTimeout(resolve, nextWait()));
    }
    others.delete(key);
  }

  /** Tells it once the tab is gone for good. Returns whether there is nothing more to tell. */
  #tellOnceGone(key: string, signal: AbortSignal): Promise<boolean> {
    const tab = key.slice(key.lastIndexOf(':') + 1);
    // The signal may come first.
    return navigator.locks.request(tabLock(tab), {signal}, () => this.#tell(key)).catch(() => true);
  }

  /** Gives it to the hub; until that has it, no other tab does. */
  async #tell(key: string): Promise<boolean> {
    const journal = storage()?.getItem(key);
    const isOver = this.#left.signal.aborted || !this.#isOurs(key);
    if (typeof journal !== 'string' || isOver) return true;
    let request: number;
    try {
      request = this.#connection.core.passOn(journal);
    } catch (error) {
      // Tabs of newer code, which may have left it, will pass it on.
      nextTick(() => this.#connection.emit('fault', toError(error as CoreError)));
      return true;
    }
    if (!(await this.#isTaken(request))) return false;
    // What the tab wrote last may come to this process later than its end.
    if (storage()?.getItem(key) !== journal) return this.#tell(key);
    storage()?.removeItem(key);
    return true;
  }

  /** Whether the hub has taken what it was given. */
  #isTaken(request: number): Promise<boolean> {
    const {signal} = this.#left;
    return new Promise((resolve) => {
      const giveUp = () => {
        this.#connection.core.forget(request);
        resolve(false);
      };
      signal.addEventListener('abort', giveUp);
      this.#connection.ask(request, (error) => {
        signal.removeEventListener('abort', giveUp);
        resolve(!error);
      });
    });
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

/** The name of the store of what a tab has left. */
function storeOf(key: string): string | undefined {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length, key.lastIndexOf(':')) : undefined;
}

function keep(key: string, value: string): void {
  try {
    storage()?.setItem(key, value);
  } catch {
    // There is no room: the hub may still hear what was to be left.
  }
}
