// The marks that typists leave, such as `3b.17`: of round 3, tab b, with 17 before it.

/** The marks in a rich-text op or in one of json0, in their order. */
export function marksOf(op) {
  if (Array.isArray(op)) return op.flatMap(({li}) => (li === undefined ? [] : [li]));
  return marksIn(op.ops.map(({insert}) => insert ?? '').join(''));
}

/** The marks in a text, in their order. */
export const marksIn = (text) => text.split(' ').filter((mark) => mark !== '');

/**
 * Compares what typists know with what the server's log has of one document.
 *
 * @param {string[]} marks in the order of the log
 * @param {Map<string, {typed: number, durable: number}>} typists how many marks each tab typed, and
 *   how many of those it knew to be durable
 */
export function compare(marks, typists) {
  const byTab = new Map([...typists.keys()].map((tab) => [tab, []]));
  for (const mark of marks) {
    const [tab, number] = mark.split('.');
    // A tab may be killed before it tells anything.
    if (!byTab.has(tab)) byTab.set(tab, []);
    byTab.get(tab).push(Number(number));
  }
  const sum = {typed: 0, durable: 0, committed: 0, lost: [], doubled: [], misplaced: []};
  for (const [tab, numbers] of byTab) {
    const {typed, durable} = typists.get(tab) ?? {typed: 0, durable: 0};
    const once = new Set(numbers);
    const named = (list) => list.map((number) => `${tab}.${number}`);
    sum.typed += Math.max(typed, ...numbers.map((number) => number + 1));
    sum.durable += durable;
    sum.committed += once.size;
    const known = Array.from({length: durable}, (_, number) => number);
    sum.lost.push(...named(known.filter((number) => !once.has(number))));
    sum.doubled.push(...named(numbers.filter((number, at) => numbers.indexOf(number) < at)));
    sum.misplaced.push(...named([...once].filter((number, at) => number !== at)));
  }
  return sum;
}
