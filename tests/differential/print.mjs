// What is said of a program that fails.

/** A program as text, a step a line. */
export function printProgram({steps, ...settings}) {
  const lines = steps.map((step) => `    ${JSON.stringify(step)},`);
  return ['{', `  ...${JSON.stringify(settings)},`, '  steps: [', ...lines, '  ],', '}'].join('\n');
}

/** What is wrong: the rule that is broken, and the two logs around their first difference. */
export function printWrong({rule, detail, difference}) {
  if (!difference) return `${rule}: ${detail}`;
  const {at, on, phase, plain, tab} = difference;
  const around = (log) => {
    const from = Math.max(0, at - 2);
    const lines = log.slice(from, at + 4).map((entry, index) => {
      return `${from + index === at ? '  > ' : '    '}${JSON.stringify(entry)}`;
    });
    return [...lines, ...(log.length <= at ? ['  > nothing more'] : [])].join('\n');
  };
  return `the logs of ${on} differ from step ${phase} on\n  ShareDB\n${around(plain)}\n  tab\n${around(tab)}`;
}

/** One seed that fails, with its shrunken program. */
export function printFailure({seed, mode, program, wrong}) {
  return [
    `seed ${seed}, ${mode}`,
    printProgram(program),
    printWrong(wrong),
    `node tests/differential/run.mjs --seed ${seed} --mode ${mode}`,
    '',
  ].join('\n');
}
