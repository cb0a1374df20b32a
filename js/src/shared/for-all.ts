/** What was thrown by several listeners or callbacks that were told one after the other. */
export class SeveralErrors extends AggregateError {
  constructor(errors: unknown[]) {
    super(errors, errors.map((error) => (error as Error)?.message ?? String(error)).join('; '));
    this.name = 'SeveralErrors';
  }
}

/**
 * Acts on each item, whatever is thrown meanwhile, and then throws that: an application's listener or
 * callback must not keep another from being called, nor leave anything half done.
 */
export function forAll<T>(items: Iterable<T>, action: (item: T) => void): void {
  const thrown: unknown[] = [];
  for (const item of items) {
    try {
      action(item);
    } catch (error) {
      thrown.push(...errorsIn(error));
    }
  }
  if (thrown.length > 0) throw thrown.length === 1 ? thrown[0] : new SeveralErrors(thrown);
}

/** Takes each step, as `forAll` does. */
export function doAll(...steps: (() => void)[]): void {
  forAll(steps, (step) => step());
}

/** Each of the errors that `forAll` has thrown. */
export function errorsIn(thrown: unknown): unknown[] {
  return thrown instanceof SeveralErrors ? thrown.errors : [thrown];
}
