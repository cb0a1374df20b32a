/**
 * A page that types on its own and reports how far it got, until its browser is killed. Each edit
 * leaves a mark that has no like: the tab's name, and how many the tab left in that document before.
 *
 * What it is to do is in its URL: `tab`, its name; `server`, the address of the ShareDB server;
 * `reports`, where reports go; `seed`; and `reads`, if it is to type nothing.
 */
import richText from 'rich-text';
import {types} from 'sharedb/lib/client';
import {createConnection} from 'tabmux';
import {randomNumbers, turn} from './edits.mjs';

types.register(richText.type);

const asked = new URLSearchParams(location.search);
const tab = asked.get('tab');
const random = randomNumbers(Number(asked.get('seed')));
const below = (end) => Math.floor(random() * end);

const connection = createConnection({
  url: asked.get('server'),
  hub: {
    worker: () => new SharedWorker('/test/typist-hub.js', {type: 'module', name: 'typists'}),
  },
});

const docs = ['list', 'other list', 'text'].map((id) => connection.get('test', id));
/** How many marks this tab has left in each document that it has loaded. */
const typed = {};

/** Timers are slow in a background tab: whoever waits for the answer keeps the server's pace. */
const report = (what) =>
  fetch(asked.get('reports'), {
    method: 'POST',
    mode: 'no-cors',
    body: JSON.stringify({tab, ...what}),
  });

const problem = (text) => report({problem: text});
addEventListener('error', ({message}) => problem(message));
addEventListener('unhandledrejection', ({reason}) => problem(String(reason)));
for (const event of ['error', 'store:error', 'store:lost', 'store:evicted']) {
  connection.on(event, (detail) =>
    problem(`${event}: ${detail.message ?? JSON.stringify(detail)}`),
  );
}

function leaveMark() {
  const doc = docs.filter(({id}) => id in typed)[below(Object.keys(typed).length)];
  const mark = `${tab}.${typed[doc.id]}`;
  typed[doc.id] += 1;
  if (doc.id === 'text') {
    doc.submitOp(new richText.Delta().retain(doc.data.length()).insert(`${mark} `));
  } else {
    const {list} = doc.data;
    doc.submitOp([
      {p: ['list', below(list.length + 1)], li: mark},
      {p: ['count'], na: 1},
    ]);
  }
  return doc;
}

/** Every way to learn that what was typed so far is durable. */
const ways = [
  (doc) => {
    const durable = {[doc.id]: typed[doc.id]};
    connection.putDoc(doc, (error) => (error ? problem(error.message) : report({durable})));
  },
  () => {
    const durable = {...typed};
    connection.flushWrites((error) => (error ? problem(error.message) : report({durable})));
  },
  () => {
    if (!connection.hasPendingWrites()) report({durable: typed});
  },
];

async function type() {
  for (;;) {
    for (let rest = 1 + below(4); rest > 0; rest--) {
      const doc = leaveMark();
      if (random() < 0.3) await turn();
      ways[below(ways.length)](doc);
    }
    await report({typed});
  }
}

async function read() {
  for (;;) {
    const inventory = await connection.store.inventory();
    const held = docs.map(({id, version, data}) => [id, {version, data: data?.ops ?? data}]);
    await report({held: Object.fromEntries(held), pending: inventory.some(({pending}) => pending)});
  }
}

for (const doc of docs) {
  doc.subscribe((error) => {
    if (error) return problem(error.message);
    typed[doc.id] = 0;
    if (Object.keys(typed).length === 1 && !asked.has('reads')) type();
  });
}
if (asked.has('reads')) read();
