import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import test from 'node:test';
import {root} from '../project.mjs';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');

const pages = files.filter((file) => /^(docs\/.*|[A-Z]+)\.md$/.test(file));

const exists = (name) => files.some((file) => file === name || file.endsWith(`/${name}`));

test('every source file that a page names is there', () => {
  for (const page of pages.filter((it) => it !== 'CHANGELOG.md')) {
    const text = readFileSync(`${root}/${page}`, 'utf8');
    const named = [...text.matchAll(/`([\w/.-]+\.(?:rs|ts|mjs))`/g)].map(([, name]) => name);
    const missing = named.filter((name) => !exists(name));
    assert.deepEqual(missing, [], `named by ${page}`);
  }
});
