import {generate} from './generate.mjs';
import {isSound, shrink} from './shrink.mjs';
import {Lives, MODES, tryProgram} from './trial.mjs';

/**
 * Runs the programs of these seeds in each of the modes. Calls `onFailure` for each that fails, with its
 * shrunken program, and `onProgress` after each program. Returns how often each accepted kind was used.
 */
export async function runSeeds({from, to, modes = MODES, onFailure, onProgress = () => {}}) {
  const used = new Map();
  for (let seed = from; seed < to; seed++) {
    const program = generate(seed);
    const lives = new Lives(program);
    for (const mode of modes) {
      const trial = await tryProgram(program, mode, lives);
      for (const kind of trial.used) used.set(kind, (used.get(kind) ?? 0) + 1);
      if (trial.wrong) onFailure({seed, mode, ...(await shrunken(program, mode, trial.wrong))});
    }
    onProgress(seed + 1 - from);
  }
  return used;
}

/** The smallest program that breaks the same rule. */
async function shrunken(program, mode, {rule}) {
  const breaks = async (candidate) => (await tryProgram(candidate, mode)).wrong?.rule === rule;
  const smallest = await shrink(
    program,
    async (candidate) => isSound(candidate) && breaks(candidate),
  );
  return {
    program: smallest,
    wrong: (await tryProgram(smallest, mode)).wrong ?? {rule, detail: 'not always'},
  };
}
