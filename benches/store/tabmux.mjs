import {initSync, MeasuredStore} from 'tabmux-bench-store';
import module from 'tabmux-bench-store.wasm';
import {data, op} from './content.mjs';

initSync({module});

const json = (value) => new TextEncoder().encode(JSON.stringify(value));

/** tabmux's store in IndexedDB. */
export async function open(name) {
  const store = await MeasuredStore.open(name);
  const next = new Map();
  return {
    /** Puts documents of this size in. */
    fill: (ids, bytes) => store.fill(ids, json(data(bytes))),
    /** What makes one more op on a document durable. */
    op(id) {
      const n = next.get(id) ?? 0;
      next.set(id, n + 1);
      const record = json(op(n));
      return () => store.append(id, n, record);
    },
    count: () => store.count(),
    close: () => store.free(),
  };
}
