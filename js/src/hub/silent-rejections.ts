import {codeOf, codes} from '../shared/errors.js';
import type {WholeDoc} from './sharedb.js';

/**
 * Knows when the server answers for a document that it does not show it, and is not to say so: ShareDB
 * calls back without an error then, as if the document had been loaded.
 */
export class SilentRejections {
  readonly #errors = new WeakMap<WholeDoc, unknown>();

  watch(doc: WholeDoc): void {
    for (const method of ['_handleFetch', '_handleSubscribe'] as const) {
      const handle = doc[method];
      doc[method] = (error, snapshot) => {
        if (codeOf(error) === codes.READ_SILENTLY_REJECTED) this.#errors.set(doc, error);
        try {
          handle.call(doc, error, snapshot);
        } finally {
          this.#errors.delete(doc);
        }
      };
    }
  }

  /** What the server has answered, while ShareDB calls back. */
  by(doc: WholeDoc): unknown {
    return this.#errors.get(doc);
  }
}
