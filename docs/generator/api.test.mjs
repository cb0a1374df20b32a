import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {test} from 'node:test';
import {entries, exportsOf, generate, page} from './generate.mjs';

test('docs/api.md is what the typings say: else run `cargo xtask docs`', async () => {
  assert.equal(await readFile(page, 'utf8'), await generate());
});

test('docs/api.md has every export of every entry', async () => {
  const text = await readFile(page, 'utf8');
  const known = await entries();
  assert.ok(known.length >= 4);
  for (const [entry, typings] of known) {
    const names = exportsOf(typings).map(({name}) => name);
    assert.notEqual(names.length, 0);
    const [, section] = text.split(`\n## \`${entry}\`\n`);
    const [own] = section.split('\n## ');
    for (const name of names.filter((it) => it !== 'default')) {
      const isThere = new RegExp(
        `^### ${name}\\b|\\[${name}\\]\\(#|^From ShareDB.*\`${name}\``,
        'm',
      ).test(own);
      assert.ok(isThere, `${name} of ${entry}`);
    }
  }
});
