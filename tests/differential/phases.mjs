// Where chance, or what ShareDB skips, decides how a program goes on.

const OPS = ['submit', 'create', 'del'];
const isOp = (step) => OPS.includes(step?.do);
const returns = ({do: kind}) => ['restore', 'open'].includes(kind);

/** The steps of each phase, by the number of the first. */
function stepsByPhase({program: {steps}, phases}) {
  return phases.map((from, at) => [from, steps.slice(from, phases[at + 1])]);
}

function firstPhase(run, fits) {
  return stepsByPhase(run).find(([from, steps]) => fits(steps, from))?.[0] ?? Infinity;
}

/** The phases in which something was thrown into ShareDB. */
export function thrownIn({observer: {logs}}) {
  const thrown = new Set();
  for (const [on, log] of logs) {
    if (on !== 'process' && !/^c\d+( steps)?$/.test(on)) continue;
    for (const {what, phase} of log) if (/error|throws/.test(what)) thrown.add(phase);
  }
  return thrown;
}

/** The first phase in which ShareDB may skip what a tab does: the program goes on in another way. */
export function firstSkipped(plain, tab) {
  return Math.min(
    firstThrownBesideOthers(plain, thrownIn(plain)),
    firstCalledBackByTabOnly(plain, tab),
  );
}

/** A phase in which something was thrown while more was asked for or resumed, which ShareDB may skip. */
function firstThrownBesideOthers(run, thrown) {
  return firstPhase(
    run,
    (steps, from) => thrown.has(from) && (steps.length > 1 || steps.some(returns)),
  );
}

/** A phase in which only the tab calls back, and goes on with another step. */
function firstCalledBackByTabOnly(plain, tab) {
  const {steps} = plain.program;
  const goesOn = ([key, {count}]) => {
    const called = tab.observer.calls.get(key)?.count;
    return count === 0 && called > 0 && steps[key]?.next !== undefined;
  };
  const keys = [...plain.observer.calls].filter(goesOn).map(([key]) => key);
  const phases = [...tab.observer.logs.values()].flatMap((log) =>
    log.filter(({what}) => keys.some((key) => what.endsWith(` ${key}`))).map(({phase}) => phase),
  );
  return Math.min(Infinity, ...phases);
}

/** A phase in which an op is submitted in a callback, beside another of the same client. */
export function firstSubmittedInCallback(run) {
  return firstPhase(run, (steps) =>
    steps.some(({c, next}, at) => {
      const isOther = (step, other) => other !== at && step.c === c;
      const submits = (step) => isOp(step) || isOp(step.next);
      return isOp(next) && steps.some((step, other) => isOther(step, other) && submits(step));
    }),
  );
}

/**
 * A phase in which an op is submitted right before the connection comes back, and made another version, or
 * may have failed with a creation.
 */
export function firstSubmittedOnReturn(plain, tab) {
  const returns = (step) => ['restore', 'open'].includes(step.do);
  const submitsFirst = (steps) =>
    steps.some((step, at) => isOp(step) && steps.slice(at).some(returns));
  const phases = new Map(stepsByPhase(plain));
  return firstEnd(plain, tab, ({phase, ofPlain, ofTab, codes}) => {
    const differs = ofTab.version > ofPlain.version || codes.includes('ERR_DOC_ALREADY_CREATED');
    return submitsFirst(phases.get(phase)) && differs;
  });
}

/** A phase in which a document is destroyed, while an answer to something else may take it again. */
export function firstDestroyedBesideOthers(run) {
  const all = run.program.steps;
  return firstPhase(run, (steps, from) =>
    steps.some(({do: kind, c, next}) => {
      const mayTake = (step) => step.c === c && (step.do === 'query' || step.next !== undefined);
      const isLive = (step) => step?.do === 'query' && step.live;
      const hasLive = (step) => step.c === c && [step, step.next].some(isLive);
      const destroysLater = next?.do === 'destroy' && all.slice(0, from).some(hasLive);
      return destroysLater || (kind === 'destroy' && steps.some(mayTake));
    }),
  );
}

/** An error by which an op is told that its document is gone. */
export const isGone = (code) => code === 'ERR_DOC_WAS_DELETED' || code === 'ERR_DOC_DOES_NOT_EXIST';

/** The phase after which a document that could not be loaded anew has a state in one world only. */
export function firstLeftUnloaded(plain, tab) {
  const crowded = new Set(
    stepsByPhase(plain)
      .filter(([, steps]) => steps.length > 1)
      .map(([from]) => from),
  );
  return firstEnd(plain, tab, ({phase, ofPlain, ofTab, codes}) => {
    const isLeft = codes.includes('ERR_HARD_ROLLBACK_FETCH_FAILED');
    const differs = (ofPlain.version === null) !== (ofTab.version === null);
    return isLeft && differs && crowded.has(phase);
  });
}

/**
 * The phase after which the tab has a newer state, of a document that is not subscribed, than a client that
 * is offline, or whose op or request has failed since the document or its ops are gone.
 */
export function firstKnown(plain, tab) {
  const isMissing = (code) => /^Missing ops/.test(code);
  return firstEnd(plain, tab, ({ofPlain, ofTab, codes}) => {
    // That nobody has created it is no state, unless it is waited for.
    const isAwaited = ofPlain.version === null && ofPlain.pending && !ofPlain.writePending;
    const isNewer = ofTab.version > (ofPlain.version ?? (isAwaited ? -1 : 0));
    const hasFailed = codes.some((code) => isGone(code) || isMissing(code));
    return isNewer && !ofPlain.subscribed && (ofPlain.pending || hasFailed);
  });
}

/** A phase in which a document is deleted that others have deleted, which the hub heard first. */
export function firstDeletedAgain(plain, tab) {
  const deletes = ({do: kind, next}) => kind === 'del' || next?.do === 'del';
  const phases = new Map(stepsByPhase(plain));
  return firstEnd(plain, tab, ({phase, ofPlain, ofTab}) => {
    const isDeleted = ofPlain.type === null && ofTab.type === null;
    return isDeleted && ofTab.version < ofPlain.version && phases.get(phase)?.some(deletes);
  });
}

/**
 * The first phase at whose end that holds of how a document is there, in either world, and of the codes
 * of the errors that ShareDB has told of it in that phase.
 */
function firstEnd(plain, tab, holds) {
  const found = plain.observer.docs.flatMap(({on}) => {
    const [ofPlain, ofTab] = [plain, tab].map(({observer}) => observer.logs.get(on) ?? []);
    const ends = new Map(ofTab.filter(isEnd).map((entry) => [entry.phase, entry]));
    const codesIn = (phase) =>
      ofPlain.filter((entry) => entry.phase === phase).map(({args}) => args[0]?.error);
    const isIt = ({phase, ...state}) =>
      ends.has(phase) &&
      holds({phase, ofPlain: state, ofTab: ends.get(phase), codes: codesIn(phase)});
    return ofPlain.filter(isEnd).find(isIt)?.phase ?? [];
  });
  return Math.min(Infinity, ...found);
}

const isEnd = ({what}) => what === 'is';

/** The phase in which ShareDB has more ops of others than a tab, of a document that was given to a query as a
 * result. */
export function firstBroughtUpToDate(plain, tab) {
  const {docs, steps} = plain.program;
  const phaseOf = (at) => plain.phases.findLast((from) => from <= at);
  const changes = ['before op batch', 'create', 'del'];
  const isByOthers = ({what, args}) => changes.includes(what) && args.at(-1) === false;
  const told = steps.flatMap(({c, ...step}, at) => {
    const isQuery = (it) => it?.do === 'query';
    const given = [step, step.next].filter(isQuery).flatMap(({results = []}) => results);
    return given.flatMap((d) => {
      const name = `c${c} ${docs[d].collection}/${docs[d].id}`;
      const [ofPlain, ofTab] = [plain, tab].map(({observer}) =>
        (observer.logs.get(name) ?? []).filter(isByOthers).map(({phase}) => phase),
      );
      const times = (phases, phase) => phases.filter((other) => other === phase).length;
      const isMore = (phase) => times(ofPlain, phase) > times(ofTab, phase);
      return ofPlain.filter((phase) => phase >= phaseOf(at) && isMore(phase));
    });
  });
  return Math.min(Infinity, ...told);
}
