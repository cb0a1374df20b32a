import {isDeepStrictEqual} from 'node:util';
import {ACCEPTED} from './accepted.mjs';
import {isOffline} from './avoided.mjs';
import {
  firstBroughtUpToDate,
  firstDeletedAgain,
  firstDestroyedBesideOthers,
  firstKnown,
  firstLeftUnloaded,
  firstSkipped,
  firstSubmittedInCallback,
  firstSubmittedOnReturn,
  thrownIn,
} from './phases.mjs';

/** The first difference between what two worlds saw that is not accepted, and the kinds that were. */
export function compare(plain, tab) {
  const logs = [plain.observer.logs, tab.observer.logs];
  const refused = [plain, tab].map(({world}) => world.server.refused);
  const seen = {
    end: plain.program.steps.length,
    early: plain.program.early,
    thrown: thrownIn(plain),
    skipped: firstSkipped(plain, tab),
    taken: Math.min(firstDestroyedBesideOthers(plain), firstLeftUnloaded(plain, tab)),
    refused: refused[0],
    sameRefusals: isDeepStrictEqual(...refused),
    createdAnew: firstCreatedAnewInVain(plain),
    createdBesideSame: phasesCreatedBesideSame(plain),
    known: Math.min(
      firstPhase(plain, (step) => step.do === 'ingest' && step.which === 'older'),
      firstKnown(plain, tab),
      firstBroughtUpToDate(plain, tab),
      firstDeletedAgain(plain, tab),
    ),
    waited: Math.min(
      firstPausedOffline(plain),
      firstPausedInCallback(plain),
      firstSentOtherwise(plain),
      firstSubmittedInCallback(plain),
      firstSubmittedInCallbackOffline(plain),
      firstSubmittedOnReturn(plain, tab),
      firstPhase(plain, (step) => step.do === 'close' && step.now === true),
    ),
    found: Math.min(firstFoundWhilePaused(plain), firstGivenBesideCreation(plain)),
  };
  const difference = firstDifference(logs, seen, ACCEPTED);
  if (difference) return {difference, used: []};
  let used = firstDifference(logs, seen, []) ? ACCEPTED : [];
  for (const kind of used) {
    const fewer = used.filter((it) => it !== kind);
    if (!firstDifference(logs, seen, fewer)) used = fewer;
  }
  return {difference: undefined, used: used.map(({name}) => name)};
}

/** The phase of the first such step. */
function firstPhase({program: {steps}, phases}, is) {
  const at = steps.findIndex((step, at) => is(step, at) || (step.next && is(step.next, at)));
  return at < 0 ? Infinity : phases.findLast((from) => from <= at);
}

/** The phase in which a document is paused while its client is offline. */
function firstPausedOffline(run) {
  return firstPhase(run, (step, at) => step.do === 'pause' && isOffline(run.program.steps, at));
}

/** The phase in which an op is submitted in a callback that a client waits for offline. */
function firstSubmittedInCallbackOffline(run) {
  const {steps} = run.program;
  return firstPhase(run, ({next}, at) => next && isOp(next) && isOffline(steps, at));
}

/** The phase in which a document is paused in a callback, after an op of the same tick. */
function firstPausedInCallback(run) {
  return firstCommon(
    phasesWith(run, isOp),
    phasesWith(run, ({next}) => next?.do === 'pause'),
  );
}

/** The phase in which a document begins to send sources, or ends that, after an op of the same tick. */
function firstSentOtherwise(run) {
  return firstCommon(
    phasesWith(run, isOp),
    phasesWith(run, ({do: kind, flag, now}) => kind === 'set' && flag === 'submitSource' && now),
  );
}

/** The phase from which on a client has a query and the creation of a document that is paused. */
function firstFoundWhilePaused(run) {
  const {steps} = run.program;
  const phaseOf = (at) => run.phases.findLast((from) => from <= at);
  const isPaused = (step, at) =>
    isCreation(step) &&
    steps.some(({do: kind, c, d}, other) => {
      return kind === 'pause' && c === step.c && d === step.d && phaseOf(other) <= phaseOf(at);
    });
  const first = (c, is) => firstPhase(run, (step, at) => step.c === c && is(step, at));
  const ofClient = (_, c) => Math.max(first(c, isPaused), first(c, isQuery));
  return Math.min(...run.world.clients.map(ofClient));
}

/** The phase in which a client gives a query results, and creates a document. */
function firstGivenBesideCreation(run) {
  const gives = (step) => isQuery(step) && step.results !== undefined;
  return firstCommon(phasesWith(run, gives), phasesWith(run, isCreation));
}

/** The phases in which a client creates a document, and asks a query that it has already. */
function phasesCreatedBesideSame(run) {
  const {steps} = run.program;
  const all = steps.flatMap((step, at) => [step, step.next].map((it) => ({it, at, c: step.c})));
  const live = all.filter(({it}) => it && isQuery(it) && it.live);
  const name = ({it: {collection, query}, c}) => JSON.stringify([c, collection, query]);
  const isAskedAgain = (step, at) =>
    isQuery(step) && live.some((it) => it.at < at && name(it) === name({it: step, c: steps[at].c}));
  const created = phasesWith(run, isCreation);
  return new Set([...phasesWith(run, isAskedAgain)].filter((phase) => created.has(phase)));
}

/** The phase in which a client creates a document that it has destroyed, and a read is refused. */
function firstCreatedAnewInVain(run) {
  const refuses = ({refuse}) => ['fetch', 'read', 'subscribe'].includes(refuse?.what);
  const creates = (step, at) => isCreation(step) && hasDestroyed(run, step.c, at);
  return firstCommon(phasesWith(run, creates), phasesWith(run, refuses));
}

function hasDestroyed({program: {steps}}, c, at) {
  const destroys = (step) => step?.do === 'destroy' && step.c === c;
  return steps.slice(0, at + 1).some((step) => destroys(step) || destroys(step.next));
}

/** The phases that have such a step. */
function phasesWith({program: {steps}, phases}, is) {
  const has = (at) => is(steps[at], at) || (steps[at].next && is(steps[at].next, at));
  const found = [...steps.keys()].filter(has);
  return new Set(found.map((at) => phases.findLast((from) => from <= at)));
}

const isOp = ({do: kind}) => ['submit', 'create', 'del'].includes(kind);

const isCreation = ({do: kind}) => kind === 'create';

const isQuery = ({do: kind}) => kind === 'query';

/** The first that two sets of phases have in common. */
function firstCommon(phases, others) {
  return Math.min(...[...phases].filter((phase) => others.has(phase)));
}

function firstDifference([plain, tab], seen, accepted) {
  const {end} = seen;
  const differences = [];
  for (const on of new Set([...plain.keys(), ...tab.keys()])) {
    const pair = [plain, tab].map((logs) => (logs.get(on) ?? []).filter(({phase}) => phase < end));
    if (isDeepStrictEqual(...pair)) continue;
    const logs = accepted.reduce((rewritten, kind) => kind.rewrite(rewritten, seen), pair);
    const at = firstUnequal(...logs);
    if (at < 0) continue;
    const phase = Math.min(...logs.map((log) => log[at]?.phase ?? Infinity));
    differences.push({on, at, phase, plain: logs[0], tab: logs[1]});
  }
  return differences.sort((one, other) => one.phase - other.phase)[0];
}

function firstUnequal(left, right) {
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    if (!isDeepStrictEqual(left[at], right[at])) return at;
  }
  return -1;
}
