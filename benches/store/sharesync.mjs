import DurableStore from '@sharesync/sharedb/lib/client/durable-store';
import {IndexedDbStorage} from '@sharesync/sharedb/lib/client/storage';
import {called} from './called.mjs';
import {data, op} from './content.mjs';

// As many documents in one transaction as there are, or else to fill the store takes minutes.
const FILL_AT_ONCE = 1000;

/** The DurableStore of @sharesync/sharedb in IndexedDB. */
export async function open(name) {
  const storage = new IndexedDbStorage({namespace: name});
  const store = new DurableStore(storage, {maxBatchSize: FILL_AT_ONCE});
  await called((callback) => store.initialize(callback));
  const docs = new Map();
  // What a Doc of theirs that has its ops still pending gives to the store with each op.
  const doc = (id, data) => ({
    collection: 'docs',
    id,
    type: {name: 'json0'},
    version: 1,
    data,
    pendingOps: [],
    inflightOp: null,
    preventCompose: false,
    submitSource: false,
  });
  return {
    async fill(ids, bytes) {
      const content = data(bytes);
      const puts = ids.map((id) => {
        docs.set(id, doc(id, content));
        return called((callback) => store.putDoc(docs.get(id), callback));
      });
      await Promise.all(puts);
    },
    op(id) {
      const doc = docs.get(id);
      doc.pendingOps = [{op: op(doc.version), source: false, type: null, callbacks: []}];
      doc.version += 1;
      return () => called((callback) => store.putDoc(doc, callback));
    },
    async count() {
      const {collections} = await called((callback) => store.getInventoryMeta(callback));
      return Object.keys(collections.docs).length;
    },
    close: () => storage.db.close(),
  };
}
