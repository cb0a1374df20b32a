import {mkdtempSync, rmSync} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';

const undo = new Set();

// The newest first: processes end before the folder they write to is removed.
process.on('exit', () => {
  for (const step of [...undo].reverse()) step();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

/** Makes `step` run once: when the returned function is called, or else when this process exits. */
function atExit(step) {
  undo.add(step);
  return () => {
    if (undo.delete(step)) step();
  };
}

/**
 * Ties a child process to this one.
 *
 * @param {import('node:child_process').ChildProcess} child started with `detached: true`, so that
 *   it leads a process group
 * @returns {() => Promise<void>} ends the child with its whole group
 */
export function ownGroup(child) {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const end = atExit(() => killGroup(child.pid));
  // This process may exit although the child runs: it takes the child with it.
  child.unref();
  return () => {
    child.ref();
    end();
    return exited;
  };
}

function killGroup(leader) {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/**
 * A new home folder for a browser, with the environment that makes the browser write nowhere else.
 * `remove` deletes it, as does the exit of this process.
 */
export function homeFolder() {
  const path = mkdtempSync(join(tmpdir(), 'tabmux-browser-'));
  const remove = atExit(() => {
    // A process that was just killed may still be writing.
    rmSync(path, {recursive: true, force: true, maxRetries: 20, retryDelay: 50});
  });
  const env = {
    ...process.env,
    HOME: path,
    TMPDIR: path,
    XDG_CACHE_HOME: join(path, 'cache'),
    XDG_CONFIG_HOME: join(path, 'config'),
    XDG_DATA_HOME: join(path, 'data'),
  };
  return {path, env, remove};
}
