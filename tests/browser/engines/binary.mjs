import {accessSync, constants} from 'node:fs';

/**
 * The first of the paths that can be run; the environment variable, when set, is the only one.
 *
 * @param {{variable: string, paths: string[], install: string}} where `install` names the packages
 *   that bring the program
 */
export function findBinary({variable, paths, install}) {
  const candidates = process.env[variable] ? [process.env[variable]] : paths;
  const found = candidates.find(isExecutable);
  if (!found) {
    throw new Error(
      `No program at ${candidates.join(' or ')}: install it (Debian: apt install ${install}) ` +
        `or set ${variable} to its path`,
    );
  }
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
