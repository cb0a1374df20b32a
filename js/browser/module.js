// The classic script as an ES module: one file holds both.
import './browser.global.js';

const {cameFrom, ...tabmux} = globalThis.tabmux;
cameFrom(import.meta.url);

export const {
  Connection,
  createConnection,
  Doc,
  ProxyConnection,
  ProxyDoc,
  ProxyDocPresence,
  ProxyPresence,
  ProxyQuery,
  ProxyStore,
  Query,
  types,
} = tabmux;
