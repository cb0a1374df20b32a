/** What is wrong with a message of the server, if ShareDB's client can't take it for what it is. */
export function misshapen(message: any): string | undefined {
  if (typeof message !== 'object' || typeof message?.a !== 'string') {
    return 'it has no action `a`';
  }
  const {a, v, seq, data, diff} = message;
  if (!isCount(v)) return `its version is ${v}`;
  if (!isCount(seq)) return `its number \`seq\` is ${seq}`;
  // One snapshot, or many: as a list, or by their ids.
  const isOne = a === 'f' || a === 's';
  const isMany = ['bf', 'bs', 'qf', 'qs'].includes(a);
  const snapshots = isOne ? [data] : isMany ? valuesOf(data) : a === 'q' ? inserted(diff) : [];
  const bad = snapshots.find((it: any) => !isCount(it?.v));
  return bad && `it holds a snapshot of version ${(bad as {v: unknown}).v}`;
}

/** Whether it is a whole number that there can be, if it is there. */
function isCount(value: unknown): boolean {
  return (
    value === undefined || value === null || (Number.isSafeInteger(value) && Number(value) >= 0)
  );
}

function valuesOf(data: unknown): unknown[] {
  return typeof data === 'object' && data !== null ? Object.values(data) : [];
}

function inserted(diff: unknown): unknown[] {
  return valuesOf(diff).flatMap((step: any) => valuesOf(step?.values));
}
