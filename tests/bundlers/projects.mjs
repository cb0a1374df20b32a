import {execFile, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {cp, mkdir, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {ownGroup} from '../browser/engines/processes.mjs';
import {pkg, root} from '../project.mjs';

const run = promisify(execFile);

const home = join(root, 'target/bundlers');

/** What every project has, beside the package. */
const common = {sharedb: '7.0.0'};

/** Packs the package as `npm publish` would; its name tells one build from the next. */
export async function pack() {
  await mkdir(home, {recursive: true});
  const {stdout} = await run('npm', ['pack', '--json', `--pack-destination=${home}`], {cwd: pkg});
  // Newer versions of npm name it by the package.
  const [{filename}] = Object.values(JSON.parse(stdout));
  const bytes = await readFile(join(home, filename));
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const tarball = join(home, `tabmux-${digest}.tgz`);
  await rename(join(home, filename), tarball);
  return {tarball, size: bytes.length};
}

/** Makes a folder with the files of a fixture, and installs what it needs from the registry. */
export async function install(name, {type, packages, modulesOf}, tarball) {
  const folder = join(home, name);
  await mkdir(folder, {recursive: true});
  const own = fileURLToPath(new URL(modulesOf ?? name, import.meta.url));
  await cp(own, folder, {recursive: true}).catch((error) => {
    // Most need no files of their own.
    if (error.code !== 'ENOENT') throw error;
  });
  const dependencies = {...common, tabmux: `file:${tarball}`, ...packages};
  const manifest = {name: `tabmux-${name}`, private: true, type, dependencies};
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  if (modulesOf) {
    await rm(join(folder, 'node_modules'), {recursive: true, force: true});
    await symlink(join(home, modulesOf, 'node_modules'), join(folder, 'node_modules'));
  } else {
    const flags = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', '--prefer-offline', ...flags], {cwd: folder});
  }
  return folder;
}

/** Writes files into a project, from which nothing is left of what was built of others. */
export async function write(folder, files) {
  for (const old of ['dist', '.next', '.parcel-cache', 'node_modules/.vite']) {
    await rm(join(folder, old), {recursive: true, force: true});
  }
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
}

function inProject(folder, env) {
  const path = [join(folder, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  return {cwd: folder, env: {...process.env, NO_COLOR: '1', CI: '1', ...env, PATH: path}};
}

/** Runs a command line in a project; throws with what it wrote if it fails. */
export async function command(folder, line, env) {
  try {
    const {stdout, stderr} = await run('sh', ['-c', line], inProject(folder, env));
    return stdout + stderr;
  } catch (error) {
    throw new Error(`${line}\n${error.stdout}${error.stderr}`);
  }
}

/** Starts a server of a project, and waits until it answers. */
export async function start(folder, line, url, env) {
  const options = {...inProject(folder, env), detached: true, stdio: ['ignore', 'pipe', 'pipe']};
  const child = spawn('sh', ['-c', line], options);
  const end = ownGroup(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
    // This process may exit although the server runs.
    stream.unref();
  }
  const answers = () =>
    fetch(url).then(
      ({ok}) => ok,
      () => false,
    );
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`${line}\n${output}`);
    await sleep(100);
  }
  return {end, output: () => output, isRunning: () => child.exitCode === null};
}
