import {createConnection} from 'tabmux';
import {plain} from './plain.mjs';

/** Tabs of different browsers: each has a hub of its own, in this process. */
export function tabsOver(transport) {
  return (url) => createConnection({connect: () => plain(url)}, {transport});
}

/** Tabs of one browser, which share a hub in this process. */
export function siblingsOver(transport) {
  let backend;
  return (url) => {
    backend ??= {connect: () => plain(url)};
    return createConnection(backend, {transport, name: `siblings over ${transport}`});
  };
}

let people = 0;

/** Tabs of different people, who share no hub: the hub is a module, as in an application. */
export function tabOfHubModule(url) {
  people += 1;
  const identity = `person ${people}`;
  return createConnection({url, identity, hub: {local: () => import('./hub.mjs')}});
}
