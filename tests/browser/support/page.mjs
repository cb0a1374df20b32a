// What the tests call in a page, as members of `window`.
import {createConnection} from 'tabmux';
import {editAtRandom, types} from './edits.mjs';

const plain = (error) => error && {code: error.code, message: error.message};

/**
 * Connects. `hub.worker` is the path of a script; `hub.local` as well, or `true` for the hub that
 * is part of this script.
 */
window.connect = ({hub, ...options}) => {
  if (hub) options.hub = {};
  if (hub?.worker) {
    options.hub.worker = () => new SharedWorker(hub.worker, {type: 'module', name: 'hub'});
  }
  if (hub?.local) {
    options.hub.local = () => (hub.local === true ? import('./hub.mjs') : import(hub.local));
  }
  window.events = {error: [], topology: []};
  window.connection = createConnection(options);
  connection.on('error', (error) => events.error.push(plain(error)));
  connection.on('topology', (event) => events.topology.push(event));
};

window.doc = (id) => connection.get('test', id);

/** What `call` throws or gives to its callback, as `{code, message}`; null if there is no error. */
window.failure = (call) =>
  new Promise((resolve) => {
    try {
      call((error) => resolve(plain(error) ?? null));
    } catch (error) {
      resolve(plain(error));
    }
  });

/** Calls what takes a callback, and throws what that is given. */
window.done = async (call) => {
  const error = await failure(call);
  if (error) throw new Error(`${error.code}: ${error.message}`);
};

window.createDoc = (id, type) =>
  done((callback) => doc(id).create(types[type].initial, types[type].uri, callback));

window.edit = (id, type, seed, count) => editAtRandom(doc(id), type, seed, count);
