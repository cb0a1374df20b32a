import assert from 'node:assert/strict';
import {once} from 'node:events';
import {createServer} from 'node:http';
import {json} from 'node:stream/consumers';
import {test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import ShareDB from 'sharedb';
import {startServer} from '../../examples/demo/server.mjs';
import {openPages} from './engines/index.mjs';
import {homeFolder} from './engines/processes.mjs';
import {randomNumbers, types} from './support/edits.mjs';
import {eventually} from './support/eventually.mjs';
import {compare, marksIn, marksOf} from './support/marks.mjs';
import {html, script} from './support/stage.mjs';

const engine = process.env.TABMUX_BROWSER;
const kills = Number(process.env.TABMUX_KILLS ?? 5);
const seed = Number(process.env.TABMUX_SEED ?? Math.floor(Math.random() * 2 ** 32));

const DOCS = {list: 'json0', 'other list': 'json0', text: 'rich-text'};
/** How many marks tabs leave at the most before the kill. */
const MOST_MARKS = 150;
/** The longest that a tab waits between two bursts. */
const PAUSE_MS = 15;

const random = randomNumbers(seed);
const below = (end) => Math.floor(random() * end);

/** What the server is like in a round: at its start, and from a moment of the typing on. */
const weathers = [
  ['up', (server) => server.restore()],
  ['down', (server) => server.cut()],
  ['comes back', (server) => server.cut(), (server) => server.restore()],
  ['goes down', (server) => server.restore(), (server) => server.cut()],
  ['falls silent', (server) => server.restore(), (server) => server.fallSilent()],
];

/** A ShareDB server with the documents, which can stop to answer ops while it commits them. */
async function openServer() {
  const backend = new ShareDB();
  let isSilent = false;
  let unanswered = 0;
  backend.use('reply', ({request}, next) => {
    if (isSilent && request.a === 'op') unanswered += 1;
    else next();
  });
  const connection = backend.connect();
  for (const [id, type] of Object.entries(DOCS)) {
    const initial = type === 'json0' ? {list: [], count: 0} : [];
    const doc = connection.get('test', id);
    await new Promise((resolve) => doc.create(initial, types[type].uri, resolve));
  }
  const files = {
    '/typist.html': html('/test/typist.js'),
    '/test/typist.js': await script('typist.mjs'),
    '/test/typist-hub.js': await script('typist-hub.mjs'),
  };
  const server = await startServer({backend, files});
  return {
    ...server,
    /** How many messages with ops it committed and did not answer. */
    unanswered: () => unanswered,
    fallSilent: () => (isSilent = true),
    speak: () => (isSilent = false),
  };
}

/** What the tabs tell, which outlives them: by tab, and of typists by document. */
async function openReports() {
  const typists = new Map(Object.keys(DOCS).map((id) => [id, new Map()]));
  const readers = new Map();
  const problems = [];

  function hear({tab, typed = {}, durable = {}, problem, ...read}) {
    if (problem) problems.push(`${tab}: ${problem}`);
    if (read.held) readers.set(tab, read);
    for (const [id, tabs] of typists) {
      const before = tabs.get(tab) ?? {typed: 0, durable: 0};
      tabs.set(tab, {
        typed: Math.max(before.typed, typed[id] ?? 0),
        durable: Math.max(before.durable, durable[id] ?? 0),
      });
    }
  }

  const server = createServer(async (request, response) => {
    try {
      hear(await json(request));
    } catch {
      // The browser was killed before all of it was sent.
    }
    await sleep(Math.random() * PAUSE_MS);
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    typists,
    readers,
    problems,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

test('a browser that is killed again and again loses nothing that was durable, and doubles nothing', async (t) => {
  t.diagnostic(`TABMUX_SEED=${seed}`);
  const home = homeFolder();
  const server = await openServer();
  const reports = await openReports();
  let browser;
  t.after(async () => {
    await browser?.kill();
    await server.close();
    await reports.close();
    home.remove();
  });

  const page = (tab, more) => {
    const socket = `ws://127.0.0.1:${server.port}/sharedb`;
    const asked = new URLSearchParams({tab, server: socket, reports: reports.url, ...more});
    return `${server.url}/typist.html?${asked}`;
  };
  const told = (tab, what) =>
    [...reports.typists.values()].map((tabs) => tabs.get(tab)?.[what] ?? 0);
  const typed = (tab) => told(tab, 'typed').reduce((sum, count) => sum + count);

  for (let round = 0; round < kills; round++) {
    // The first time the documents must come from the server.
    const [name, start, later] = weathers[round === 0 ? 0 : below(weathers.length)];
    server.speak();
    start(server);
    const tabs = [`${round}a`, `${round}b`];
    browser = await openPages(
      engine,
      home,
      tabs.map((tab) => page(tab, {seed: below(2 ** 32)})),
    );
    const typing = (least) =>
      eventually(() =>
        assert(
          typed(tabs[0]) + typed(tabs[1]) >= least,
          `round ${round}, ${name}: ${reports.problems}`,
        ),
      );
    if (round === 0) {
      await eventually(() => assert(tabs.every((tab) => Math.min(...told(tab, 'durable')) > 0)));
    }
    const marks = 1 + below(MOST_MARKS);
    await typing(1 + below(marks));
    later?.(server);
    await typing(marks);
    await browser.kill();
  }

  server.speak();
  server.restore();
  browser = await openPages(engine, home, [page('reader', {reads: true})]);
  const committed = (id) =>
    server.log.filter((entry) => entry.id === id && entry.op).flatMap(({op}) => marksOf(op));
  const snapshot = (id) =>
    new Promise((resolve, reject) => {
      server.backend.db.getSnapshot('test', id, null, null, (error, {v, data} = {}) =>
        error ? reject(error) : resolve({version: v, data: data.ops ?? data}),
      );
    });
  await eventually(async () => {
    const {held, pending} = reports.readers.get('reader') ?? {};
    assert.equal(pending, false);
    for (const id of Object.keys(DOCS)) {
      assert.deepEqual(held[id], JSON.parse(JSON.stringify(await snapshot(id))));
    }
  });

  const sums = Object.keys(DOCS).map((id) => compare(committed(id), reports.typists.get(id)));
  const total = (what) => sums.reduce((sum, it) => sum + (it[what].length ?? it[what]), 0);
  for (const what of ['typed', 'durable', 'committed', 'lost', 'doubled', 'misplaced']) {
    t.diagnostic(`${what}: ${total(what)}`);
  }
  t.diagnostic(`messages unanswered: ${server.unanswered()}`);
  for (const problem of reports.problems) t.diagnostic(`a tab was told: ${problem}`);
  for (const {lost, doubled, misplaced} of sums) {
    assert.deepEqual({lost, doubled, misplaced}, {lost: [], doubled: [], misplaced: []});
  }
  for (const [id, type] of Object.entries(DOCS)) {
    const {data} = await snapshot(id);
    const marks = committed(id);
    if (type === 'json0') {
      assert.deepEqual(data.list.toSorted(), marks.toSorted());
      assert.equal(data.count, marks.length);
    } else {
      assert.deepEqual(marksIn(data.map(({insert}) => insert).join('')), marks);
    }
  }
  assert.deepEqual(reports.problems, []);
});
