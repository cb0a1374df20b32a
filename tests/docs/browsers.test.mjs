import assert from 'node:assert/strict';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {transform} from 'esbuild';
import {pkg} from '../project.mjs';
import {page} from './pages.mjs';

/** The oldest versions with any topology that the table names, as esbuild names browsers. */
function oldest() {
  const [, table] = page('docs/browsers.md').text.split('## Known by documentation');
  const version = (browser) => {
    const row = table.split('\n').find((line) => line.startsWith(`| ${browser}`));
    return row.split('|').at(-2).trim();
  };
  const browsers = {chrome: 'Chrome, desktop', edge: 'Edge', firefox: 'Firefox', safari: 'Safari'};
  return Object.entries(browsers).map(([name, row]) => name + version(row));
}

test('the scripts have no syntax that the oldest browsers of the table do not know', async () => {
  const target = oldest();
  assert.equal(target.length, 4);
  const scripts = (await readdir(pkg)).filter((name) => name.endsWith('.js'));
  assert.notEqual(scripts.length, 0);
  for (const name of scripts) {
    const code = await readFile(join(pkg, name), 'utf8');
    const [asItIs, forThose] = await Promise.all([
      transform(code, {target: 'esnext'}),
      transform(code, {target}),
    ]);
    assert.ok(asItIs.code === forThose.code, `${name} for ${target}`);
  }
});
