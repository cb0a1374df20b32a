import type {Entry} from './entry.js';
import {scriptUrl} from './script-url.js';

/** What a page's bundler finds in the package: it loads the hub's half, and `cbor`, only if it must. */
export const pageEntry: Omit<Entry, 'startTab'> = {
  workerUrl() {
    try {
      // Bundlers know this expression, and some give only a path. Where they have left the worker in its place,
      // its address is taken: Vite's development server, up to version 7, moves this script to `.vite/deps`.
      const {href} = new URL('./worker.js', import.meta.url);
      const inPlace = href.replace(/\/\.vite\/deps\/worker\.js$/, '/tabmux/worker.js');
      return new URL(inPlace, globalThis.location?.href);
    } catch {
      // A classic script has no `import.meta`.
      return new URL('worker.js', scriptUrl());
    }
  },
  defaultHubs: () => import('../worker.js'),
  backendHubs: async () => (await import('../hub/backend-hubs.js')).startBackendHubs(),
  cbor: async () => (await import('./cbor.js')).startCbor(),
};
