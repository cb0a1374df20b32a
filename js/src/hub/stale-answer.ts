import type {Answer, WholeConnection} from './sharedb.js';
import type {UnansweredOps} from './unanswered-ops.js';

/**
 * Whether this answers an op that the document has given up, in a way that ShareDB's client takes
 * for something else: a refusal for that of the op inflight, or for news although the tab was told as
 * the op was given up; an acknowledgement for a version that changes nothing.
 */
export function isStaleAnswer(
  connection: WholeConnection,
  answer: Answer,
  asked: UnansweredOps,
): boolean {
  const doc = answer.a === 'op' && connection.getExisting(answer.c ?? '', answer.d ?? '');
  if (!doc) return false;
  const inflight = doc.inflightOp;
  if (answer.error) return !(inflight && isOf(inflight, answer)) && !asked.isByHand(answer);
  const isOwn = answer.src === connection.id;
  const isAcknowledgement = !('op' in answer || 'create' in answer || 'del' in answer);
  if (!isOwn || !isAcknowledgement || answer.v !== doc.version) return false;
  if (inflight && isOf(inflight, answer)) return false;
  if (asked.isByHand(answer)) return false;
  doc.fetch();
  return true;
}

/** An op of an earlier hub, sent again, may have the number of one of this connection. */
function isOf({src, seq}: {src?: unknown; seq?: unknown}, answer: Answer): boolean {
  return seq === answer.seq && src === (answer.src ?? src);
}
