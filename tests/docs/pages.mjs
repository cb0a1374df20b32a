import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../project.mjs';

/** The pages that users read: their name, their text, and the blocks of code in it. */
export const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((name) => {
  const text = readFileSync(join(root, name), 'utf8');
  return {name, text, blocks: blocksOf(name, text)};
});

export const page = (name) => pages.find((it) => it.name === name);

/**
 * The fenced blocks of a page: the language, the words after it, the code, and under which heading.
 * `place` names the block in messages.
 */
function blocksOf(name, text) {
  const blocks = [];
  let heading = '';
  let open;
  text.split('\n').forEach((line, at) => {
    const fence = /^```(.*)$/.exec(line);
    if (open && fence) {
      blocks.push({...open, code: open.lines.join('\n')});
      open = undefined;
    } else if (open) {
      open.lines.push(line);
    } else if (fence) {
      const [language, ...words] = fence[1].split(' ');
      open = {language, words, heading, place: `${name}:${at + 1}`, lines: []};
    } else {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    }
  });
  if (open) throw new Error(`${open.place}: the block has no end`);
  return blocks;
}

/** The blocks of a page under a heading. */
export const under = (name, heading) => page(name).blocks.filter((it) => it.heading === heading);

/** The code in JavaScript under a heading of the README. */
export const readmeCode = (heading) =>
  under('README.md', heading)
    .filter(({language}) => language === 'js')
    .map(({code}) => `${code}\n`);

/** What a block of the language `diff` looks like before the change, and after. */
export function sidesOf({code}) {
  const side = (without) =>
    code
      .split('\n')
      .filter((line) => !line.startsWith(without))
      .map((line) => line.slice(1))
      .join('\n');
  return {before: side('+'), after: side('-')};
}

/** The anchor of a heading, as GitHub makes it. */
export const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
