import {isDeepStrictEqual} from 'node:util';
import {ACCEPTED} from './accepted.mjs';
import {
  firstBroughtUpToDate,
  firstCalledBackByTabOnly,
  firstDestroyedBesideOthers,
  firstKnown,
  firstLeftUnloaded,
  firstSubmittedInCallback,
  firstSubmittedOnReturn,
  firstThrownBesideOthers,
} from './phases.mjs';

/** The first difference between what two worlds saw that is not accepted, and the kinds that were. */
export function compare(plain, tab) {
  const logs = [plain.observer.logs, tab.observer.logs];
  const refused = [plain, tab].map(({world}) => world.server.refused);
  const thrown = thrownIn(plain.observer);
  const seen = {
    end: plain.program.steps.length,
    thrown,
    skipped: Math.min(firstThrownBesideOthers(plain, thrown), firstCalledBackByTabOnly(plain, tab)),
    taken: Math.min(firstDestroyedBesideOthers(plain), firstLeftUnloaded(plain, tab)),
    refused: refused[0],
    sameRefusals: isDeepStrictEqual(...refused),
    known: Math.min(
      firstPhase(plain, (step) => step.do === 'ingest' && step.which === 'older'),
      firstKnown(plain, tab),
      firstBroughtUpToDate(plain, tab),
    ),
    waited: Math.min(
      firstPausedOffline(plain),
      firstCreatedByOthers(tab),
      firstSubmittedInCallback(plain),
      firstSubmittedOnReturn(plain),
      firstPhase(plain, (step) => step.do === 'close' && step.now === true),
      firstGivenWhilePaused(plain),
    ),
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

/** The phases in which something was thrown into ShareDB. */
function thrownIn({logs}) {
  const thrown = new Set();
  for (const [on, log] of logs) {
    if (on !== 'process' && !/^c\d+( steps)?$/.test(on)) continue;
    for (const {what, phase} of log) if (/error|throws/.test(what)) thrown.add(phase);
  }
  return thrown;
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

/** The phase in which a creation fails, while a document is paused or a client is offline. */
function firstCreatedByOthers({observer: {logs}, program: {steps}}) {
  const from = steps.findIndex(({do: kind}) => ['pause', 'drop', 'close'].includes(kind));
  const phases = [...logs.values()].flatMap((log) =>
    log.filter(({args}) => args[0]?.error === 'ERR_DOC_ALREADY_CREATED').map(({phase}) => phase),
  );
  return from < 0 ? Infinity : Math.min(...phases.filter((phase) => phase > from));
}

/** The phase in which a client that has paused a document gives a query results. */
function firstGivenWhilePaused(run) {
  const {steps} = run.program;
  return firstPhase(run, ({do: kind, results, c}, at) => {
    const pauses = (step) => step.do === 'pause' && step.c === c;
    return kind === 'query' && results !== undefined && steps.slice(0, at).some(pauses);
  });
}

/** Whether the client of this step has lost or closed its connection. */
function isOffline(steps, at) {
  const changes = {drop: true, close: true, restore: false, open: false};
  const last = steps
    .slice(0, at + 1)
    .findLast((step) => step.do in changes && step.c === steps[at].c);
  return last ? changes[last.do] : false;
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
