import type {Documents} from './documents.js';
import type {Presences} from './presence/registry.js';
import type {Queries} from './queries.js';
import type {Requests} from './requests.js';
import type {SnapshotRequests} from './snapshot-requests.js';
import type {Writes} from './writes.js';

/** What a connection consists of. */
export interface Parts {
  docs: Documents;
  queries: Queries;
  requests: Requests;
  snapshotRequests: SnapshotRequests;
  presences: Presences;
  writes: Writes;
}
