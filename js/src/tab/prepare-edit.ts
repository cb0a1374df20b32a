import {codes, isShareDBError, makeError} from '../shared/errors.js';
import {checkPaths} from '../shared/paths.js';
import type {WireOp} from '../shared/wire.js';
import type {DocState} from './doc-state.js';

/** Normalizes an edit; returns why it can't be submitted, if so. */
export function prepareEdit(
  {type, inHardRollback, collection, id}: DocState,
  op: WireOp,
): Error | undefined {
  if (!('op' in op)) return;
  if (!type) {
    return inHardRollback
      ? makeError(
          codes.DOC_IN_HARD_ROLLBACK,
          `Cannot submit op. Document is performing hard rollback. ${collection}.${id}`,
        )
      : makeError(
          codes.DOC_DOES_NOT_EXIST,
          `Cannot submit op. Document has not been created. ${collection}.${id}`,
        );
  }
  if (type.normalize) {
    try {
      op.op = type.normalize(op.op);
    } catch (error) {
      if (isShareDBError(error)) return error;
      return makeError(codes.OP_BADLY_FORMED, (error as Error)?.message ?? String(error));
    }
  }
  return checkPaths(type, op.op);
}
