import fork from '@sharesync/sharedb/lib/client';
import {IndexedDbStorage} from '@sharesync/sharedb/lib/client/storage';
import {createConnection} from 'tabmux';
import {called} from './called.mjs';
import {data, op} from './content.mjs';

/** From the server's answer to the next op: stores have written what follows from the last. */
const PAUSE_MS = 30;

let hubs = 0;

/** A tab of a new hub in a SharedWorker, with the store of this identity. */
export function tabmuxClient(server, identity = '') {
  hubs += 1;
  const name = `hub ${hubs}`;
  const worker = () => new SharedWorker('/hub.js', {type: 'module', name});
  return client(createConnection({url: server, identity, hub: {worker}}), 'tabmux');
}

/** The Connection of @sharesync/sharedb, in the page, with its store. */
export async function peerClient(server) {
  const storage = new IndexedDbStorage({namespace: 'client'});
  const connection = await new Promise((resolve) => {
    const made = new fork.Connection(new WebSocket(server), {
      durableStore: {storage, onReadyCallback: () => queueMicrotask(() => resolve(made))},
    });
  });
  return client(connection, 'sharesync');
}

/** What an application sees of a connection, with documents of its own. */
function client(connection, collection) {
  const doc = (id) => connection.get(collection, id);
  const settled = () => new Promise((resolve) => connection.whenNothingPending(resolve));
  return {
    async fill(ids, bytes) {
      for (const id of ids) {
        await called((callback) => doc(id).subscribe(callback));
        await called((callback) => doc(id).create(data(bytes), callback));
      }
    },
    /** What submits one more op and waits until it is durable, once all before it is done with. */
    async op(id) {
      await settled();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const next = op(doc(id).version);
      return () => {
        doc(id).submitOp(next);
        return called((callback) => connection.putDoc(doc(id), callback));
      };
    },
    /** Waits until the document is there, which may be before the server has answered. */
    load: (id) =>
      new Promise((resolve) => {
        doc(id).once('load', resolve);
        doc(id).subscribe();
      }),
    close: () => connection.close(),
  };
}
