/** How long it takes until something is tried again, at first. */
export const FIRST_WAIT_MS = 250;

/** How long to wait before each further attempt: twice as long as before the last, up to the longest. */
export function backoff(longest = Number.POSITIVE_INFINITY): () => number {
  let next = FIRST_WAIT_MS;
  return () => {
    const wait = next;
    next = Math.min(2 * wait, longest);
    return wait;
  };
}
