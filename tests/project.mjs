import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = fileURLToPath(new URL('../', import.meta.url));
/** The package as it is published. */
export const pkg = join(root, 'pkg');

/** Runs `use` in a project where the package is installed, and ShareDB. */
export async function inProject(files, use) {
  const project = await mkdtemp(join(tmpdir(), 'tabmux-project-'));
  try {
    await mkdir(join(project, 'node_modules/@types'), {recursive: true});
    await symlink(pkg, join(project, 'node_modules/tabmux'));
    for (const name of ['sharedb', '@types/node', '@types/sharedb']) {
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
    }
    for (const [name, text] of Object.entries(files)) await writeFile(join(project, name), text);
    return await use(project);
  } finally {
    await rm(project, {recursive: true});
  }
}
