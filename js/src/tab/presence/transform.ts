import {codes, makeError} from '../../shared/errors.js';

/**
 * The presence value as it is after an op.
 *
 * `type` is the document's OT type, `isOwnOp` says whether the op was made by the one whose presence
 * it is. Throws an error with a code if the type is unknown, has no presence, or refuses.
 */
export function transformPresence(type: any, value: any, op: any, isOwnOp: boolean): any {
  if (!type) throw makeError(codes.TYPE_NOT_RECOGNIZED, 'Unknown type');
  if (typeof type.transformPresence !== 'function') {
    const message = `Type does not support presence: ${type.name}`;
    throw makeError('ERR_TYPE_DOES_NOT_SUPPORT_PRESENCE', message);
  }
  if (value === null) return null;
  try {
    return type.transformPresence(value, op, isOwnOp);
  } catch (error) {
    const message = (error as Error)?.message ?? String(error);
    throw makeError('ERR_PRESENCE_TRANSFORM_FAILED', message);
  }
}
