/** An OT type of the application's own. */
export const type = {
  name: 'counter',
  uri: 'https://example.com/counter',
  create: (initial?: number) => initial ?? 0,
  apply: (count: number, op: number) => count + op,
  compose: (op: number, other: number) => op + other,
  transform: (op: number) => op,
};
