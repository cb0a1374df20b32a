// Runs programs on ShareDB's clients and on tabs, and prints those whose outcomes differ:
//
//   node tests/differential/run.mjs [--programs 2000] [--from 0] [--mode alone|siblings] [--workers 1]
//   node tests/differential/run.mjs --seed 17 --mode alone
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {parseArgs} from 'node:util';
import {ACCEPTED} from './accepted.mjs';
import {runSeeds} from './campaign.mjs';
import {printFailure} from './print.mjs';
import {MODES} from './trial.mjs';

/** A process keeps some memory of each hub that it had. */
const PER_PROCESS = 250;

const options = {
  seed: {type: 'string'},
  from: {type: 'string', default: '0'},
  programs: {type: 'string', default: '2000'},
  mode: {type: 'string'},
  workers: {type: 'string', default: '1'},
};
const {values} = parseArgs({options});
const from = Number(values.seed ?? values.from);
const to = from + (values.seed === undefined ? Number(values.programs) : 1);
const modes = values.mode === undefined ? MODES : [values.mode];
if (!(to > from)) throw new Error('nothing to run: give `--programs` and `--from` as numbers');
if (!modes.every((mode) => MODES.includes(mode))) {
  throw new Error(`--mode is ${values.mode}: give one of ${MODES.join(', ')}`);
}

process.exit(to - from > PER_PROCESS ? await runInProcesses() : await runHere());

async function runHere() {
  const start = performance.now();
  let failed = 0;
  const onFailure = (failure) => {
    failed += 1;
    console.log(printFailure(failure));
  };
  const seconds = () => (performance.now() - start) / 1000;
  const onProgress = (count) => {
    if (count % 100 !== 0) return;
    console.log(`${count} programs in ${seconds().toFixed(0)} s, ${failed} failed`);
  };
  const used = await runSeeds({from, to, modes, onFailure, onProgress});
  const speed = (to - from) / seconds();
  console.log(
    `${to - from} programs from seed ${from}, ${speed.toFixed(0)} a second: ${failed} failed`,
  );
  for (const {name} of ACCEPTED) console.log(`accepted ${used.get(name) ?? 0} times: ${name}`);
  return failed > 0 ? 1 : 0;
}

/** Runs the seeds in processes of so many, each of which prints what it finds. */
async function runInProcesses() {
  let next = from;
  let worst = 0;
  const work = async () => {
    while (next < to) {
      const start = next;
      next = Math.min(to, start + PER_PROCESS);
      const args = ['--from', start, '--programs', next - start];
      if (values.mode) args.push('--mode', values.mode);
      const child = spawn(process.execPath, [import.meta.filename, ...args], {stdio: 'inherit'});
      const [code] = await once(child, 'exit');
      worst = Math.max(worst, code ?? 1);
    }
  };
  await Promise.all(Array.from({length: Number(values.workers)}, work));
  return worst;
}
