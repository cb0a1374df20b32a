import {type CoreError, toError} from '../errors.js';
import type {Asked} from './asked.js';
import type {Answer, WholeConnection} from './sharedb.js';

/**
 * Whether this answers an op that the document has given up, in a way that ShareDB's client takes
 * for something else: a refusal for that of the op inflight, an acknowledgement for a version that
 * changes nothing. The document hears of it here in place of that.
 */
export function wouldMislead(connection: WholeConnection, answer: Answer, asked: Asked): boolean {
  const doc = answer.a === 'op' && connection.getExisting(answer.c ?? '', answer.d ?? '');
  if (!doc) return false;
  const inflight = doc.inflightOp;
  if (answer.error) {
    if (!inflight || inflight.seq === answer.seq || asked.isByHand(answer)) return false;
    doc.emit('error', toError(answer.error as CoreError) as never);
    return true;
  }
  const isOwn = answer.src === connection.id;
  const isAcknowledgement = !('op' in answer || 'create' in answer || 'del' in answer);
  if (!isOwn || !isAcknowledgement || answer.v !== doc.version) return false;
  if (inflight && inflight.seq === answer.seq && inflight.src === answer.src) return false;
  if (asked.isByHand(answer)) return false;
  doc.fetch();
  return true;
}
