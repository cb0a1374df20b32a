// What must hold of every run, also where its outcome need not be that of another.

import {firstSkipped} from './phases.mjs';

/** What does not hold of a run, as `{rule, detail}`. */
export function judge(run) {
  const broken = [];
  const report = (rule, detail) => broken.push({rule, detail});
  checkLog(run, report);
  checkErrors(run, report);
  checkResults(run, report);
  for (const [on, log] of run.observer.logs) {
    if (on !== 'process' && !/^c\d+$/.test(on)) continue;
    for (const {what, args} of log) {
      if (what !== 'error' || mayThrow(run.program, on, args[0])) continue;
      report('thrown', JSON.stringify(args[0]));
    }
  }
  return broken;
}

/**
 * Whether a program throws that itself, or the error is that of an op that has no callback, which plain
 * clients may have as well: who composes ops offline hears of each by the callback of any, and among
 * siblings at once with one another, each may be the first. Siblings are offline together, and may have edited
 * what the server can't lead on from when they are back.
 */
function mayThrow(program, on, {error}) {
  if (error?.startsWith('thrown in callback')) return true;
  const isUnheard = (step) => isOp(step) && !step.cb && (on === 'process' || on === `c${step.c}`);
  const wasOffline = program.steps.some(({do: kind}) => ['drop', 'close'].includes(kind));
  const isForgotten = wasOffline && /^Missing ops/.test(error);
  return (isErrorOfOp(error) || isForgotten) && allSteps(program).some(isUnheard);
}

const isOp = ({do: kind}) => ['submit', 'create', 'del'].includes(kind);

const isErrorOfOp = (code) => /^ERR_(DOC|OT|OP|REFUSED_SUBMIT)/.test(code);

/**
 * Each callback is called as often as in plain ShareDB: once, but where that does not call back
 * either.
 */
export function checkCallbacks(plain, run) {
  const broken = [];
  for (const [key, {count, on}] of run.observer.calls) {
    const expected = plain.observer.calls.get(key)?.count ?? 1;
    // What comes after a callback that plain ShareDB never calls can't be compared.
    const [, before] = /^(.*)\.next$/.exec(key) ?? [];
    const isBeyond = plain.observer.calls.get(before)?.count === 0;
    // Of siblings, the last is one of ShareDB's own.
    const isPlain = run.world.isPlain(on) && count === 0;
    if (count === 1 || count === expected || isBeyond || isPlain) continue;
    if (isEnded(run.program, on, key, count)) continue;
    broken.push({rule: 'callbacks', detail: `callback ${key} of ${on} is called ${count} times`});
  }
  return broken;
}

/** Whether a query has no answer since it may have been ended before that, as in ShareDB. */
function isEnded({steps}, on, key, count) {
  const [, c] = /^c(\d+) query /.exec(on) ?? [];
  const ends = (step) => step.do === 'endQuery' && step.c === Number(c);
  return count === 0 && steps.slice(Number.parseInt(key, 10)).some(ends);
}

/**
 * While nobody is offline, holds back or is refused, and each step is over before the next, siblings have
 * the answers that plain clients have, as long as those skip nothing.
 */
export function checkAnswers(plain, run) {
  if (!isCalm(run.program)) return [];
  const broken = [];
  const skipped = firstSkipped(plain, run);
  for (const [key, {count, error, on}] of run.observer.calls) {
    if (Number.parseInt(key, 10) >= skipped) continue;
    const expected = plain.observer.calls.get(key);
    if (!expected?.count || !count || error?.error === expected.error?.error) continue;
    const [had, wanted] = [error, expected.error].map((it) => it?.error ?? 'no error');
    broken.push({rule: 'answers', detail: `callback ${key} of ${on} has ${had}, not ${wanted}`});
  }
  return broken;
}

function isCalm({steps, early}) {
  const loud = ['drop', 'restore', 'close', 'open', 'pause', 'resume', 'trim'];
  const joins = (step, at) => step.now && steps[at - 1]?.c !== step.c;
  // Where a hub has a newer state than an ingested one, it sends it.
  const ingests = (step) => step?.do === 'ingest' && step.which === 'older';
  const isLoud = (step, at) =>
    loud.includes(step.do) || step.refuse || joins(step, at) || ingests(step) || ingests(step.next);
  return !early && !steps.some(isLoud);
}

/** The server's log has what was acknowledged, once each, and nothing of what was refused. */
function checkLog({world, marks, observer, program}, report) {
  const found = new Map();
  for (const {collection, id, op} of world.server.committed) {
    for (const mark of marksIn(op)) {
      const at = `${mark} ${collection}/${id}`;
      found.set(at, (found.get(at) ?? 0) + 1);
    }
  }
  // Such a refusal is no error; and rich-text drops the marks of ops that are made for json0.
  const isSilent = program.steps.some(
    ({refuse, type, d}) =>
      refuse?.code === 'ERR_OP_SUBMIT_REJECTED' || (type && type !== program.docs[d].type),
  );
  for (const [key, {collection, id}] of marks) {
    const {count, error} = observer.calls.get(key) ?? {};
    const times = found.get(`${key} ${collection}/${id}`) ?? 0;
    if (times > 1) report('exactly once', `op ${key} was committed ${times} times`);
    if (count === undefined || count === 0) continue;
    if (error && times > 0) report('refused', `op ${key} was committed and has ${error.error}`);
    if (!error && times === 0 && !isSilent) report('acknowledged', `op ${key} was not committed`);
  }
}

function marksIn({op, create}) {
  if (create) return Object.keys(create.data?.marks ?? {});
  if (!Array.isArray(op)) return [];
  return op.filter(({p, oi}) => p?.[0] === 'marks' && oi !== undefined).map(({p}) => p[1]);
}

/** Where each op has a callback, no error of an op is an event. */
function checkErrors({program, observer}, report) {
  for (const [on, log] of observer.logs) {
    const [, c, name] = /^c(\d+) (\w+\/\w+)/.exec(on) ?? [];
    if (!name) continue;
    const isOf = (step) =>
      isOp(step) && step.c === Number(c) && nameOf(program.docs[step.d]) === name;
    if (
      !allSteps(program)
        .filter(isOf)
        .every(({cb}) => cb)
    )
      continue;
    for (const {what, args} of log) {
      const code = args[0]?.error;
      if (what === 'error' && isErrorOfOp(code)) {
        report('error event', `${on} emits ${code}, though each op has a callback`);
      }
    }
  }
}

const nameOf = ({collection, id}) => `${collection}/${id}`;

function stepOf({steps}, key) {
  const [at, ...next] = key.split('.');
  return next.reduce((step) => step.next, steps[at]);
}

function allSteps({steps}) {
  return steps.flatMap((step) => [step, ...(step.next ? [step.next] : [])]);
}

/** Results of queries have data, but for those that the application gave. */
function checkResults({observer, program}, report) {
  for (const [on, log] of observer.logs) {
    const [, key] = /^c\d+ query (\S+)$/.exec(on) ?? [];
    if (!key || stepOf(program, key).results) continue;
    for (const {what, found, results} of log) {
      for (const [doc, {version}] of found ?? results ?? []) {
        if (version === null) report('results', `${on}, ${what}: ${doc} has no version`);
      }
    }
  }
}
