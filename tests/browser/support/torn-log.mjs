import assert from 'node:assert/strict';
import {appendFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

/** The beginning of a record of 100 bytes: checksum, length and type. The bytes never came. */
const RECORD_BEGUN = Buffer.from([1, 2, 3, 4, 100, 0, 1]);

/** Leaves the logs of Chromium's IndexedDB as a kill in the midst of a write does. */
export function tearLogs(profile) {
  const databases = join(profile, 'Default', 'IndexedDB');
  const logs = readdirSync(databases, {recursive: true}).filter((path) => path.endsWith('.log'));
  assert.notEqual(logs.length, 0);
  for (const log of logs) appendFileSync(join(databases, log), RECORD_BEGUN);
}
