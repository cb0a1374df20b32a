// Ops that lose their ground, as others delete or create the document meanwhile: who hears of it.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  call,
  closing,
  converged,
  drained,
  errorOf,
  newBackend,
  openDroppable,
  openTabs,
  plain,
  subscribeAll,
  TRANSPORTS,
  turns,
  until,
} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];

/** What the document's callbacks and `error` events tell from here on. */
class Told {
  callbacks = [];
  errors = [];

  constructor(doc) {
    doc.on('error', ({code}) => this.errors.push(code));
  }

  /** A callback, by its name. */
  of(name) {
    return (error) => this.callbacks.push(`${name}: ${error?.code ?? 'ok'}`);
  }
}

/** What is submitted offline, and whether there is an `error` event: for an op without a callback. */
const EDITS = {
  'an op with a callback': [(doc, told) => doc.submitOp(ADD, told.of('op')), false],
  'an op without a callback': [(doc) => doc.submitOp(ADD), true],
  'two ops composed to one, of which the second has a callback': [
    (doc, told) => {
      doc.submitOp(ADD);
      doc.submitOp(ADD, told.of('second'));
    },
    false,
  ],
  'two ops, of which the second has a callback': [
    (doc, told) => {
      doc.preventCompose = true;
      doc.submitOp(ADD);
      doc.submitOp(ADD, told.of('second'));
    },
    true,
  ],
  'an op on its way to the hub, and the next': [
    async (doc, told) => {
      doc.submitOp(ADD, told.of('first'));
      await new Promise((resolve) => process.nextTick(resolve));
      doc.submitOp(ADD, told.of('second'));
    },
    false,
  ],
  'two ops with a callback each': [
    (doc, told) => {
      doc.preventCompose = true;
      doc.submitOp(ADD, told.of('first'));
      doc.submitOp(ADD, told.of('second'));
    },
    false,
  ],
};

const LOSSES = {
  deleted: {
    before: (other) => call(other, 'create', {n: 0}),
    meanwhile: (other) => call(other, 'del'),
    code: 'ERR_DOC_WAS_DELETED',
    edits: EDITS,
  },
  created: {
    before: () => {},
    meanwhile: (other) => call(other, 'create', {n: 'theirs'}),
    code: 'ERR_DOC_ALREADY_CREATED',
    edits: {
      'a creation with a callback': [(doc, told) => doc.create({n: 0}, told.of('creation')), false],
      'a creation without a callback': [(doc) => doc.create({n: 0}), true],
      'a creation without a callback and an op with one': [
        (doc, told) => {
          doc.create({n: 0});
          doc.submitOp(ADD, told.of('op'));
        },
        false,
      ],
    },
  },
};

/** What is told of an edit that was made offline, while others did what takes its ground away. */
async function tellOf({before, meanwhile}, edit, waits, wrap) {
  const backend = newBackend();
  const upstream = backend.connect();
  const connection = closing(wrap(upstream));
  const other = plain(backend).get('things', 'one');
  await before(other);
  const doc = connection.get('things', 'one');
  await call(doc, 'subscribe');
  const told = new Told(doc);
  upstream.socket.close('lost');
  await until(() => connection.state === 'disconnected');
  await edit(doc, told);
  // So that the hub has it, or has not.
  await turns(waits);
  await call(other, 'fetch');
  await meanwhile(other);
  backend.connect(upstream);
  await until(() => told.callbacks.length + told.errors.length > 0);
  await turns(20);
  await call(doc, 'fetch');
  await call(other, 'fetch');
  await converged(doc, other);
  return told;
}

for (const [what, loss] of Object.entries(LOSSES)) {
  for (const [name, [edit, hasEvent]] of Object.entries(loss.edits)) {
    for (const [when, waits] of [
      ['before the hub has it', 0],
      ['after the hub has it', 20],
    ]) {
      test(`${name}, made offline, is told as in ShareDB if the document is ${what} ${when}`, async () => {
        const {callbacks} = await tellOf(loss, edit, waits, (upstream) => upstream);
        // ShareDB's own may tell of it once more when the server's answer to the op comes.
        const errors = hasEvent ? [loss.code] : [];
        for (const transport of TRANSPORTS) {
          const tab = (upstream) => openTabs({connect: () => upstream}, 1, {transport})[0];
          const told = await tellOf(loss, edit, waits, tab);
          assert.deepEqual({...told}, {callbacks, errors}, transport);
        }
      });
    }
  }
}

/** The callbacks of edits that siblings make at once; nobody listens for `error`. */
async function edit(tabs, ...edits) {
  const errors = [];
  for (const tab of tabs) tab.on('error', (error) => errors.push(error));
  const codes = await Promise.all(
    edits.map(([doc, method, ...args]) =>
      call(doc, method, ...args).then(
        () => 'ok',
        ({code}) => code,
      ),
    ),
  );
  await turns(10);
  assert.deepEqual(errors, []);
  return codes;
}

for (const transport of TRANSPORTS) {
  test(`over ${transport}, a tab that edits what a sibling deletes at once hears of it by its callback`, async () => {
    const tabs = openTabs(newBackend(), 2, {transport});
    const [one, two] = await subscribeAll(tabs, 'things', 'one');
    await call(one, 'create', {n: 0});
    await converged(one, two);
    const codes = await edit(tabs, [one, 'del'], [two, 'submitOp', ADD]);
    assert.deepEqual(codes, ['ok', 'ERR_DOC_WAS_DELETED']);
    await converged(one, two);
    assert.equal(two.type, null);
  });
}

test('a tab that creates offline what a sibling has created hears of it by its callback', async () => {
  const {tabs, drop, restore} = await openDroppable(newBackend());
  const [one, two] = tabs.map((tab) => tab.get('things', 'one'));
  await drop();
  const edits = edit(tabs, [one, 'create', {n: 1}], [two, 'create', {n: 2}]);
  await turns(10);
  await restore();
  assert.deepEqual((await edits).toSorted(), ['ERR_DOC_ALREADY_CREATED', 'ok']);
});

for (const transport of TRANSPORTS) {
  test(`over ${transport}, the README's quick start in three tabs gets three callbacks`, async () => {
    const backend = newBackend();
    const tabs = openTabs(backend, 3, {transport});
    const errors = [];
    const start = (tab) =>
      new Promise((resolve) => {
        tab.on('error', (error) => errors.push(error));
        const doc = tab.get('notes', 'shopping');
        doc.subscribe((error) => {
          assert.ifError(error);
          if (!doc.type) doc.create({items: []}, (error) => resolve(error?.code ?? 'ok'));
        });
      });
    const codes = await Promise.all(tabs.map(start));
    const refused = 'ERR_DOC_ALREADY_CREATED';
    assert.deepEqual(codes.toSorted(), [refused, refused, 'ok']);
    await converged(...tabs.map((tab) => tab.get('notes', 'shopping')));
    assert.deepEqual(errors, []);
  });
}

test('an op that is stale after an edit and a deletion of a sibling has one error, in its callback', async () => {
  const [tab, sibling] = openTabs(newBackend(), 2);
  const [doc, other] = [tab, sibling].map((it) => it.get('things', 'one'));
  await call(doc, 'create', {n: 0});
  await call(other, 'subscribe');
  await call(other, 'submitOp', ADD);
  await call(other, 'del');
  const events = [];
  doc.on('error', (error) => events.push(error.code));
  const error = await errorOf(doc, 'submitOp', ADD);
  await drained(tab, sibling);
  assert.deepEqual([error.code, events], ['ERR_DOC_DOES_NOT_EXIST', []]);
});
