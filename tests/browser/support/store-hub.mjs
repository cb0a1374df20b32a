// A hub with a store, as the query of its worker's address describes it.
import './store-faults.mjs';
import {defineHub} from 'tabmux/hub';
import {connect} from './connect.mjs';

const query = new URLSearchParams(location.search);
const channel = new BroadcastChannel('hubs');

/** The same key for the same password. */
async function keyOf(password) {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(password));
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

const password = query.get('password');
const definition = defineHub({
  connect: (context) => {
    definition.hub(context.identity).on('fault', ({code, message}) => {
      channel.postMessage({fault: {code, message}, hub: query.get('hub')});
    });
    return connect(context);
  },
  store: password === null ? true : {encryption: () => keyOf(password)},
});

export default definition;
