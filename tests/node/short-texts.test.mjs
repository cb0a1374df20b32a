import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {build} from 'esbuild';

const source = new URL('../../js/src/shared/short-texts.ts', import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), 'tabmux-texts-'));
const outfile = join(folder, 'short-texts.mjs');
await build({entryPoints: [source], bundle: true, format: 'esm', outfile});
const {textAt} = await import(outfile);
await rm(folder, {recursive: true});

let decoded = 0;

/** The text as it is read from the middle of a core's memory. */
function read(text) {
  const bytes = new TextEncoder().encode(`<${text}>`);
  return textAt(bytes, 1, bytes.length - 1, (part) => {
    decoded += 1;
    return new TextDecoder('utf-8', {ignoreBOM: true}).decode(part);
  });
}

test('a text is read as it is, whatever was read before', () => {
  const letters = ['a', 'b', 'é', 'Ã©', '©', '𐀀', '\u0000', '\u007f', '\ufeff', '中'];
  const all = letters.flatMap((one) => letters.flatMap((other) => [one, one + other]));
  const numbered = Array.from({length: 5000}, (_, n) => `doc-${n}`);
  const long = ['x'.repeat(64), 'x'.repeat(65), `${'x'.repeat(63)}y`];
  for (const text of ['', ...all, ...numbered, ...long, ...all, ...numbered, ...long]) {
    assert.equal(read(text), text);
  }
});

test('a short text that was read just before is not decoded again', () => {
  read('notes');
  decoded = 0;
  for (let n = 0; n < 10; n++) assert.equal(read('notes'), 'notes');
  assert.equal(decoded, 0);
});
