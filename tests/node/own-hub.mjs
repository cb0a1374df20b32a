// A hub that the test defines, and tabs that reach it by transport objects.
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {closing, newPair} from './support.mjs';

/** A hub of the server; the options are those of `defineHub`. */
export function newHub(backend, options) {
  return closing(defineHub({connect: () => backend.connect(), ...options}).hub());
}

/** A tab of the hub, and the two ends of the transport between them. */
export function openTab(hub, options, guarantees) {
  const [tabEnd, hubEnd] = newPair(guarantees);
  hub.accept(hubEnd);
  const tab = closing(createConnection({transport: tabEnd, ...options}));
  return {tab, tabEnd, hubEnd};
}
