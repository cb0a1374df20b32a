import type {Entry} from './entry.js';
import {scriptUrl} from './script-url.js';

/** What a page's bundler finds in the package: it loads the hub's half, and `cbor`, only if it must. */
export const pageEntry: Omit<Entry, 'startTab'> = {
  workerUrl() {
    try {
      // Bundlers know this expression. Where they have left the worker in its place, its address is taken:
      // Vite's development server, up to version 7, moves this script to its folder `.vite/deps`.
      const {href} = new URL('./worker.js', import.meta.url);
      return new URL(href.replace(/\/\.vite\/deps\/worker\.js$/, '/tabmux/worker.js'));
    } catch {
      // A classic script has no `import.meta`.
      return new URL('worker.js', scriptUrl());
    }
  },
  defaultHubs: () => import('../worker.js'),
  backendHubs: async () => (await import('../hub/backend-hubs.js')).startBackendHubs(),
  cbor: async () => (await import('./cbor.js')).startCbor(),
};
