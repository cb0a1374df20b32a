import type {Doc} from 'sharedb/lib/client/index.js';

/** What happened upstream: a name, and what `bindings/hub/src/upstream.rs` expects with it. */
export type UpstreamEvent = [name: string, ...rest: unknown[]];

/** The events by which a document changes. */
const changes = new Set(['op', 'create', 'del']);

/** An event that waits to be told, with the document's version when it happened. */
interface ToldLater {
  event: UpstreamEvent;
  doc: Doc | undefined;
  version: number | null;
}

/**
 * Tells the core what happens upstream.
 *
 * The core is busy while it calls, so events are told on the next microtask, in order, or before the
 * next frame of a tab; and only while it can be told.
 */
export class Telling {
  readonly #tell: (event: UpstreamEvent) => void;
  readonly #canTell: () => boolean;
  readonly #events: ToldLater[] = [];
  /** Events that are being told, and how many of them are. */
  readonly #telling: ToldLater[] = [];
  #told = 0;
  /** The names of the events of each document that are not told, oldest first. */
  readonly #untold = new Map<Doc, string[]>();
  /** The versions of documents as of the event told last; later ones wait. */
  readonly #toldVersions = new Map<Doc, number | null>();

  constructor(tell: (event: UpstreamEvent) => void, canTell: () => boolean) {
    this.#tell = tell;
    this.#canTell = canTell;
  }

  push(doc: Doc | undefined, event: UpstreamEvent): void {
    if (this.#events.length === 0) queueMicrotask(() => this.tellAll());
    this.#events.push({event, doc, version: doc?.version ?? null});
    if (!doc) return;
    const untold = this.#untold.get(doc);
    if (untold) untold.push(event[0]);
    else this.#untold.set(doc, [event[0]]);
  }

  /** Tells what waits, in order, for as long as the core can be told. */
  tellAll(): void {
    const told = this.#told;
    for (const it of this.#events.splice(0)) this.#telling.push(it);
    while (this.#told < this.#telling.length && this.#canTell()) {
      const it = this.#telling[this.#told] as ToldLater;
      this.#told += 1;
      if (it.doc) this.#noteTold(it.doc, it.version);
      this.#tell(it.event);
    }
    if (this.#told > told) this.#forgetTold();
  }

  #noteTold(doc: Doc, version: number | null): void {
    this.#toldVersions.set(doc, version);
    const untold = this.#untold.get(doc);
    untold?.shift();
    if (untold?.length === 0) this.#untold.delete(doc);
  }

  #forgetTold(): void {
    this.#telling.splice(0, this.#told);
    this.#told = 0;
    const waiting = new Set(this.#telling.map(({doc}) => doc));
    for (const doc of this.#toldVersions.keys()) {
      if (!waiting.has(doc)) this.#toldVersions.delete(doc);
    }
  }

  /** The document's version as far as the core has been told of it. */
  versionOf(doc: Doc): number | null {
    const told = this.#toldVersions.get(doc);
    return told === undefined ? doc.version : told;
  }

  /**
   * Of what the core has not been told: how many changes of the document come before its next load,
   * and whether there is one.
   */
  untold(doc: Doc | undefined): [changes: number, load: boolean] {
    const names = this.#untoldOf(doc);
    const load = names.indexOf('loaded');
    const before = load < 0 ? names : names.slice(0, load);
    return [before.filter((name) => changes.has(name)).length, load >= 0];
  }

  /** Whether the core has yet to be told an event of this name of the document. */
  isToTell(doc: Doc, name: string): boolean {
    return this.#untoldOf(doc).includes(name);
  }

  #untoldOf(doc: Doc | undefined): string[] {
    return (doc && this.#untold.get(doc)) ?? [];
  }
}
