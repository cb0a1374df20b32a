import {isFair} from './avoided.mjs';

/** The smallest program it finds that still fails: `fails` says, and is asked many times. */
export async function shrink(program, fails) {
  let smallest = program;
  const tried = new Set();
  const attempt = async (candidate) => {
    const text = JSON.stringify(candidate);
    if (tried.has(text)) return false;
    tried.add(text);
    if (!(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  for (let before; before !== smallest; ) {
    before = smallest;
    await removeSteps(() => smallest, attempt);
    await simplifySteps(() => smallest, attempt);
    await simplifySettings(() => smallest, attempt);
  }
  return smallest;
}

/** Halves first, then single steps. */
async function removeSteps(current, attempt) {
  for (let size = current().steps.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = current().steps.length - size; at >= 0; at -= size) {
      const {steps, ...rest} = current();
      await attempt({...rest, steps: steps.toSpliced(at, size)});
    }
  }
}

/** What a step can do without, and what is simpler. */
const SIMPLER = [
  without('next'),
  without('refuse'),
  without('now'),
  without('source'),
  without('results'),
  without('type'),
  (step) => step.cb === 'throws' && {...step, cb: 'counts'},
  (step) => step.do === 'query' && {...step, query: {}},
  (step) => step.d > 0 && {...step, d: 0},
  (step) => step.c > 0 && {...step, c: 0},
  (step) => step.op?.length > 1 && {...step, op: step.op.slice(0, 1)},
  (step) => step.next && {...step.next, c: step.c},
  without('cb'),
];

function without(key) {
  return ({[key]: value, ...rest}) => value !== undefined && rest;
}

async function simplifySteps(current, attempt) {
  for (let at = 0; at < current().steps.length; at++) {
    for (const simpler of SIMPLER) {
      const {steps, ...rest} = current();
      const step = simpler(steps[at]);
      if (step) await attempt({...rest, steps: steps.with(at, step)});
    }
  }
}

async function simplifySettings(current, attempt) {
  const plainer = {transport: 'direct', listen: true, presence: true, early: false, slow: null};
  for (const [key, value] of Object.entries(plainer)) await attempt({...current(), [key]: value});
  await attempt({...current(), clients: current().clients - 1});
  await attempt({...current(), docs: current().docs.slice(0, -1)});
}

/** Whether a program can run, each step's client and documents exist, and be compared. */
export function isSound(program) {
  const {clients, docs, steps} = program;
  const fits = ({c, d, of, results = [], calls = [], next}) => {
    const used = [d, of, ...results, ...calls.map(([, at]) => at)];
    const exist = used.every((at) => typeof at !== 'number' || at < docs.length);
    return c < clients && exist && (!next || fits(next));
  };
  return clients > 0 && docs.length > 0 && steps.every(fits) && isFair(program);
}
