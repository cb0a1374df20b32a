import type {Type} from 'sharedb/lib/sharedb.js';
import type {Op} from '../shared/wire.js';
import type {WholeDoc} from './sharedb.js';

const JSON0 = 'http://sharejs.org/types/JSONv0';

/**
 * Submits an op, and throws if it can't be applied: then the document is as before. ShareDB would give
 * up the document's state and all its uncommitted ops, which may be those of other tabs.
 */
export function submitAlone(doc: WholeDoc, {op}: Op, submit: () => void): void {
  // A single component is applied as a whole or not at all.
  const inParts = doc.type?.uri === JSON0 && Array.isArray(op) && op.length > 1;
  if (inParts) tryOut(doc.type as Type, doc.data, op);
  const restore = restoring(doc);
  let failed: {error: unknown} | undefined;
  doc._hardRollback = (error) => {
    failed = {error};
  };
  try {
    submit();
  } finally {
    // ShareDB's own is the prototype's.
    delete doc._hardRollback;
  }
  if (!failed) return;
  restore();
  throw failed.error;
}

/** Brings back the document's state and queue, into which an op may have been composed. */
function restoring(doc: WholeDoc): () => void {
  const {type, data, pendingOps} = doc;
  const count = pendingOps.length;
  const last = pendingOps.at(-1);
  const before = last && {op: last.op, data: last.create?.data, answered: last.callbacks.length};
  return () => {
    doc.type = type;
    doc._setData(data);
    pendingOps.length = count;
    if (!last || !before) return;
    last.callbacks.length = before.answered;
    if ('op' in last) last.op = before.op;
    if (last.create) last.create.data = before.data;
  };
}

/** A component of an op of json0. */
interface Component {
  p: (string | number)[];
}

/**
 * Throws if the op can't be applied. Of the types there are only json0 changes data in place, one
 * component after the other, so this is done on copies of what is on their paths.
 */
function tryOut(type: Type, data: unknown, components: Component[]): void {
  const root = {data};
  const copies = new Set<unknown>([root]);
  for (const component of components) {
    let parent: any = root;
    for (const key of ['data', ...component.p.slice(0, -1)]) {
      const child = parent[key];
      if (typeof child !== 'object' || child === null) break;
      if (!copies.has(child)) {
        parent[key] = Array.isArray(child) ? [...child] : {...child};
        copies.add(parent[key]);
      }
      parent = parent[key];
    }
    root.data = type.apply(root.data, [component]);
  }
}
