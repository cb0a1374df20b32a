import {codes, makeError} from './errors.js';

const dangerous = new Set(Object.getOwnPropertyNames(Object.prototype));

/** The error for a json0 op whose path would reach into a prototype, as ShareDB 7 has it. */
export function checkPaths(type: {name?: string}, edit: any): Error | undefined {
  if (type.name !== 'json0' || edit == null) return undefined;
  try {
    for (let i = 0; i < edit.length; i++) {
      const path = edit[i]?.p;
      if (!Array.isArray(path)) return undefined;
      if (path.some((segment) => dangerous.has(String(segment)))) {
        return makeError(codes.OP_NOT_APPLIED, 'Invalid path segment');
      }
    }
  } catch (error) {
    return makeError(codes.OP_NOT_APPLIED, (error as Error).message);
  }
  return undefined;
}
