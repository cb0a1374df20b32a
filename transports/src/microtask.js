// Returns 1, or 0 if it can't be done. Other than what the platform throws, a number costs nothing to pass.
export function soon(callback) {
  try {
    queueMicrotask(callback);
    return 1;
  } catch {
    return 0;
  }
}
