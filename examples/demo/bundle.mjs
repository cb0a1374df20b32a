import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

/** The folder of the built npm package. */
export const packageFolder = fileURLToPath(new URL('../../pkg/', import.meta.url));

/**
 * Bundles a script with all it imports, so that a browser can load it.
 *
 * @param {string} entry path of the script
 * @returns {Promise<string>} an ES module
 */
export async function bundle(entry) {
  if (!existsSync(packageFolder)) {
    throw new Error(`${packageFolder} is missing: run 'cargo xtask build' first`);
  }
  const {outputFiles} = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
    alias: {
      tabmux: `${packageFolder}page.js`,
      'tabmux/hub': `${packageFolder}hub.js`,
      'tabmux/url': `${packageFolder}url.js`,
      'tabmux/hub/url': `${packageFolder}hub-url.js`,
    },
  });
  return outputFiles[0].text;
}
