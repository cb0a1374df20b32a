// Makes programs: plain data, so that they can be shrunk and printed.
import {isFair} from './avoided.mjs';
import {randomOp, startingData} from './ops.mjs';
import {Random} from './random.mjs';

/** How often each kind of step comes, if a program has it at all. */
const WEIGHTS = {
  submit: 14,
  subscribe: 6,
  fetch: 5,
  create: 5,
  unsubscribe: 3,
  del: 4,
  destroy: 2,
  get: 2,
  pause: 2,
  resume: 2,
  ingest: 2,
  set: 1,
  drop: 3,
  restore: 3,
  close: 1,
  open: 1,
  query: 3,
  endQuery: 1,
  snapshot: 1,
  nothingPending: 2,
  bulk: 1,
  trim: 1,
  presence: 4,
};
/** What every program has. */
const ALWAYS = ['submit', 'subscribe', 'create'];
const REFUSED = ['submit', 'submit', 'subscribe', 'fetch', 'read', 'query', 'presence'];

/** The program of a seed. */
export function generate(seed) {
  const random = new Random(seed);
  for (;;) {
    const program = randomProgram(random);
    if (isFair(program)) return program;
  }
}

function randomProgram(random) {
  const clients = 1 + random.below(3);
  const docs = Array.from({length: random.pick([1, 1, 2, 3])}, (_, at) => ({
    collection: random.chance(0.8) ? 'a' : 'b',
    id: String(at),
    type: random.chance(0.8) ? 'json0' : 'rich-text',
  }));
  const weights = {};
  for (const [kind, weight] of Object.entries(WEIGHTS)) {
    if (ALWAYS.includes(kind) || random.chance(0.5)) weights[kind] = weight;
  }
  const program = {
    clients,
    docs,
    transport: random.chance(0.8) ? 'direct' : 'message-port',
    listen: random.chance(0.8),
    presence: random.chance(0.8),
    early: random.chance(0.1),
    slow: random.pick([null, 'ops', 'reads']),
    steps: [],
  };
  const style = {
    weights,
    clients,
    docs,
    now: random.pick([0, 0.2, 0.5]),
    refuse: random.pick([0, 0, 0.1, 0.2]),
    callback: random.pick([1, 0.9, 0.5]),
    throws: random.pick([0, 0, 0, 0.05]),
    next: random.pick([0, 0, 0.1]),
  };
  // Most programs begin with something to work on.
  docs.forEach((_, d) => {
    if (random.chance(0.7)) {
      program.steps.push({
        do: 'create',
        c: random.below(clients),
        d,
        data: startingData(docs[d].type),
        cb: 'counts',
      });
    }
  });
  const count = 3 + random.below(17);
  let last = 0;
  for (let at = 0; at < count; at++) {
    const c = random.chance(0.6) ? last : random.below(clients);
    last = c;
    const step = randomStep(random, style, c);
    if (random.chance(style.now)) step.now = true;
    if (random.chance(style.refuse)) {
      step.refuse = randomRefusal(random);
    }
    program.steps.push(step);
  }
  return program;
}

/** What the server refuses once, while the step is under way. */
function randomRefusal(random) {
  const what = random.pick(REFUSED);
  // These are not told as errors.
  const silent = {submit: 'ERR_OP_SUBMIT_REJECTED', read: 'ERR_SNAPSHOT_READ_SILENT_REJECTION'};
  const code = (random.chance(0.2) && silent[what]) || `ERR_REFUSED_${what.toUpperCase()}`;
  return {what, code};
}

function randomStep(random, style, c) {
  const kind = random.weighted(style.weights);
  const d = random.below(style.docs.length);
  const step = {do: kind, c, ...fill[kind]?.(random, style, d)};
  if (TAKES_DOC.has(kind)) step.d = d;
  if (TAKES_CALLBACK.has(kind) && random.chance(style.callback)) {
    step.cb = random.chance(style.throws) ? 'throws' : 'counts';
    if (random.chance(style.next)) {
      const {now, ...next} = randomStep(random, {...style, next: 0}, c);
      if (!['drop', 'restore', 'close', 'open'].includes(next.do)) step.next = next;
    }
  }
  return step;
}

const TAKES_DOC = new Set([
  'submit',
  'subscribe',
  'fetch',
  'create',
  'unsubscribe',
  'del',
  'destroy',
  'get',
  'pause',
  'resume',
  'ingest',
  'set',
  'snapshot',
  'trim',
]);
const TAKES_CALLBACK = new Set([
  'submit',
  'subscribe',
  'fetch',
  'create',
  'unsubscribe',
  'del',
  'destroy',
  'ingest',
  'query',
  'endQuery',
  'snapshot',
  'nothingPending',
  'presence',
]);

/** Presence has channels of its own, and those of documents whose type has presence. */
function channelsOf(docs) {
  const found = docs.map((_, d) => d).filter((d) => docs[d].type === 'rich-text');
  return ['channel', ...found];
}

/** What a kind of step has besides client, document and callback. */
const fill = {
  submit: (random, {docs}, d) => ({
    ...randomOp(random, docs[d].type),
    ...(random.chance(0.2) && {source: random.pick(['editor', 7, {by: 'me'}])}),
  }),
  create: (random, {docs}, d) => {
    const type = random.chance(0.95) ? docs[d].type : random.pick(['json0', 'rich-text']);
    return {data: startingData(type), ...(type !== docs[d].type && {type})};
  },
  ingest: (random) => ({which: random.pick(['older', 'current', 'current', 'broken'])}),
  set: (random) => ({
    flag: random.pick(['preventCompose', 'submitSource']),
    value: random.chance(0.8),
  }),
  query: (random, {docs}) => ({
    live: random.chance(0.5),
    collection: random.pick(docs).collection,
    query: random.pick([{}, {}, {n: 1}, {refused: true}]),
    ...(random.chance(0.3) && {results: docs.map((_, d) => d).filter(() => random.chance(0.6))}),
  }),
  endQuery: (random) => ({nth: random.below(3)}),
  snapshot: (random) => ({version: random.pick([null, 0, 1, 2, 99])}),
  nothingPending: (random, {docs}) => (random.chance(0.5) ? {d: random.below(docs.length)} : {}),
  trim: (random) => ({keep: random.below(2)}),
  bulk: (random, {docs}) => ({
    calls: Array.from({length: 2 + random.below(2)}, () => [
      random.pick(['subscribe', 'fetch', 'unsubscribe']),
      random.below(docs.length),
    ]),
  }),
  presence: (random, {docs}) => ({
    of: random.pick(channelsOf(docs)),
    call: random.pick([
      'subscribe',
      'subscribe',
      'submit',
      'submit',
      'submit',
      'unsubscribe',
      'destroyLocal',
      'destroy',
    ]),
    value: random.pick([{index: 0, length: 0}, {index: 1, length: 1}, {index: 3, length: 0}, null]),
  }),
};
