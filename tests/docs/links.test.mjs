import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {root} from '../project.mjs';
import {anchorOf, pages} from './pages.mjs';

const {repository} = JSON.parse(readFileSync(join(root, 'js/package.json'), 'utf8'));
const home = repository.url.replace(/^git\+(.*)\.git$/, '$1');

/** Where a page's links lead, without those in code. */
function linksOf({text}) {
  const prose = text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '``');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
}

/** The anchors of a file: those of headings, where one that comes again is numbered. */
function anchorsOf(file) {
  const seen = new Map();
  const text = readFileSync(file, 'utf8').replace(/^```.*?^```$/gms, '');
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    // A link in a heading counts with its text.
    const anchor = anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('\\', ''));
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
  return new Set(headings);
}

/** The file and the anchor in this repository that a link leads to; nothing for one to elsewhere. */
function inRepository(page, target) {
  const absolute = target.startsWith(home) && /\/(?:blob|tree)\/main\/(.*)/.exec(target)?.[1];
  if (!absolute && /^\w+:/.test(target)) return undefined;
  const [path, anchor] = (absolute || target).split('#');
  if (path === '') return {file: join(root, page.name), anchor};
  return {file: join(root, absolute ? '' : dirname(page.name), path), anchor};
}

for (const page of pages) {
  test(`the links of ${page.name} lead somewhere`, () => {
    for (const target of linksOf(page)) {
      const place = inRepository(page, target);
      if (!place) continue;
      assert.ok(existsSync(place.file), target);
      if (place.anchor !== undefined) assert.ok(anchorsOf(place.file).has(place.anchor), target);
    }
  });
}

test('the links of the README work in the npm package, which has no other page', () => {
  const relative = linksOf(pages[0]).filter((it) => !/^(?:https:|#)/.test(it));
  assert.deepEqual(relative, []);
});
