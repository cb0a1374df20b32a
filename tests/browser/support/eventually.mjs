import {setTimeout as sleep} from 'node:timers/promises';

const PATIENCE_MS = 30_000;
const POLL_MS = 20;

/** Repeats a check until it throws nothing more; what it throws at the last is thrown here. */
export async function eventually(check) {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(POLL_MS);
  }
}
