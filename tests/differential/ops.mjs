// The documents' data, and ops on it that may be valid, depending on what is there.

/** What a new document holds. */
export function startingData(type) {
  if (type === 'json0') return {n: 0, s: 'text', l: ['x', 'y'], o: {}, marks: {}};
  return [{insert: 'text\n'}];
}

/** An op for a document of this type; one that is `bad` can be applied to no document. */
export function randomOp(random, type) {
  const [good, bad] = type === 'json0' ? [JSON_OPS, BAD_JSON] : [TEXT_OPS, BAD_TEXT];
  return random.chance(0.1) ? {op: random.pick(bad), bad: true} : {op: random.pick(good)};
}

const JSON_OPS = [
  [{p: ['n'], na: 1}],
  [{p: ['n'], na: -1}],
  [{p: ['s', 0], si: 'a'}],
  [{p: ['s', 1], si: 'bc'}],
  [{p: ['l', 0], li: 'p'}],
  [{p: ['l', 1], li: 'q'}],
  [{p: ['l', 0], ld: 'x'}],
  [{p: ['l', 0], lm: 1}],
  [{p: ['o', 'k'], oi: 1}],
  [{p: ['o', 'k'], oi: {deep: true}}],
  [{p: ['o', 'k'], od: 1}],
  [
    {p: ['n'], na: 2},
    {p: ['l', 0], li: 'r'},
  ],
  [],
];

const BAD_JSON = [
  [{p: ['missing', 'deep'], na: 1}],
  [{p: ['s', 0], sd: 'never there'}],
  [{p: ['n', 0], li: 'no list'}],
  [{p: ['__proto__', 'x'], oi: 1}],
  [{}],
  {},
  null,
  'no op',
];

const TEXT_OPS = [
  [{insert: 'a'}],
  [{retain: 1}, {insert: 'b'}],
  [{retain: 2}, {delete: 1}],
  [{delete: 1}],
  [{retain: 2, attributes: {bold: true}}],
  [],
];

const BAD_TEXT = [7, {ops: 7}, {}, null, 'no op'];
