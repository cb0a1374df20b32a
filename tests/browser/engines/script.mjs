/**
 * The text of an expression that calls `fn` with JSON arguments and resolves to a JSON string,
 * to be read by `result`. It is one expression, without eval, so a page's Content Security Policy
 * does not stop it.
 */
export function expression(fn, args) {
  const list = args.map((arg) => JSON.stringify(arg) ?? 'undefined').join(', ');
  return `(async () => {
    try {
      return JSON.stringify({value: await (${fn})(${list})});
    } catch (error) {
      return JSON.stringify({failed: String(error?.message ?? error)});
    }
  })()`;
}

/** The value an `expression` gave, or its failure, thrown. */
export function result(json) {
  const {value, failed} = JSON.parse(json);
  if (failed !== undefined) throw new Error(failed);
  return value;
}
