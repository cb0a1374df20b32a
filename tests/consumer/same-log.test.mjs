import assert from 'node:assert/strict';
import {test} from 'node:test';
import {application} from './application.mjs';
import {siblingsOver, tabOfHubModule, tabsOver} from './connections.mjs';
import {Journal} from './journal.mjs';
import {plain} from './plain.mjs';
import {startServer} from './server.mjs';

/** Runs the application; returns what it wrote down. */
async function run(connect) {
  const journal = new Journal();
  const server = await startServer(journal);
  try {
    await application({connect, server, journal});
  } finally {
    await server.close();
  }
  return journal.lines;
}

/** Compares line by line, so that a failure shows the first difference. */
function assertSame(actual, expected) {
  for (const [at, line] of expected.entries()) assert.equal(actual[at], line);
  assert.equal(actual.length, expected.length);
}

/** Without what a tab can't have as ShareDB has it. */
function comparable(lines) {
  let step;
  return lines.flatMap((line) => {
    if (line.startsWith('==')) step = line;
    // The hub subscribes anew, for all tabs; the tab was subscribed to the hub all the time.
    if (step === '== the network is up') {
      if (/: (no write|nothing) pending /.test(line)) return [];
      return line.replace(/"subscribed":\w+,"pending":\w+/, '');
    }
    // ShareDB is `disconnected` when a closed WebSocket says so, a tab is `closed`.
    return step === '== closed' ? [] : line;
  });
}

const expected = await run(plain);
console.log(expected.join('\n'));

test('ShareDB itself writes the same log in every run', async () => {
  assert.ok(expected.length > 700, 'the application got to its end');
  assertSame(await run(plain), expected);
});

for (const transport of ['direct', 'message-port', 'broadcast-channel']) {
  test(`tabs of different browsers over ${transport} write the same log as ShareDB`, async () => {
    assertSame(comparable(await run(tabsOver(transport))), comparable(expected));
  });

  // They see each other's ops before the server does, so their events come sooner.
  test(`siblings over ${transport} end each step as ShareDB does, and so does the server`, async () => {
    const ends = (lines) => lines.filter((line) => /^(==|result|server)/.test(line));
    assertSame(ends(await run(siblingsOver(transport))), ends(expected));
  });
}

test('tabs of a hub that is a module write the same log as ShareDB', async () => {
  assertSame(comparable(await run(tabOfHubModule)), comparable(expected));
});
