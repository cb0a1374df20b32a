// Where a tab differs from a connection of ShareDB's own, and may. Each kind rewrites both logs so that
// the difference can't be seen any more; a kind that no program needs can go.

export const ACCEPTED = [
  {
    name: 'flags in events',
    reason:
      'a tab gets the state first and then the answers, several at once: inside an event or a callback ' +
      'what is pending may already be answered, or not yet, and so may a subscription',
    rewrite: (logs) =>
      logs.map((log) =>
        eachEvent(log, ({subscribed, pending, writePending, ...entry}) => ({
          ...entry,
          ...(entry.results && {results: entry.results.map(withoutFlags)}),
          ...(entry.found && {found: entry.found.map(withoutFlags)}),
        })),
      ),
  },
  {
    name: 'version in events',
    reason:
      'ops that the server has committed one after the other reach a tab together: inside an event the ' +
      'version may be that of the last of them',
    rewrite: (logs) => logs.map((log) => eachEvent(log, ({version, ...entry}) => entry)),
  },
  {
    name: 'place of pending events',
    reason:
      'for the same reason `no write pending` and `nothing pending` may come at another place, or once ' +
      'where ShareDB says it twice',
    rewrite: (logs) => logs.map((log) => eachPhase(log, pendingEventsLast)),
  },
  {
    name: 'quiet requests',
    reason:
      'what ShareDB asks for by itself, after a reconnect or for the results of a query, the hub asks ' +
      'for: a tab has nothing pending that could end',
    rewrite: (logs) => logs.map((log) => log.filter(({what}) => !PENDING.includes(what))),
  },
  {
    name: 'order of answers',
    reason:
      'the server answers a fetch or a subscription and an op at its leisure: if both were asked for at ' +
      'once, either answer may be first',
    rewrite: (logs) => logs.map((log) => eachPhase(log, readsLast)),
  },
  {
    name: 'nothing is skipped',
    reason:
      'where a callback or a listener throws, or an `error` has no listener, ShareDB skips what it had still ' +
      'to tell in that run; a tab tells it',
    rewrite: ([plain, tab], {thrown}) => {
      const told = new Set(plain.filter(({phase}) => thrown.has(phase)).map(comparable));
      const wasTold = (entry) => !thrown.has(entry.phase) || told.has(comparable(entry));
      return [plain, tab.filter(wasTold)];
    },
  },
  {
    name: 'refused presence',
    reason: 'ShareDB calls a presence `subscribed` whose subscription was refused; a tab does not',
    rewrite: (logs, {refused}) =>
      logs.map((log) =>
        log.map((entry) =>
          entry.what === 'is' && 'remote' in entry && refused.some((it) => it.endsWith('presence'))
            ? {...entry, subscribed: undefined}
            : entry,
        ),
      ),
  },
  {
    name: 'other refusals',
    reason:
      'a hub asks the server for other things than a client does (it has a document already, or asks for ' +
      'more at once): what the server refuses hits something else then, and the logs have nothing in common',
    rewrite: (logs, {sameRefusals}) => (sameRefusals ? logs : [[], []]),
  },
];

const PENDING = ['no write pending', 'nothing pending'];

const withoutFlags = ([on, {version, type, data}]) => [on, {version, type, data}];

/** How everything is at the end of a phase is no event. */
function eachEvent(log, rewrite) {
  return log.map((entry) => (entry.what === 'is' ? entry : rewrite(entry)));
}

function eachPhase(log, rewrite) {
  const phases = new Map();
  for (const entry of log) {
    if (!phases.has(entry.phase)) phases.set(entry.phase, []);
    phases.get(entry.phase).push(entry);
  }
  return [...phases.values()].flatMap(rewrite);
}

function pendingEventsLast(entries) {
  const isPending = ({what}) => PENDING.includes(what);
  const present = PENDING.filter((what) => entries.some((entry) => entry.what === what));
  return [...entries.filter((entry) => !isPending(entry)), ...present.map((what) => ({what}))];
}

function readsLast(entries) {
  const isRead = ({what}) => /^callback of (fetch|subscribe|unsubscribe)/.test(what);
  const reads = entries.filter(isRead).map(({phase, what, args}) => ({phase, what, args}));
  return [...entries.filter((entry) => !isRead(entry)), ...reads];
}

const comparable = ({phase, what, args}) => JSON.stringify([phase, what, args]);
