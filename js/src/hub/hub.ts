import type {Connection} from 'sharedb/lib/client/index.js';
import {
  HubCore,
  type HubHandler,
  listenOnBroadcastChannel,
  overDirect,
  overJsTransport,
  type Policy,
  type TransportEnd,
  type UpstreamEvent,
} from '../../wasm/hub/tabmux_hub.js';
import type {ConnectContext, TabContext} from '../shared/context.js';
import {Emitter} from '../shared/emitter.js';
import {type CoreError, toError} from '../shared/errors.js';
import {tabLock, tabsWithLock} from '../shared/locks.js';
import {nextTick} from '../shared/next-tick.js';
import {type CustomCodec, type CustomLayer, coreCodec, layerCaller} from '../shared/plugins.js';
import {randomId} from '../shared/random-id.js';
import type {StoreOptions} from '../shared/store-options.js';
import type {CustomTransport} from '../shared/transport.js';
import {isInCore, watchCore} from '../shared/trap.js';
import type {HubOptions} from './options.js';
import {type FoundStore, findStore, keeps} from './store.js';
import {UpstreamAdapter} from './upstream.js';
import {endWorker} from './worker-scope.js';

let lastEpoch = 0;

/** Larger for each hub than for all before it, in this thread and in others. */
function newEpoch(): number {
  lastEpoch = Math.max(lastEpoch + 1, Date.now());
  return lastEpoch;
}

/** A hub definition's options, in full. */
export interface HubSettings extends Required<Omit<HubOptions, 'store'>> {
  store: StoreOptions | undefined;
}

/** The events of a hub. */
export interface HubEvents {
  /** The tab with this id has come. */
  joined: (tab: string) => void;
  /** The tab with this id is gone. */
  left: (tab: string) => void;
  /** There is no tab any more. */
  idle: () => void;
  /** The store was wiped: the hub keeps nothing any more. */
  cleared: () => void;
  /** Something that a tab sent was dropped. */
  fault: (error: any) => void;
}

/** The single owner of the connection to the server, for the tabs of one identity. */
export class Hub extends Emitter<HubEvents> {
  /** Once the store, if there is one, is open. */
  #core: HubCore | undefined;
  #found: FoundStore | undefined;
  /** What waits for that. */
  readonly #waiting: ((core: HubCore) => void)[] = [];
  readonly #options: HubSettings;
  readonly #identity: string;
  readonly #upstream: UpstreamAdapter;
  /** Whether a tab may hold its Web Lock where it can't be seen: in another process, or origin. */
  #hasDistantTabs = false;
  #hasToldOfKeep = false;
  #cleared = false;
  #closed = false;
  #failed = false;
  /** What the tabs of this thread do once it has failed, by their ids. */
  readonly #survivors = new Map<string, () => void>();
  /** The broadcast channels on which it listens. */
  readonly #channels = new Set<string>();
  /** If the hub is to rest once it is idle: what to call then. */
  #resting: (() => void) | undefined;
  /** What waits for the end of each tab, by its Web Lock. */
  readonly #watched = new Map<string, object>();
  readonly #layers: CustomLayer[] = [];

  /** @internal Use `defineHub`. */
  constructor(options: HubSettings, context: ConnectContext) {
    super();
    const {identity} = context;
    const {store} = options;
    this.#options = options;
    this.#identity = identity;
    const connect = (context: object) => options.connect({...context, identity});
    const tell = (event: UpstreamEvent) => {
      if (!this.#closed) this.#core?.upstreamEvent(event);
    };
    this.#upstream = new UpstreamAdapter(connect, options.types.map, tell, {
      holdsOps: store !== undefined,
      canTell: () => this.#core?.isStalled() === false,
      hasAtHand: (docs) => this.#core?.hasAtHand(docs) === true,
    });
    this.on('idle', () => this.#restIfIdle());
    this.addPlugins(options);
    const epoch = newEpoch();
    if (store) findStore(store, context, epoch).then((found) => this.#start(epoch, found));
    else this.#start(epoch);
  }

  #start(epoch: number, found?: FoundStore): void {
    const {linger, store, types} = this.#options;
    const settings = {
      identity: this.#identity,
      epoch,
      lineage: randomId(),
      linger,
      policy: store && policyOf(store),
    };
    const handler = this.#handler(found);
    const core = new HubCore(settings, types.map, this.#upstream, handler, found?.store);
    this.#core = core;
    this.#found = found;
    watchCore(core, this, true);
    if (found?.failure) core.tellStoreFailure(found.failure);
    if (found) this.#awaitTabs();
    for (const act of this.#waiting.splice(0)) act(core);
    if (this.#closed) this.#closeCore();
    this.#upstream.tellAll();
  }

  /** Tabs of an earlier hub have documents open, of which this one hears as they come back. */
  async #awaitTabs(): Promise<void> {
    const tabs = [...(await tabsWithLock())];
    this.#withCore((core) => this.#closed || core.awaitTabs(tabs));
  }

  /** Acts now, or once the store is open and the core does not wait for the caller itself. */
  #withCore(act: (core: HubCore) => void): void {
    if (isInCore()) queueMicrotask(() => this.#withCore(act));
    else if (this.#core) act(this.#core);
    else this.#waiting.push(act);
  }

  /** @internal Takes codecs and layers that tabs may use; of one name the first counts. */
  addPlugins({codecs, middleware}: {codecs: CustomCodec[]; middleware: CustomLayer[]}): void {
    for (const codec of codecs) this.#withCore((core) => core.addCodec(coreCodec(codec)));
    for (const layer of middleware) {
      if (this.#layers.some(({name}) => name === layer.name)) continue;
      this.#layers.push(layer);
      this.#withCore((core) => core.addLayer(layer.name));
    }
  }

  /** What the core calls. */
  #handler(found?: FoundStore): HubHandler {
    return {
      layer: layerCaller(
        this.#layers,
        (...passed) => this.#core?.pass(...passed),
        (error) => this.#tell('fault', error),
      ),
      joined: (tab) => {
        // Of one that can't be watched the transport tells when it is gone, and only that.
        this.#watchTab(tab).catch(() => {});
        this.#tell('joined', tab);
      },
      expected: (tab) => {
        this.#watchTab(tab).catch(() => this.#core?.cannotWatch(tab));
      },
      left: (tab) => this.#tell('left', tab),
      tellUpstreamEvents: () => this.#upstream.tellAll(),
      idle: () => this.#tell('idle'),
      drained: () => this.#restIfIdle(),
      fault: (error) => this.#tell('fault', toError(error)),
      fenced: (error) => {
        this.#closeToTabs(error.message);
        this.#upstream.close();
        this.#tell('fault', toError(error));
      },
      storeClosed: () => found?.release(),
      cleared: () => {
        this.#cleared = true;
        // The next hub may have the store while this one sends what it has.
        this.#found?.leave();
        this.#found?.release();
        this.#found = undefined;
        this.#tell('cleared');
      },
      keeps: (collection, id) => {
        try {
          return keeps(this.#options.store ?? {}, collection, id);
        } catch (error) {
          this.#tellOfKeep(error);
          return false;
        }
      },
      room: async () => (await found?.room()) ?? {},
    };
  }

  /** Tells the tabs, once, that the application's `keep` fails: the core asks it again and again. */
  #tellOfKeep(error: unknown): void {
    if (this.#hasToldOfKeep) return;
    this.#hasToldOfKeep = true;
    nextTick(() => this.#core?.tellStoreError(error));
  }

  /** Waits for a tab's end by its Web Lock. Fails if there is no such thing, or not here. */
  async #watchTab(tab: string): Promise<void> {
    // It has come back.
    if (this.#watched.has(tab)) return;
    const watch = {};
    this.#watched.set(tab, watch);
    try {
      if (this.#hasDistantTabs && !(await tabsWithLock()).has(tab)) {
        throw new Error('nobody holds its Web Lock here');
      }
      await navigator.locks.request(tabLock(tab), () => {
        if (this.#watched.get(tab) !== watch) return;
        this.#watched.delete(tab);
        this.#core?.tabGone(tab);
      });
    } catch (error) {
      this.#watched.delete(tab);
      throw error;
    }
  }

  /** @internal The tab lets go of its Web Lock, and may come back. */
  unwatch(tab: string): void {
    this.#watched.delete(tab);
    this.#survivors.delete(tab);
  }

  /** Emits outside of the core, which must not be passed by what a listener throws. */
  #tell(event: keyof HubEvents, ...values: unknown[]): void {
    nextTick(() => this.emit(event, ...values));
  }

  /** @internal Whether it takes no tab any more, for instance since another hub has its store. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** @internal Whether its store was wiped: it keeps nothing any more. */
  get isCleared(): boolean {
    return this.#cleared;
  }

  /** @internal Whether it keeps nothing any more, and nobody is here that still uses it. */
  get isDeserted(): boolean {
    return this.#cleared && this.#core?.hasTabs() !== true;
  }

  /** The connection to the server, once the first tab has come. */
  get connection(): Connection | undefined {
    return this.#upstream.connection;
  }

  /** @internal Connects to the server before the first tab has come. */
  connect(): void {
    try {
      this.#upstream.connect({});
    } catch {
      // The first tab is told, as it makes the hub try again.
    }
  }

  /** Takes a tab that comes on a transport written in JavaScript. */
  accept(transport: CustomTransport): void {
    this.#hasDistantTabs = true;
    try {
      this.acceptEnd(overJsTransport(transport));
    } catch (error) {
      throw toError(error as CoreError);
    }
  }

  /** @internal Takes a tab of this thread. */
  acceptDirect(end: CustomTransport): void {
    this.acceptEnd(overDirect(end));
  }

  /** @internal Takes a tab that comes on a built-in transport. */
  acceptEnd(end: TransportEnd): void {
    if (this.#failed) end.free();
    else this.#withCore((core) => core.accept(end));
  }

  /** @internal Takes all tabs that come on a broadcast channel. */
  listenOn(channel: string): void {
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    const listener = listenOnBroadcastChannel(channel, randomId());
    this.#withCore((core) => core.listen(listener));
  }

  /** @internal Takes no tab any more that comes on a broadcast channel. */
  stopListening(): void {
    this.#channels.clear();
    this.#core?.stopListening();
  }

  /**
   * @internal Once there is no tab, and the server has answered for all the tabs did, the hub lets go of
   * the server: with a store it closes, else it rests until a tab comes. `resting` is called then, or as
   * soon as no tab may come any more.
   */
  restWhenIdle(resting: () => void): void {
    if (this.#closed) return resting();
    this.#resting = resting;
    this.#withCore(() => this.#restIfIdle());
  }

  /** @internal Takes `restWhenIdle` back: a tab with this context is about to come. */
  stayOpen(context: TabContext): void {
    this.#resting = undefined;
    this.wake(context);
  }

  /** @internal Connects to the server again, if the hub rests. */
  wake(context: TabContext): void {
    try {
      this.#upstream.wake(context);
    } catch {
      // The tab is told, as it makes the hub try again.
    }
  }

  #restIfIdle(): void {
    if (!this.#mayRest()) return;
    // An open channel would keep the process alive.
    this.stopListening();
    if (!this.#core?.isDrained()) return;
    if (this.#options.store) {
      this.#closeToTabs();
      this.connection?.whenNothingPending(() => this.close());
    } else if (this.connection) this.connection.whenNothingPending(() => this.#rest());
    else this.#rest();
  }

  #mayRest(): boolean {
    return this.#resting !== undefined && !this.#closed && this.#core?.isIdle() === true;
  }

  #rest(): void {
    // A tab may have come, or another have left meanwhile.
    if (!this.#mayRest()) return;
    const resting = this.#resting;
    this.#resting = undefined;
    this.#core?.rest();
    this.#upstream.rest();
    resting?.();
  }

  /** Closes the connection to the server and to all tabs. */
  close(): void {
    this.#closeToTabs();
    this.#upstream.close();
  }

  /** With a reason, it is for good: its tabs give up. */
  #closeToTabs(reason?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resting?.();
    this.#closeCore(reason);
  }

  #closeCore(reason?: string): void {
    this.#found?.leave();
    if (isInCore()) queueMicrotask(() => this.#core?.close(reason));
    else this.#core?.close(reason);
  }

  /**
   * @internal An exception has passed through the core, after which nothing in it holds. The hub ends
   * as if its thread had: its tabs go on with the next.
   */
  onCoreFailed(error: Error): void {
    const core = this.#core;
    if (this.#failed || !core) return;
    this.#failed = true;
    this.#core = undefined;
    this.#closed = true;
    this.#tell('fault', error);
    this.#found?.leave();
    attempt(() => core.abandon());
    this.#found?.release();
    attempt(() => this.#upstream.close());
    this.#resting?.();
    for (const goOn of this.#survivors.values()) attempt(goOn);
    endWorker();
  }

  /** @internal Calls back if the hub fails, for a tab of this thread to go on with the next one. */
  onFailed(tab: string, goOn: () => void): void {
    this.#survivors.set(tab, goOn);
  }
}

/** Goes on although it may throw: what has failed must be left altogether. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The hub has told why it ends.
  }
}

/** How the core uses the store. */
function policyOf({durability, maxAge, maxBytes}: StoreOptions): Policy {
  return {strict: durability === 'strict', maxAge, maxBytes};
}
