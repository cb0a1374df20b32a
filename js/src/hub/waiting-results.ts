import type {DocId} from '../../wasm/hub/tabmux_hub.js';
import type {Answer, WholeConnection} from './sharedb.js';

/** A state of a document, as a query has found it. */
interface Found {
  c?: string;
  d: string;
}

/** What the server says of a query. */
interface Results extends Answer {
  data?: Found[] | {[id: string]: {c?: string}};
  diff?: {values?: Found[]}[];
}

/**
 * The results of queries, which wait until the store was asked for their documents, and all that the
 * server says after them: ShareDB brings a document up to date from the version that it has.
 */
export class WaitingResults {
  /** Oldest first. */
  readonly #held: Answer[] = [];
  readonly #hasAtHand: (docs: DocId[]) => boolean;
  #isTaking = false;

  /** `hasAtHand`: whether the documents were read; has them read. */
  constructor(hasAtHand: (docs: DocId[]) => boolean) {
    this.#hasAtHand = hasAtHand;
  }

  /** Whether the message waits for `takeAll`. */
  holds(connection: WholeConnection, answer: Answer): boolean {
    const isFirst = this.#held.length === 0 && !this.#isTaking;
    if (isFirst && documentsIn(connection, answer).length === 0) return false;
    this.#held.push(answer);
    return true;
  }

  /** Hands over what need not wait any more. */
  takeAll(connection: WholeConnection, take: (answer: Answer) => void): void {
    if (this.#isTaking) return;
    this.#isTaking = true;
    try {
      let answer = this.#held[0];
      while (answer && this.#hasAtHand(documentsIn(connection, answer))) {
        this.#held.shift();
        take(answer);
        answer = this.#held[0];
      }
    } finally {
      this.#isTaking = false;
    }
  }

  /** The connection is lost: ShareDB asks again. */
  forget(): void {
    this.#held.length = 0;
  }
}

/** The documents of which the message has the states that a query found. */
function documentsIn(connection: WholeConnection, answer: Answer): DocId[] {
  const {id, data = [], diff = []} = answer as Results;
  const query = connection.queries[String(id)];
  if (!query) return [];
  const {collection} = query;
  const found = Array.isArray(data)
    ? [...data, ...diff.flatMap(({values = []}) => values)].map(({c, d}) => [c, d] as const)
    : Object.entries(data).map(([d, {c}]) => [c, d] as const);
  return found.map(([c = collection, id]) => ({collection: c, id}));
}
