import {compare} from './compare.mjs';
import {endProgram} from './finale.mjs';
import {Interpreter} from './interpret.mjs';
import {checkAnswers, checkCallbacks, judge} from './judge.mjs';

export const MODES = ['alone', 'siblings'];

/**
 * Runs a program on plain clients and on tabs: `alone`, each of a hub of its own, or as `siblings` of
 * one. Returns what is wrong, if anything: `{rule, detail, difference?}`, and the accepted kinds used.
 */
export async function tryProgram(program, mode, lives = new Lives(program)) {
  const concurrent = mode === 'siblings';
  const plain = await lives.of('plain', concurrent);
  const tabs = await lives.of(mode, concurrent);
  const [broken] = [
    ...checkCallbacks(plain, tabs),
    ...checkAnswers(plain, tabs),
    ...brokenInTabsAlone(plain, tabs),
  ];
  if (mode === 'siblings') return {wrong: broken, used: []};
  const {difference, used} = compare(plain, tabs);
  if (difference) return {wrong: {rule: 'log', detail: difference.on, difference}, used};
  return {wrong: broken, used};
}

/** What holds for plain clients and not for tabs. */
function brokenInTabsAlone(plain, tabs) {
  const rules = new Set(plain.broken.map(({rule}) => rule));
  return tabs.broken.filter(({rule}) => !rules.has(rule));
}

/** The runs of one program, each of which is made once. */
export class Lives {
  #program;
  #runs = new Map();

  constructor(program) {
    this.#program = program;
  }

  of(mode, concurrent) {
    const program = {...this.#program, concurrent: concurrent && hasConcurrency(this.#program)};
    const key = `${mode} ${program.concurrent}`;
    if (!this.#runs.has(key)) this.#runs.set(key, live(mode, program));
    return this.#runs.get(key);
  }
}

/** Whether steps of several clients come in the same tick. */
function hasConcurrency({steps}) {
  return steps.some(({now, c}, at) => now && at > 0 && steps[at - 1].c !== c);
}

async function live(mode, program) {
  const run = new Interpreter(mode, program);
  try {
    await run.run();
    run.broken = await endProgram(run);
    run.broken.push(...judge(run));
    return run;
  } finally {
    run.close();
  }
}
