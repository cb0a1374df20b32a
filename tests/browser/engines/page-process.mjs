import {readdirSync, readFileSync} from 'node:fs';

const BUSY_MS = 500;

/**
 * Finds the process that runs a page, on Linux. No engine tells which one it is, so the page is
 * kept busy, and it is the process that used the most processor time meanwhile.
 *
 * @param {number} ancestor process id of the browser
 * @param {(fn: Function, ...args: unknown[]) => Promise<unknown>} run calls a function in the page
 * @returns {Promise<number>} its process id
 */
export async function findPageProcess(ancestor, run) {
  const before = processorTimes(ancestor);
  await run((milliseconds) => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  }, BUSY_MS);
  const used = [...processorTimes(ancestor)].map(([pid, ticks]) => ({
    pid,
    ticks: ticks - (before.get(pid) ?? 0),
  }));
  return used.reduce((most, next) => (next.ticks > most.ticks ? next : most)).pid;
}

/** The processor time each descendant of a process has used so far, in clock ticks, by pid. */
function processorTimes(ancestor) {
  const table = processTable();
  const family = new Set([ancestor]);
  for (const pid of family) {
    for (const [child, {parent}] of table) {
      if (parent === pid) family.add(child);
    }
  }
  family.delete(ancestor);
  return new Map([...family].map((pid) => [pid, table.get(pid).ticks]));
}

function processTable() {
  const table = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The second field, the command in brackets, may itself hold spaces.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      table.set(Number(name), {
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
      });
    } catch (error) {
      // The process ended meanwhile.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
    }
  }
  return table;
}
