/** What is wrong with a message of the server, if ShareDB's client can't take it for what it is. */
export function malformed(message: any): string | undefined {
  if (typeof message !== 'object' || typeof message?.a !== 'string') {
    return 'it has no action `a`';
  }
  const {a, v, seq, data, diff, error} = message;
  // It may repeat what was wrong with what it answers.
  if (error) return undefined;
  if (!isCount(v)) return `its version is ${v}`;
  if (!isCount(seq)) return `its number \`seq\` is ${seq}`;
  const isOne = a === 'f' || a === 's';
  const isMany = ['bf', 'bs', 'qf', 'qs'].includes(a);
  if (isOne && !isSnapshot(data)) return 'its snapshot is none';
  if (isMany && !areAll(data, isSnapshot)) return 'of its snapshots one is none';
  if (a === 'q' && !areAll(diff, (step: any) => areAll(step?.values, isSnapshot))) {
    return 'of the documents in its `diff` one is none';
  }
  return undefined;
}

/** Whether it is a whole number that there can be, if it is there. */
function isCount(value: unknown): boolean {
  return (
    value === undefined || value === null || (Number.isSafeInteger(value) && Number(value) >= 0)
  );
}

/** Whether it is a snapshot, if it is there: what there is of it may be that nothing has changed. */
function isSnapshot(value: any): boolean {
  return value === undefined || value === null || (typeof value === 'object' && isCount(value.v));
}

/** Whether these are a list, or an object by ids, of what `isIt`; if they are there. */
function areAll(values: unknown, isIt: (value: unknown) => boolean): boolean {
  if (values === undefined || values === null) return true;
  return typeof values === 'object' && Object.values(values).every((it) => it !== null && isIt(it));
}
