// What programs do not do, since ShareDB itself goes wrong there: nothing could be compared.

/** Whether a program does none of that. */
export function isFair(program) {
  const {steps} = program;
  return !(
    hasOffline(steps, unsubscribes) ||
    hasOffline(steps, isBad) ||
    hasOpBesideBadOne(steps) ||
    isBadWhilePaused(steps) ||
    steps.some(fetchesAndUnsubscribes) ||
    deletesBesideLoad(program) ||
    givesResultsOfForgottenOps(steps) ||
    undoesMember(steps) ||
    isShownWhileDestroyed(steps) ||
    isShownWhileDeleted(steps) ||
    listensWithoutDocument(steps) ||
    refusesPresenceThatIsOff(program) ||
    isDestroyedTwice(steps) ||
    hasFetchesBesideRefusal(steps) ||
    hasUnsubscriptionAfterRefusal(steps) ||
    hasQueryBesideUnheardCreation(program)
  );
}

/** Whether a client does that while its connection is lost. */
function hasOffline(steps, does) {
  return steps.some((step, at) => isOffline(steps, at) && [step, step.next].some(does));
}

/** Whether the client of this step has lost or closed its connection, each of which has its own end. */
export function isOffline(steps, at) {
  const ends = {drop: 'restore', close: 'open'};
  let end;
  for (const {do: kind, c} of steps.slice(0, at + 1)) {
    if (c !== steps[at].c) continue;
    if (kind === end) end = undefined;
    else end ??= ends[kind];
  }
  return end !== undefined;
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
 * client; a document that ShareDB loads after an op that can not be applied, or ops that are missing, or as
 * it was destroyed, is the server's, and when a slow read comes, is a matter of chance.
 */
function deletesBesideLoad({slow, steps}) {
  const all = steps.flatMap((step) => [step, step.next]);
  const deletes = (step) => step?.op?.some?.((component) => component?.od !== undefined);
  const loads = (step) => isBad(step) || ['trim', 'destroy'].includes(step?.do);
  const joins = (step, at) => step.now && at > 0 && steps[at - 1].c !== step.c;
  return (all.some(loads) || (slow && steps.some(joins))) && all.some(deletes);
}

/** If the application has given results, ShareDB says nothing of one that it finds and can not load. */
function givesResultsOfForgottenOps(steps) {
  const gives = (step) => step?.do === 'query' && step.results !== undefined;
  return (
    steps.some(({do: kind}) => kind === 'trim') &&
    steps.some((step) => gives(step) || gives(step.next))
  );
}

/**
 * A member that is deleted and was not there, or set and was there, is not as before once that is undone, nor
 * is an item of a list that was another than the op says; a document that ShareDB loads after that is the
 * server's.
 */
function undoesMember(steps) {
  const sets = (step) => step?.op?.some?.(({p, ld} = {}) => p?.[0] === 'o' || ld !== undefined);
  const undoes = (some) =>
    some.some(({refuse}) => refuse?.what === 'submit') &&
    some.some((step) => [step, step.next].some(sets));
  const waits = steps.some((step) => ['drop', 'close', 'pause'].includes(step.do));
  return waits ? undoes(steps) : phasesOf(steps).some(undoes);
}

/**
 * ShareDB forgets a presence that is shown again while it is being destroyed, never ends that if the
 * connection is lost meanwhile, and takes the answer for one of others if all of the channel is destroyed.
 */
function isShownWhileDestroyed(steps) {
  const destroys = (step) => isPresence(step, ['destroyLocal']);
  const shows = (step) =>
    isPresence(step, ['submit', 'destroyLocal', 'destroy']) || ['drop', 'close'].includes(step?.do);
  if (!steps.some(destroys)) return false;
  if (steps.some(({next}) => shows(next)) || hasOffline(steps, destroys)) return true;
  return phasesOf(steps).some((phase) => {
    const from = phase.findIndex(destroys);
    return from >= 0 && phase.slice(from + 1).some(shows);
  });
}

/** If a document is deleted before its presence is sent, ShareDB looks for the type that it had. */
function isShownWhileDeleted(steps) {
  const shows = (step) => typeof step?.of === 'number' && step.call !== 'subscribe';
  const deletes = (step) => step?.do === 'del';
  const withNext = (phase) => phase.flatMap((step) => [step, step.next]);
  return phasesOf(steps)
    .map(withNext)
    .some((phase) => phase.some(shows) && phase.some(deletes));
}

/**
 * For presence in a document that it does not have, ShareDB loads the document, and drops the presence as
 * it is loaded.
 */
function listensWithoutDocument(steps) {
  return steps.some((step, at) => {
    if (!isPresence(step, ['subscribe']) || typeof step.of !== 'number') return false;
    const gets = ({do: kind, c, d}) =>
      ['subscribe', 'fetch', 'create'].includes(kind) && c === step.c && d === step.of;
    return !steps.slice(0, at).some(gets);
  });
}

/**
 * ShareDB takes presence that it was refused for subscribed, and says yes to who asks again; where there is
 * no presence, the server never answers that.
 */
function refusesPresenceThatIsOff({presence, steps}) {
  return !presence && steps.some(({refuse}) => refuse?.what === 'presence');
}

const isPresence = (step, calls) => step?.do === 'presence' && calls.includes(step.call);

/** The steps that come in one tick. */
function phasesOf(steps) {
  const phases = [];
  for (const step of steps) {
    if (step.now && phases.length > 0) phases.at(-1).push(step);
    else phases.push([step]);
  }
  return phases;
}

/** Of two calls of `destroy` at once ShareDB forgets one, with its callback, if the document is subscribed. */
function isDestroyedTwice(steps) {
  return phasesOf(steps).some((phase) => {
    const calls = phase
      .flatMap(({next, ...step}) => [step, next])
      .filter((it) => it?.do === 'destroy');
    return new Set(calls.map(({c, d}) => `${c} ${d}`)).size < calls.length;
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

/** An op that ShareDB can not compose with the one that waits before it has no callback any more. */
function isBadWhilePaused(steps) {
  return steps.some((step, at) => {
    const isOf = ({c, d}) => c === step.c && d === step.d;
    const [last] = steps
      .slice(0, at)
      .filter((it) => isOf(it) && ['pause', 'resume'].includes(it.do))
      .slice(-1);
    return isBad(step) && last?.do === 'pause';
  });
}

/** The error of a read that a fetch without a callback waits for is told to nobody. */
function hasFetchesBesideRefusal(steps) {
  const readsOf = ({do: kind, c, d, calls = [], cb}) => [
    ...(['fetch', 'subscribe'].includes(kind) ? [{on: `${c} ${d}`, kind, cb}] : []),
    ...calls.map(([method, d]) => ({on: `${c} ${d}`, kind: method})),
  ];
  return phasesOf(steps).some((phase) => {
    const refuses = ({refuse}) => ['fetch', 'read', 'subscribe'].includes(refuse?.what);
    const reads = phase
      .flatMap((step) => [step, ...(step.next ? [step.next] : [])])
      .flatMap(readsOf);
    const isJoined = ({on}, at) => reads.some((other, index) => index !== at && other.on === on);
    const isUnheard = (read, at) => read.kind === 'fetch' && !read.cb && isJoined(read, at);
    return phase.some(refuses) && reads.some(isUnheard);
  });
}

/**
 * If ShareDB is refused a subscription, it never goes on to the unsubscription that waits for it. The answer
 * to one may end a fetch that waits for another, without data and without the error of that.
 */
function hasUnsubscriptionAfterRefusal(steps) {
  return phasesOf(steps).some(
    (phase) =>
      phase.some(({refuse}) => ['subscribe', 'read', 'fetch'].includes(refuse?.what)) &&
      phase.some((step) => [step, step.next].some(unsubscribes)),
  );
}

/**
 * An error that nobody listens for ends the telling of others: the results of a query that wait for a
 * creation never come if it fails so.
 */
function hasQueryBesideUnheardCreation({listen, steps}) {
  if (listen) return false;
  const isUnheard = (step) => step?.do === 'create' && !step.cb;
  return phasesOf(steps).some(
    (phase) =>
      phase.some((step) => [step, step.next].some((it) => it?.do === 'query')) &&
      phase.some((step) => [step, step.next].some(isUnheard)),
  );
}

/** Offline, ShareDB has no document any more after an op that can not be applied, until it is back. */
function isBad(step) {
  return step?.do === 'submit' && step.bad === true;
}
