import type {Doc} from 'sharedb/lib/client/index.js';
import type {Type} from 'sharedb/lib/sharedb.js';
import type {Head, Untold, UpstreamEvent} from '../../wasm/hub/tabmux_hub.js';
import {headOf} from './document-state.js';

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
export class EventQueue {
  readonly #tell: (event: UpstreamEvent) => void;
  readonly #canTell: () => boolean;
  readonly #events: ToldLater[] = [];
  /** Events that are being told, and how many of them are. */
  readonly #due: ToldLater[] = [];
  #told = 0;
  /** The types of the events of each document that are not told, oldest first. */
  readonly #untold = new Map<Doc, UpstreamEvent['type'][]>();
  /** The versions of documents as of the event told last; later ones wait. */
  readonly #toldVersions = new Map<Doc, number | null>();
  /** The versions and types of the documents that the core has, as it knows them once it is told all. */
  readonly #heads = new WeakMap<Doc, {version: number | null; type: Type | null}>();
  readonly #has: (doc: Doc) => boolean;

  /** `has`: whether the core has not given up the document. */
  constructor(
    tell: (event: UpstreamEvent) => void,
    canTell: () => boolean,
    has: (doc: Doc) => boolean,
  ) {
    this.#tell = tell;
    this.#canTell = canTell;
    this.#has = has;
  }

  push(doc: Doc | undefined, event: UpstreamEvent): void {
    if (this.#events.length === 0) queueMicrotask(() => this.tellAll());
    this.#events.push({event, doc, version: doc?.version ?? null});
    if (!doc) return;
    this.#noteHead(doc);
    const untold = this.#untold.get(doc);
    if (untold) untold.push(event.type);
    else this.#untold.set(doc, [event.type]);
  }

  /** Tells what waits, in order, for as long as the core can be told. */
  tellAll(): void {
    const told = this.#told;
    for (const it of this.#events.splice(0)) this.#due.push(it);
    while (this.#told < this.#due.length && this.#canTell()) {
      const it = this.#due[this.#told] as ToldLater;
      this.#told += 1;
      const {doc, version, event} = it;
      if (doc) this.#noteTold(doc, version);
      if (doc && this.#has(doc)) Object.assign(event, {head: headOf(version, doc.type)});
      this.#tell(event);
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
    this.#due.splice(0, this.#told);
    this.#told = 0;
    const waiting = new Set(this.#due.map(({doc}) => doc));
    for (const doc of this.#toldVersions.keys()) {
      if (!waiting.has(doc)) this.#toldVersions.delete(doc);
    }
  }

  /** The document's head for the core, unless the core knows of it by now or is about to be told. */
  newHead(doc: Doc): Head | undefined {
    const {version = null, type = null} = this.#heads.get(doc) ?? {};
    return version === doc.version && type === doc.type ? undefined : this.headOf(doc);
  }

  /** The document's head for the core, as of the event that it was told last. */
  headOf(doc: Doc): Head {
    this.#noteHead(doc);
    const told = this.#toldVersions.get(doc);
    return headOf(told === undefined ? doc.version : told, doc.type);
  }

  #noteHead(doc: Doc): void {
    this.#heads.set(doc, {version: doc.version, type: doc.type});
  }

  /** The core has given up the document. */
  forgetHead(doc: Doc): void {
    this.#heads.delete(doc);
  }

  /**
   * Of what the core has not been told: how many changes of the document come before its next load,
   * and whether there is one.
   */
  untold(doc: Doc | undefined): Untold {
    const types = this.#untoldOf(doc);
    const load = types.indexOf('loaded');
    const before = load < 0 ? types : types.slice(0, load);
    return {changes: before.filter((type) => type === 'changed').length, load: load >= 0};
  }

  /** Whether the core has yet to be told an event of this type of the document. */
  isToTell(doc: Doc, type: UpstreamEvent['type']): boolean {
    return this.#untoldOf(doc).includes(type);
  }

  #untoldOf(doc: Doc | undefined): UpstreamEvent['type'][] {
    return (doc && this.#untold.get(doc)) ?? [];
  }
}
