import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {root} from './project.mjs';

const readme = await readFile(join(root, 'README.md'), 'utf8');

/** The code blocks of a section of the README, by what its heading says. */
export function codeBlocks(heading) {
  const [, level, section] =
    new RegExp(`^(#+) ${heading}\\n([\\s\\S]*?)(?=^#|(?![\\s\\S]))`, 'm').exec(readme) ?? [];
  if (!level) throw new Error(`the README has no section "${heading}"`);
  return [...section.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code);
}

/** What the README begins with: a page that shares a document. */
export const [quickStart] = codeBlocks('Quick start');
