import type {DocName} from '../shared/doc-name.js';

/** One change of a query's results. */
export type QueryStep =
  | {type: 'insert'; index: number; docs: DocName[]}
  | {type: 'remove'; index: number; count: number}
  | {type: 'move'; from: number; to: number; count: number};

/** What makes of some results others, step by step. */
export function stepsBetween(before: DocName[], after: DocName[]): QueryStep[] {
  const steps: QueryStep[] = [];
  const left = before.map(keyOf);
  const wanted = after.map(keyOf);
  const remove = (index: number, count: number) => {
    if (count === 0) return;
    steps.push({type: 'remove', index, count});
    left.splice(index, count);
  };
  const stay = new Set(wanted);
  for (let index = 0; index < left.length; index++) {
    remove(
      index,
      runLength(left, index, (key) => !stay.has(key)),
    );
  }
  const known = new Set(left);
  for (let index = 0; index < wanted.length; index++) {
    const count = runLength(wanted, index, (key) => !known.has(key));
    const from = left.indexOf(wanted[index] as string, index);
    if (count > 0) {
      steps.push({type: 'insert', index, docs: after.slice(index, index + count)});
      const keys = wanted.slice(index, index + count);
      left.splice(index, 0, ...keys);
      for (const key of keys) known.add(key);
    } else if (from > index) {
      steps.push({type: 'move', from, to: index, count: 1});
      left.splice(index, 0, ...left.splice(from, 1));
    }
  }
  remove(wanted.length, left.length - wanted.length);
  return steps;
}

/** How many items from the index on fit. */
function runLength(keys: string[], index: number, fits: (key: string) => boolean): number {
  const end = keys.findIndex((key, at) => at >= index && !fits(key));
  return (end < 0 ? keys.length : end) - index;
}

function keyOf({collection, id}: DocName): string {
  return JSON.stringify([collection, id]);
}
