import type {Connection} from 'sharedb/lib/client/index.js';
import {HubCore, type ListenerEnd, overJsTransport, type TransportEnd} from '../../wasm/tabmux.js';
import {Emitter} from '../emitter.js';
import {type CoreError, toError} from '../errors.js';
import {tabLock} from '../locks.js';
import {nextTick} from '../next-tick.js';
import type {CustomTransport} from '../options.js';
import type {HubOptions} from './define.js';
import {UpstreamAdapter} from './upstream.js';

let lastEpoch = 0;

/** Larger for each hub than for all before it, in this thread and in others. */
function newEpoch(): number {
  lastEpoch = Math.max(lastEpoch + 1, Date.now());
  return lastEpoch;
}

/** The events of a hub. */
export interface HubEvents {
  /** The tab with this id has come. */
  joined: (tab: string) => void;
  /** The tab with this id is gone. */
  left: (tab: string) => void;
  /** There is no tab any more. */
  idle: () => void;
  /** Something that a tab sent was dropped. */
  fault: (error: any) => void;
}

/** The single owner of the connection to the server, for the tabs of one identity. */
export class Hub extends Emitter<HubEvents> {
  readonly #core: HubCore;
  readonly #upstream: UpstreamAdapter;
  #closed = false;
  #endsWhenIdle = false;

  /** @internal Use `defineHub`. */
  constructor(options: Required<HubOptions>, identity: string) {
    super();
    const connect = (context: object) => options.connect({...context, identity});
    const {map} = options.types;
    this.#upstream = new UpstreamAdapter(connect, map, (event) => {
      if (!this.#closed) this.#core.upstreamEvent(event);
    });
    const lineage = crypto.randomUUID();
    const settings = {identity, epoch: newEpoch(), lineage, linger: options.linger};
    this.#core = new HubCore(settings, map, this.#upstream, {
      joined: (tab: string) => {
        if (globalThis.navigator?.locks) {
          navigator.locks.request(tabLock(tab), () => {
            if (!this.#closed) this.#core.tabGone(tab);
          });
        }
        this.#tell('joined', tab);
      },
      left: (tab: string) => this.#tell('left', tab),
      arriving: () => this.#upstream.tellAll(),
      idle: () => this.#tell('idle'),
      fault: (error: CoreError) => this.#tell('fault', toError(error)),
    });
  }

  /** Emits outside of the core, which must not be passed by what a listener throws. */
  #tell(event: keyof HubEvents, ...values: unknown[]): void {
    nextTick(() => this.emit(event, ...values));
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
    try {
      this.acceptEnd(overJsTransport(transport));
    } catch (error) {
      throw toError(error as CoreError);
    }
  }

  /** @internal Takes a tab that comes on a built-in transport. */
  acceptEnd(end: TransportEnd): void {
    this.#core.accept(end);
  }

  /** @internal Takes all tabs that come on a listener. */
  listen(listener: ListenerEnd): void {
    this.#core.listen(listener);
  }

  /**
   * @internal Closes the hub once there is no tab, and the connection to the server once that has
   * answered for all the tabs did. `ending` is called when no tab may come any more.
   */
  closeWhenIdle(ending: () => void = () => {}): void {
    if (this.#endsWhenIdle) return;
    this.#endsWhenIdle = true;
    const end = () => {
      if (!this.#core.isIdle()) return;
      this.off('idle', end);
      ending();
      this.#closeToTabs();
      this.connection?.whenNothingPending(() => this.close());
    };
    this.on('idle', end);
    end();
  }

  /** Closes the connection to the server and to all tabs. */
  close(): void {
    this.#closeToTabs();
    this.#upstream.close();
  }

  #closeToTabs(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.close();
  }
}
