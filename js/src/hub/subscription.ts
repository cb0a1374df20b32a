import type {Callback, WholeDoc} from './sharedb.js';

/**
 * Calls back with each answer of the server to a subscription of the document, and why it was refused,
 * if it was. ShareDB subscribes again by itself after a reconnect, and says nothing of it unless that
 * is refused.
 */
export function watchSubscription(doc: WholeDoc, onAnswer: Callback): void {
  const handle = doc._handleSubscribe;
  doc._handleSubscribe = (error, snapshot) => {
    const request = doc.inflightSubscribe;
    if (request?.wantSubscribe) {
      // Before those who asked: a tab then hears of it as its own request ends.
      if (error) onAnswer(error);
      const {callback} = request;
      // With a callback, ShareDB emits no error.
      request.callback = (reason) => {
        callback?.(reason);
        // The document is up to date by now.
        if (!error) onAnswer(reason);
      };
    }
    handle.call(doc, error, snapshot);
    // ShareDB leaves what waits behind a refused subscription to the next connection.
    if (error) doc._flushSubscribe();
  };
}
