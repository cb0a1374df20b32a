import {initSync, MeasuredStore} from 'tabmux-bench-store';
import module from 'tabmux-bench-store.wasm';
import {data, op} from './content.mjs';

initSync({module});

/** The hub writes three records for an op, and a checkpoint after a thousand. */
const OPS_PER_CHECKPOINT = 333;

const json = (value) => new TextEncoder().encode(JSON.stringify(value));

/** tabmux's store in IndexedDB. */
export async function open(name) {
  const store = await MeasuredStore.open(name);
  const next = new Map();
  const sizes = new Map();
  return {
    /** Puts documents of this size in. */
    fill(ids, bytes) {
      for (const id of ids) sizes.set(id, bytes);
      return store.fill(ids, json(data(bytes)));
    },
    /** What makes one more op on a document durable. */
    op(id) {
      const n = next.get(id) ?? 0;
      next.set(id, n + 1);
      const record = json(op(n));
      const isLast = next.get(id) % OPS_PER_CHECKPOINT === 0;
      const checkpoint = isLast ? json(data(sizes.get(id))) : undefined;
      return () => store.append(id, n, record, checkpoint);
    },
    count: () => store.count(),
    close: () => store.free(),
  };
}
