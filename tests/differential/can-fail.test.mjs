// The comparison finds what is wrong: tabs are spoiled here on purpose.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {createConnection} from '../../pkg/index.js';
import {startingData} from './ops.mjs';
import {Server} from './server.mjs';
import {isSound, shrink} from './shrink.mjs';
import {MODES, tryProgram} from './trial.mjs';

const data = startingData('json0');
const edit = {do: 'submit', d: 0, op: [{p: ['n'], na: 1}], cb: 'counts'};
const program = {
  clients: 3,
  docs: [{collection: 'a', id: '0', type: 'json0'}],
  transport: 'direct',
  listen: true,
  presence: true,
  early: false,
  slow: null,
  steps: [
    {do: 'create', c: 0, d: 0, data, cb: 'counts'},
    {do: 'subscribe', c: 0, d: 0, cb: 'counts'},
    {do: 'subscribe', c: 1, d: 0, cb: 'counts'},
    {...edit, c: 0},
    {...edit, c: 1},
    {do: 'unsubscribe', c: 1, d: 0, cb: 'counts'},
    {...edit, c: 0},
    {do: 'create', c: 1, d: 0, data, cb: 'counts'},
  ],
};

const Doc = prototypeOfDocs();

/** Methods in place of a document's own; each is given that. */
const SPOILED = {
  'a callback that is called twice': {
    subscribe: (own, callback) => own((error) => [callback?.(error), callback?.(error)]),
  },
  'a callback that is never called': {subscribe: (own) => own(undefined)},
  'an error that is kept back': {
    create: (own, data, type, options, callback) => own(data, type, options, () => callback?.()),
  },
  'an op that is acknowledged and was not sent': {
    submitOp: (_own, _op, _options, callback) => setImmediate(() => callback?.()),
  },
  'an op that is sent twice': {
    submitOp: (own, op, options, callback) => [own(op, options, callback), own(op, options)],
  },
  'changes that do not arrive': {subscribe: (_own, callback) => setImmediate(() => callback?.())},
};

/** Spoilt in the same way, for those modes that can see it. */
const SPOILED_ALONE = {
  'an event that comes twice': {
    emit: (own, event, ...args) => own(event, ...args) && event === 'op' && own(event, ...args),
  },
  'an event that does not come': {
    emit: (own, event, ...args) => event !== 'op' && own(event, ...args),
  },
};

test('a program without a difference passes', async () => {
  for (const mode of MODES) assert.equal((await tryProgram(program, mode)).wrong, undefined);
});

for (const [what, methods] of Object.entries(SPOILED)) {
  for (const mode of MODES) testSpoiled(what, methods, mode);
}
for (const [what, methods] of Object.entries(SPOILED_ALONE)) testSpoiled(what, methods, 'alone');

test('a program that fails is shrunk to the steps that it fails for', async (t) => {
  spoil(t, {unsubscribe: (own) => own(undefined)});
  const fails = async (it) => isSound(it) && (await tryProgram(it, 'alone')).wrong !== undefined;
  const {clients, steps} = await shrink(program, fails);
  assert.equal(clients, 1);
  assert.deepEqual(steps, [{do: 'unsubscribe', c: 0, d: 0, cb: 'counts'}]);
});

function testSpoiled(what, methods, mode) {
  test(`${mode}: ${what} is found`, async (t) => {
    spoil(t, methods);
    const {wrong} = await tryProgram(program, mode);
    assert.ok(wrong, 'the program passes');
  });
}

/** Puts methods in place of those of all documents of tabs, for one test. */
function spoil(t, methods) {
  for (const [name, method] of Object.entries(methods)) {
    const own = Doc[name];
    Doc[name] = function (...args) {
      return method((...inner) => own.apply(this, inner), ...args);
    };
    t.after(() => {
      Doc[name] = own;
    });
  }
}

function prototypeOfDocs() {
  const {backend} = new Server({presence: false});
  const connection = createConnection(backend, {transport: 'direct'});
  after(() => connection.close());
  return Object.getPrototypeOf(connection.get('a', '0'));
}
