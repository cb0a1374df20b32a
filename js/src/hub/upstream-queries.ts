import type {Doc, Query} from 'sharedb/lib/client/index.js';
import type {QueryDiff, QuerySpec, UpstreamEvent} from '../../wasm/hub/tabmux_hub.js';
import {nextTick} from '../shared/next-tick.js';
import {copied, nameOf, serialized} from './document-state.js';
import type {WholeConnection} from './sharedb.js';

/** ShareDB's queries behind the hub, by the numbers that the core gives them. */
export class UpstreamQueries {
  readonly #queries = new Map<number, Query>();
  readonly #emit: (event: UpstreamEvent) => void;
  readonly #adopt: (doc: Doc) => void;

  /** `adopt` takes a document that a query has found. */
  constructor(emit: (event: UpstreamEvent) => void, adopt: (doc: Doc) => void) {
    this.#emit = emit;
    this.#adopt = adopt;
  }

  start(
    connection: WholeConnection,
    id: number,
    {collection, query, options, subscribe}: QuerySpec,
  ): void {
    const create = subscribe ? connection.createSubscribeQuery : connection.createFetchQuery;
    // ShareDB would take them for documents.
    const {results: _, ...rest} = (options ?? {}) as {results?: unknown};
    let failure: unknown;
    const upstream = create.call(
      connection,
      collection,
      query,
      options ? rest : undefined,
      (error) => {
        failure = error;
      },
    );
    this.#queries.set(id, upstream);
    // ShareDB has given up a query that failed, the first time or after the server was away.
    const isAlive = () => connection.queries[upstream.id] === upstream;
    upstream.on('error', (error: unknown) => {
      if (isAlive()) this.#emit({type: 'queryFailed', query: id, error});
      else failure = error;
    });
    upstream.on('ready', () =>
      // Whether there was an error is known right after.
      nextTick(() => {
        if (!this.#queries.has(id)) return;
        if (!subscribe && isAlive()) upstream.destroy();
        if (!isAlive()) this.#queries.delete(id);
        if (failure) {
          // The server may not know that it has failed.
          upstream.destroy();
          return this.#emit({type: 'queryReady', query: id, error: failure});
        }
        this.#keepAll(upstream.results ?? []);
        const {results, extra} = upstream;
        this.#emit({type: 'queryReady', query: id, docs: results?.map(nameOf), extra});
      }),
    );
    if (subscribe) this.#watchQuery(id, upstream);
  }

  /**
   * Documents may have been given up while they were found: those are kept, or made anew as they
   * were found.
   */
  #keepAll(docs: Doc[]): void {
    for (const [at, found] of docs.entries()) {
      const doc = found.connection.get(found.collection, found.id);
      if (doc !== found && doc.version === null) {
        const {version, type} = found;
        const data = copied(serialized(found));
        doc.ingestSnapshot({v: version, type: type?.uri ?? null, data} as never, () => {});
        // What has happened since was not for a document that was not there.
        doc.fetch(() => {});
      }
      docs[at] = doc;
      this.#adopt(doc);
    }
  }

  #watchQuery(id: number, query: Query): void {
    let diff: QueryDiff[] = [];
    query.on('insert', (docs: Doc[], index: number) => {
      this.#keepAll(docs);
      diff.push({type: 'insert', index, docs: docs.map(nameOf)});
    });
    query.on('remove', (docs: Doc[], index: number) => {
      diff.push({type: 'remove', index, count: docs.length});
    });
    query.on('move', (docs: Doc[], from: number, to: number) => {
      diff.push({type: 'move', from, to, count: docs.length});
    });
    query.on('changed', () => {
      this.#emit({type: 'queryChanged', query: id, diff});
      diff = [];
    });
    query.on('extra', (extra: unknown) => this.#emit({type: 'queryExtra', query: id, extra}));
  }

  end(id: number): void {
    this.#queries.get(id)?.destroy();
    this.#queries.delete(id);
  }
}
