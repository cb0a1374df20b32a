import type {DocName} from './doc-name.js';
import type {QueryDiff} from './query.js';

/** How to make other results of these: what goes, and then what comes or moves, from the front on. */
export function stepsTo(from: DocName[], to: DocName[]): QueryDiff[] {
  const steps: QueryDiff[] = [];
  const wanted = new Set(to.map(keyOf));
  const now: string[] = [];
  for (const doc of from) {
    const key = keyOf(doc);
    const last = steps.at(-1);
    if (wanted.has(key)) now.push(key);
    else if (last?.type === 'remove' && last.index === now.length) last.count += 1;
    else steps.push({type: 'remove', index: now.length, count: 1});
  }
  for (const [index, doc] of to.entries()) {
    const key = keyOf(doc);
    if (now[index] === key) continue;
    const at = now.indexOf(key, index);
    if (at >= 0) {
      now.splice(index, 0, ...now.splice(at, 1));
      steps.push({type: 'move', from: at, to: index, count: 1});
      continue;
    }
    now.splice(index, 0, key);
    const last = steps.at(-1);
    if (last?.type === 'insert' && last.index + last.docs.length === index) last.docs.push(doc);
    else steps.push({type: 'insert', index, docs: [doc]});
  }
  return steps;
}

function keyOf({collection, id}: DocName): string {
  return JSON.stringify([collection, id]);
}
