// What programs do not do, since ShareDB itself goes wrong there: nothing could be compared.

/** Whether a program does none of that. */
export function isFair({steps}) {
  return !(
    hasOffline(steps, unsubscribes) ||
    hasOffline(steps, isBad) ||
    hasOpBesideBadOne(steps) ||
    steps.some(fetchesAndUnsubscribes) ||
    deletesBesideBadOp(steps) ||
    isShownWhileDestroyed(steps) ||
    isDestroyedTwice(steps) ||
    hasUnsubscriptionAfterRefusal(steps)
  );
}

/** Whether a client does that while its connection is lost. */
function hasOffline(steps, does) {
  const offline = new Set();
  for (const step of steps) {
    if (step.do === 'drop' || step.do === 'close') offline.add(step.c);
    if (step.do === 'restore' || step.do === 'open') offline.delete(step.c);
    if (offline.has(step.c) && [step, step.next].some(does)) return true;
  }
  return false;
}

/**
 * Offline, ShareDB calls back for an unsubscription at once, and with it for each fetch that waits, which
 * never gets its data.
 */
function unsubscribes(step) {
  if (step?.do === 'bulk') return step.calls.some(([method]) => method === 'unsubscribe');
  return step?.do === 'unsubscribe' || step?.do === 'destroy';
}

/** A document that ShareDB fetches and unsubscribes in one bulk has no state after that. */
function fetchesAndUnsubscribes({do: kind, calls}) {
  if (kind !== 'bulk') return false;
  const asked = (method) => calls.filter(([name]) => name === method).map(([, d]) => d);
  return asked('fetch').some((d) => asked('unsubscribe').includes(d));
}

/**
 * A member that is deleted while another client inserts it may be there at the server and not at that
 * client; a document that ShareDB loads after an op that can not be applied is the server's.
 */
function deletesBesideBadOp(steps) {
  const all = steps.flatMap((step) => [step, step.next]);
  const deletes = (step) => step?.op?.some?.((component) => component?.od !== undefined);
  return all.some(isBad) && all.some(deletes);
}

/** ShareDB forgets a presence that is shown again while it is being destroyed. */
function isShownWhileDestroyed(steps) {
  const destroys = steps.some((step) => step.do === 'presence' && step.call === 'destroyLocal');
  return destroys && steps.some(({next}) => next?.do === 'presence' && next.call === 'submit');
}

/** Of two calls of `destroy` at once ShareDB forgets one, with its callback, if the document is subscribed. */
function isDestroyedTwice(steps) {
  const destroyed = new Set();
  return steps.some((step) => {
    if (!step.now) destroyed.clear();
    const calls = [step, step.next].filter((it) => it?.do === 'destroy');
    return calls.some(({c, d}) => {
      const name = `${c} ${d}`;
      if (destroyed.has(name)) return true;
      destroyed.add(name);
      return false;
    });
  });
}

/**
 * If an op can not be applied while another is under way, ShareDB loads the document without waiting for
 * that: it may stay at a state from before.
 */
function hasOpBesideBadOne(steps) {
  return steps.some((step, at) => {
    if (isBad(step.next)) return true;
    return isBad(step) && (step.now || steps[at + 1]?.now);
  });
}

/** If ShareDB is refused a subscription, it never goes on to the unsubscription that waits for it. */
function hasUnsubscriptionAfterRefusal(steps) {
  return steps.some(({refuse}, at) => {
    if (refuse?.what !== 'subscribe') return false;
    const from = steps.slice(0, at + 1).findLastIndex(({now}) => !now);
    const length = steps.slice(at + 1).findIndex(({now}) => !now);
    const phase = steps.slice(Math.max(0, from), length < 0 ? undefined : at + 1 + length);
    return phase.some((step) => [step, step.next].some(unsubscribes));
  });
}

/** Offline, ShareDB has no document any more after an op that can not be applied, until it is back. */
function isBad(step) {
  return step?.do === 'submit' && step.bad === true;
}
