import {nextTick} from '../shared/next-tick.js';
import type {ConnectionBase} from './connection-base.js';
import {ProxyQuery, type QueryCallback, type QueryOptions, type QueryOwner} from './query.js';

/** What all queries need of the connection. */
interface QueriesOwner extends QueryOwner, Pick<ConnectionBase, 'failure'> {
  nextQueryId: number;
  readonly queries: Record<string, ProxyQuery>;
}

/** The queries of a connection that are not destroyed. */
export class ProxyQueries {
  readonly #connection: QueriesOwner;
  /** By their numbers in the core. */
  readonly #queries = new Map<number, ProxyQuery>();

  constructor(connection: QueriesOwner) {
    this.#connection = connection;
  }

  /** Asks the database. */
  add<T>(
    subscribe: boolean,
    collection: string,
    spec: any,
    options?: QueryOptions<T> | null,
    callback?: QueryCallback<T> | null,
  ): ProxyQuery<T> {
    const connection = this.#connection;
    const id = connection.nextQueryId++;
    const query = new ProxyQuery<T>(connection, id, subscribe, collection, spec, options, callback);
    connection.queries[id] = query;
    this.#queries.set(query.request, query);
    const {failure} = connection;
    if (failure) nextTick(() => query.onReady(failure, null, undefined));
    return query;
  }

  /** The query with this number in the core. */
  withNumber(request: number): ProxyQuery | undefined {
    return this.#queries.get(request);
  }

  /** The first whose results are still to come. */
  pending(): ProxyQuery | undefined {
    return Object.values(this.#connection.queries).find((query) => query.hasPending());
  }

  /** Lets go of a query. */
  forget(query: ProxyQuery): void {
    delete this.#connection.queries[query.id];
    this.#queries.delete(query.request);
  }

  /** There is no hub: nothing will be answered. Returns what tells those that wait. */
  fail(error: Error): (() => void)[] {
    return [...this.#queries.keys()].map((request) => () => {
      const query = this.#queries.get(request);
      if (query?.hasPending()) query.onReady(error, null, undefined);
    });
  }
}
