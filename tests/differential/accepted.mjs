// Where a tab differs from a connection of ShareDB's own, and may. Each kind rewrites the two logs of an
// object so that the difference can't be seen any more; a kind that no program needs can go.

import {isGone} from './phases.mjs';

export const ACCEPTED = [
  {
    name: 'state in events',
    reason:
      'a tab gets the state first and then the answers, and several answers at once: inside an event or a ' +
      'callback the version, what is pending or subscribed, and the data of results may be those from before ' +
      'or after it',
    rewrite: (logs) => logs.map((log) => log.map(withoutState)),
  },
  {
    name: 'pending events',
    reason:
      'for the same reason `no write pending` and `nothing pending` come at other places; and what ShareDB ' +
      'asks for by itself, after a reconnect or for the results of a query, the hub asks for, so that in ' +
      'a tab nothing is pending that could end',
    rewrite: (logs) => logs.map((log) => log.filter(({what}) => !PENDING.includes(what))),
  },
  {
    name: 'order of answers',
    reason:
      'the server answers fetches, subscriptions, presence and ops at its leisure: of those asked for at ' +
      'once, any may have its answer first, and what is asked before there is a connection is sent in any ' +
      'order. It may be what takes a document again that is destroyed, or what loads one that could not be ' +
      'loaded anew after an op that failed. A query that lives already is answered from its results, and those ' +
      'that come of a creation at once with it are inserted',
    rewrite: (logs, {taken, early, createdBesideSame}) =>
      logs.map((log) =>
        eachPhase(until(early ? log.map(withoutEarlySnapshot) : log, taken), (entries) =>
          readsLast(
            createdBesideSame.has(entries[0].phase) ? entries.flatMap(asInserted) : entries,
          ),
        ),
      ),
  },
  {
    name: 'load or change',
    reason:
      'where ShareDB loads a document that it knew not to exist, a tab may get the change that created ' +
      'it, one load instead of several, or one more of a document that does not exist. Where both load it, ' +
      'a tab may have ops of others before or after that, which a query has made the hub ask for',
    rewrite: (logs) => {
      const found = logs.map((log) => log.map(asLoad).filter(hasDocument));
      const [plain, tab] = withoutOpsBesideLoad(...found);
      // A tab that loads more often is not forgiven.
      return countLoads(tab) > countLoads(plain) ? [plain, tab] : [plain, tab].map(loadsOnce);
    },
  },
  {
    name: 'nothing is skipped',
    reason:
      'where a callback or a listener throws, an `error` has no listener, or ops can not be composed, ' +
      'ShareDB skips what it had still to tell, or tells it later, and may throw a TypeError of its own; a ' +
      'tab tells it all. If ShareDB had still to do something then, or never calls back, programs go on in ' +
      'another way',
    rewrite: (logs, {thrown, skipped}) => {
      const [plain, tab] = logs.map((log) => until(log, skipped));
      // Of an object that a skipped callback would have made there is nothing to compare.
      const isMadeInTab = plain.length === 0 && tab.length > 0;
      if (isMadeInTab && [...thrown].some((phase) => phase <= tab[0].phase)) return [[], []];
      const isCallback = ({what}) => what.startsWith('callback of');
      const key = (entry) => comparable(isCallback(entry) ? {...entry, args: []} : entry);
      const told = new Set(plain.map(key));
      const isExtra = (entry) => thrown.has(entry.phase) || isCallback(entry);
      const isKept = (entry) => !isExtra(entry) || told.has(key(entry));
      const early = new Set(tab.filter((entry) => !isKept(entry)).map(withoutPhase));
      const isLate = (entry) => isCallback(entry) && early.has(withoutPhase(entry));
      const toldByTab = new Set(tab.map(comparable));
      const isOwn = (entry) => isSlip(entry) && !toldByTab.has(comparable(entry));
      return [plain.filter((entry) => !isOwn(entry) && !isLate(entry)), tab.filter(isKept)];
    },
  },
  {
    name: 'what was refused',
    reason:
      'ShareDB calls a presence `subscribed` whose subscription was refused, and gives a query that failed ' +
      'the results of which it could not have the state; a tab does not',
    rewrite: (logs, {refused}) => {
      const wasRefused = refused.some((it) => it.endsWith('presence'));
      const forgive = (entry) =>
        entry.what === 'is' && 'remote' in entry ? {...entry, subscribed: undefined} : entry;
      const forgiven = wasRefused ? logs.map((log) => log.map(forgive)) : logs;
      const failed = failedAt(logs[1]);
      return forgiven.map((log) => log.flatMap((entry) => withoutResults(entry, failed)));
    },
  },
  {
    name: 'ops that fail',
    reason:
      'an op that can not be applied makes ShareDB load the document anew, and ops made meanwhile may ' +
      'still reach the server; a tab drops them. How that ends is compared, and which callbacks have an ' +
      'error. Of an op whose document is gone, a tab may hear the ops before that, or after, and each error comes ' +
      'once, where ShareDB may say it again as the server refuses the op: how that ends, and the errors',
    rewrite: ([plain, tab]) => {
      const failed = new Set(plain.filter(hasTypeError).map(({phase}) => phase));
      const stale = phasesOfStaleOps(plain);
      return [plain, tab].map((log) =>
        eachPhase(log, (entries) => {
          if (failed.has(entries[0].phase)) return entries.flatMap(outcome);
          const told = eachErrorOnce(entries);
          return stale.has(entries[0].phase) ? told.filter(isOutcome).map(asGone) : told;
        }),
      );
    },
  },
  {
    name: 'other refusals',
    reason:
      'a hub asks the server for other things than a client does (it has a document already, or asks for ' +
      'more at once): what the server refuses hits something else then, and the logs have nothing in common. ' +
      'Before a client creates a document that it has destroyed, the hub, which has it, asks whether it is there',
    rewrite: (logs, {sameRefusals, createdAnew}) =>
      sameRefusals ? logs.map((log) => until(log, createdAnew)) : [[], []],
  },
  {
    name: 'hubs that know more',
    reason:
      'a hub that has a newer state than an ingested one, or than that of an op that is refused, sends it, ' +
      'where a client of ShareDB stays at the old one; it knows that a document does not exist, at version ' +
      '0, where a client has not asked, and has a document offline that it had until then. It does not ' +
      'ask the server for what came since of documents that are given to a query as results, nor to delete ' +
      'one once more that others have deleted, which makes a version in ShareDB',
    rewrite: (logs, {known}) => logs.map((log) => until(log, known).map(withoutVersionZero)),
  },
  {
    name: 'ops that wait',
    reason:
      'an op made offline is at the hub at once, where siblings see it: to pause the document after that ' +
      'does not hold it back, nor does to close the connection, and what is submitted while it waits, in ' +
      'a callback or as the connection comes back, or with another `submitSource`, may be composed into it or ' +
      'not. To pause the document in a callback may hold back what is submitted in the same tick. Results ' +
      'wait for a paused creation, also those that come later, but not for another if the application has ' +
      'given some',
    rewrite: (logs, {waited, found}) => {
      const isOfQuery = logs.flat().some((entry) => 'ready' in entry);
      const end = isOfQuery ? Math.min(waited, found) : waited;
      return logs.map((log) => until(log, end));
    },
  },
];

const until = (log, end) => log.filter(({phase}) => phase < end);

const PENDING = ['no write pending', 'nothing pending'];

/** How everything is at the end of a phase is compared in full. */
function withoutState({version, subscribed, pending, writePending, ...entry}) {
  if (entry.what === 'is') return {version, subscribed, pending, writePending, ...entry};
  const rewritten = {...entry};
  for (const docs of ['results', 'found']) {
    if (entry[docs]) rewritten[docs] = entry[docs].map(([on]) => on);
  }
  return rewritten;
}

/** Nobody has created the document but this client. */
function withoutVersionZero(entry) {
  return entry.writePending && entry.version === 0 ? {...entry, version: null} : entry;
}

function eachPhase(log, rewrite) {
  const phases = new Map();
  for (const entry of log) {
    if (!phases.has(entry.phase)) phases.set(entry.phase, []);
    phases.get(entry.phase).push(entry);
  }
  return [...phases.values()].flatMap(rewrite);
}

function readsLast(entries) {
  const isRead = ({what}) =>
    /^callback of (fetch|subscribe|unsubscribe|presence|nothingPending)/.test(what);
  const reads = entries.filter(isRead).map(({phase, what, args}) => ({phase, what, args}));
  reads.sort((one, other) => (one.what < other.what ? -1 : 1));
  return [...entries.filter((entry) => !isRead(entry)), ...reads];
}

/** What a query has by the end of the phase is compared, not by which events it came. */
function asInserted({results, found, ...entry}) {
  if (entry.what === 'is') return [{...entry, ...(results && {results})}];
  if (['insert', 'changed'].includes(entry.what)) return [];
  return [found ? {...entry, args: entry.args.slice(0, 1)} : entry];
}

function withoutEarlySnapshot(entry) {
  const isEarly = entry.phase === 0 && entry.what.startsWith('callback of snapshot');
  return isEarly ? {...entry, args: entry.args.slice(0, 1)} : entry;
}

/** A creation by others looks like a load. */
function asLoad(entry) {
  if (entry.what !== 'create' || entry.args[0] !== false) return entry;
  return {...entry, what: 'load', args: []};
}

/** Without the ops of others in phases in which ShareDB only loads the document, which has them then. */
function withoutOpsBesideLoad(plain, tab) {
  const isLoad = ({what}) => what === 'load';
  const isOfOthers = ({what, args}) => /^(before )?op/.test(what) && args[1] === false;
  const phasesOf = (is) => new Set(plain.filter(is).map(({phase}) => phase));
  const [loads, changes] = [phasesOf(isLoad), phasesOf(isOfOthers)];
  const isOnlyLoaded = (phase) => loads.has(phase) && !changes.has(phase);
  const isSpared = (entry) => isOnlyLoaded(entry.phase) && isOfOthers(entry);
  const spared = new Set(tab.filter(isSpared).map(({phase}) => phase));
  const withoutData = ({data, ...entry}) => entry;
  return [plain, tab].map((log) =>
    log
      .filter((entry) => log === plain || !isSpared(entry))
      .map((entry) => (isLoad(entry) && spared.has(entry.phase) ? withoutData(entry) : entry)),
  );
}

const hasDocument = ({what, type}) => what !== 'load' || type !== null;

const countLoads = (log) => log.filter(({what}) => what === 'load').length;

function loadsOnce(log) {
  return log.filter((entry, at) => {
    const next = log[at + 1];
    return entry.what !== 'load' || next?.what !== 'load' || next.phase !== entry.phase;
  });
}

/** The phases in which an op is submitted whose document is gone. */
function phasesOfStaleOps(log) {
  const submits = new Set();
  const stale = new Set();
  for (const {what, args, phase} of log) {
    if (what === 'op batch' && args[1]) submits.add(phase);
    if (isGone(args[0]?.error) && submits.has(phase)) stale.add(phase);
  }
  return stale;
}

function asGone(entry) {
  if (!isGone(entry.args[0]?.error)) return entry;
  const {type, data, ...rest} = entry;
  return {...rest, args: [{error: 'gone'}]};
}

const isOutcome = ({what}) => what === 'is' || what === 'error' || /^callback/.test(what);

/** Of several ways to say that the document is gone, the first counts. */
function eachErrorOnce(entries) {
  const nameOf = (code) => (isGone(code) ? 'gone' : code);
  const calledBack = entries.filter(({what}) => what.startsWith('callback of'));
  const told = new Set(
    calledBack
      .map(({args}) => args[0]?.error)
      .filter(isGone)
      .map(nameOf),
  );
  return entries.filter(({what, args}) => {
    const code = args[0]?.error;
    if (what !== 'error' || !code?.startsWith('ERR_DOC_')) return true;
    return !told.has(nameOf(code)) && told.add(nameOf(code));
  });
}

const comparable = ({phase, what, args}) => JSON.stringify([phase, what, args]);

const withoutPhase = ({what, args}) => JSON.stringify([what, args]);

/** An error that is none of ShareDB's but one in it, or in a type. */
function isSlip({what, args}) {
  return what === 'error' && /^Cannot read properties of (null|undefined)/.test(args[0]?.error);
}

/** An error of an OT type, which has no code, or that of its absence. */
function hasTypeError({args}) {
  const code = args[0]?.error;
  return code !== undefined && (!code.startsWith('ERR_') || code === 'ERR_OT_OP_BADLY_FORMED');
}

/** The phase in which a query failed, so that it has never had results. */
function failedAt(log) {
  const hasError = ({what, args}) =>
    what === 'error' || (what.startsWith('callback of query') && args[0]);
  const ready = log.findIndex(({what}) => what === 'ready');
  return hasError(log[ready + 1] ?? {what: ''}) && ready >= 0 ? log[ready].phase : Infinity;
}

function withoutResults({results, found, ...entry}, failed) {
  if (entry.phase < failed) {
    return [
      {...entry, ...(results !== undefined && {results}), ...(found !== undefined && {found})},
    ];
  }
  return ['insert', 'remove', 'move', 'changed'].includes(entry.what) ? [] : [entry];
}

/** What is left of a phase if only its end counts. */
function outcome({pending, writePending, ...entry}) {
  if (entry.what === 'is') return [entry];
  if (!/^callback of (submit|create|del)/.test(entry.what)) return [];
  return [{phase: entry.phase, what: entry.what, failed: Boolean(entry.args[0])}];
}
