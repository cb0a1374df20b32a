// What JSON leaves out is no error, as in ShareDB; what it can't carry is.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {sameInBoth} from './parity.mjs';
import {CODECS, call, errorOf, newBackend, openTabs, turns, until} from './support.mjs';

const ADD = [{p: ['n'], na: 1}];
function editor() {}

/** Values of which JSON drops the whole, or members, or makes others. */
const SOURCES = {
  'a function': editor,
  'a class': class Editor {},
  'a symbol': Symbol('editor'),
  'what its toJSON drops': {toJSON() {}},
  'what its toJSON makes a text': {toJSON: () => 'editor'},
  'an object with members that JSON drops': {editor, name: 'x', none: undefined, mark: Symbol('x')},
  'an array with items that JSON makes null': [editor, undefined, Number.NaN, 1],
  'a date': new Date(0),
  'a map': new Map([[1, 2]]),
};

for (const codec of CODECS) {
  for (const [what, source] of Object.entries(SOURCES)) {
    sameInBoth(
      `over ${codec}, a source that is ${what} reaches listeners, and the server as JSON has it`,
      async ({connection, outside, backend, log}) => {
        backend.use('apply', ({op, extra}, next) => {
          log('at the server', op.x, extra);
          next();
        });
        const doc = connection.get('things', 'one');
        doc.submitSource = true;
        for (const event of ['create', 'op', 'del']) {
          doc.on(event, (...args) => log(event, args.includes(source)));
        }
        await call(doc, 'create', {n: 0}, null, {source});
        await call(doc, 'submitOp', ADD, {source});
        await call(doc, 'del', {source});
        log(doc.version);
        const seen = outside.get('things', 'one');
        await call(seen, 'fetch');
        log(seen.version);
      },
      {codec},
    );
  }

  sameInBoth(
    `over ${codec}, created data and ops are what JSON leaves of them`,
    async ({connection, outside, log}) => {
      const edits = {
        json0: [
          {n: 0, editor, none: undefined, list: [editor, undefined, Number.POSITIVE_INFINITY]},
          [{p: ['more'], oi: {editor, m: 1}}],
          [{p: ['list', 0], li: [editor, 1]}],
          [{p: ['gone'], oi: editor}],
          undefined,
          [],
        ],
        'rich-text': [
          [{insert: 'a', attributes: {editor, bold: true}}],
          [{insert: {editor, image: 'x'}}],
        ],
      };
      for (const [type, [data, ...ops]] of Object.entries(edits)) {
        const doc = connection.get('things', type);
        doc.on('error', (error) => log('error', error));
        doc.on('op', (op) => log('op', op));
        log(await errorOf(doc, 'create', data, type), doc.data);
        for (const op of ops) log(await errorOf(doc, 'submitOp', op), doc.data, doc.version);
        const seen = outside.get('things', type);
        await call(seen, 'fetch');
        log(seen.data, seen.version);
      }
      for (const data of [undefined, null, editor, 5]) {
        const doc = connection.get('things', String(data));
        log(await errorOf(doc, 'create', data), doc.data, doc.type?.name);
      }
    },
    {codec},
  );

  sameInBoth(
    `over ${codec}, presence values are what JSON leaves of them`,
    async ({connection, outside, log}) => {
      const [mine, theirs] = [connection, outside].map((it) => it.getPresence('channel'));
      for (const presence of [mine, theirs]) await call(presence, 'subscribe');
      theirs.on('receive', (id, value) => log('receive', id, value));
      const local = mine.create('cursor');
      for (const value of [editor, {editor, at: [editor, 1]}, undefined, 5, null]) {
        log(await errorOf(local, 'submit', value), local.value === value);
        await turns(5);
      }
    },
    {codec},
  );

  sameInBoth(
    `over ${codec}, queries and their options are what JSON leaves of them`,
    async ({connection, backend, log}) => {
      backend.use('query', (context, next) => {
        log('at the server', context.query ?? null, context.options);
        next();
      });
      for (const [query, options] of [
        [undefined, undefined],
        [null, null],
        [editor, {}],
        [
          {n: 1, editor},
          {editor, limit: 1, none: undefined},
        ],
      ]) {
        for (const method of ['createFetchQuery', 'createSubscribeQuery']) {
          // Of tabs that follow the same only one asks.
          const asked = connection[method](`things ${connection.nextQueryId}`, query, options);
          await until(() => asked.ready);
          log(asked.results, asked.query === query, asked.options === options);
        }
      }
    },
    {codec},
  );

  sameInBoth(
    `over ${codec}, an ingested state and a message by hand are what JSON leaves of them`,
    async ({connection, log}) => {
      const doc = connection.get('things', 'one');
      const snapshot = {v: 1, type: 'json0', data: {n: 1, editor}, editor};
      log(await errorOf(doc, 'ingestSnapshot', snapshot), doc.data, doc.version);
      connection.on('receive', ({data}) => data.a === 'f' && log('receive', data));
      connection.send({a: 'f', c: 'things', d: 'by hand', editor});
      await turns(10);
    },
    {codec},
  );

  test(`over ${codec}, what JSON can't carry is an error that names its place`, async () => {
    const cycle = {};
    cycle.again = cycle;
    const [tab] = openTabs(newBackend(), 1, {codec});
    const doc = tab.get('things', 'one');
    await call(doc, 'create', {n: 0});
    doc.submitSource = true;
    const thrown = (action) => {
      try {
        action();
      } catch (error) {
        return error;
      }
    };
    const errors = {
      '$.source': await errorOf(doc, 'submitOp', ADD, {source: 1n}),
      '$.source.by[1]': await errorOf(doc, 'submitOp', ADD, {source: {by: [0, 1n]}}),
      '$.source.again': await errorOf(doc, 'del', {source: cycle}),
      '$.query.n': thrown(() => tab.createFetchQuery('things', {n: 1n})),
      '$.options.n': thrown(() => tab.createFetchQuery('things', {}, {n: 1n})),
      '$.data.n': await errorOf(tab.get('things', 'two'), 'ingestSnapshot', {v: 1, data: {n: 1n}}),
      '$.p.n': thrown(() => tab.getPresence('channel').create().submit({n: 1n})),
      '$.n': thrown(() => tab.send({a: 'x', n: 1n})),
    };
    for (const [place, error] of Object.entries(errors)) {
      const {code, message} = error ?? {};
      assert.equal(code, 'ERR_TABMUX_UNCARRIABLE', place);
      assert.ok(message.includes(` ${place}:`), `${place} in: ${message}`);
    }
    await call(doc, 'submitOp', ADD);
    assert.deepEqual(doc.data, {n: 1});
  });
}
