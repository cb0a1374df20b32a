import type {Presences} from './presence/registry.js';
import type {ProxyDocs} from './proxy-docs.js';
import type {ProxyQueries} from './proxy-queries.js';
import type {Requests} from './requests.js';
import type {SnapshotRequests} from './snapshot-requests.js';
import type {Writes} from './writes.js';

/** What a connection consists of. */
export interface Parts {
  docs: ProxyDocs;
  queries: ProxyQueries;
  requests: Requests;
  snapshotRequests: SnapshotRequests;
  presences: Presences;
  writes: Writes;
}
