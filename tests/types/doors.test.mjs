// What Rust and JavaScript tell each other: typings made of what Rust declares.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {inProject, root} from '../project.mjs';

const typings = ['tab', 'hub', 'cbor'].map((it) => join(root, `js/wasm/${it}/tabmux_${it}.d.ts`));

/** What a module's typings say of it; the rest is of its loading. */
async function declarations(file) {
  const text = await readFile(file, 'utf8');
  return text.split('export type InitInput')[0].replaceAll(/\/\*.*?\*\//gs, '');
}

async function sources(folder) {
  const entries = await readdir(folder, {recursive: true});
  const files = entries.filter((it) => it.endsWith('.ts'));
  return (await Promise.all(files.map((it) => readFile(join(folder, it), 'utf8')))).join('\n');
}

async function typeErrors(text, ...files) {
  return inProject({}, async (project) => {
    const file = join(project, 'doors.ts');
    await writeFile(file, text);
    const compiler = join(root, 'node_modules/.bin/tsc');
    const options = [
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--lib',
      'es2022,dom,esnext.disposable',
    ];
    const checked = promisify(execFile)(compiler, [...options, file, ...files]);
    return checked.then(
      () => '',
      ({stdout}) => stdout,
    );
  });
}

test('the typings of the modules know every type that they name, and none is `any`', async () => {
  assert.equal(await typeErrors('', ...typings), '');
  for (const file of typings) assert.doesNotMatch(await declarations(file), /\bany\b/, file);
});

test('a module exports nothing that JavaScript does not use', async () => {
  const used = await sources(join(root, 'js/src'));
  const unused = [];
  for (const file of typings) {
    const text = await declarations(file);
    const names = [
      ...text.matchAll(/^export (?:function|class|interface|type) (\w+)/gm),
      ...text.matchAll(/^ {4}(\w+)\(/gm),
    ].map(([, name]) => name);
    assert.ok(names.length > 1, file);
    for (const name of names) {
      const mentions = new RegExp(`\\b${name}\\b`, 'g');
      const isOwn = ['free', 'constructor', 'start'].includes(name);
      if (!isOwn && !mentions.test(used) && text.match(mentions).length < 2) unused.push(name);
    }
  }
  assert.deepEqual(unused, []);
});

const tab = `import type {TabHandler} from '${join(root, 'js/wasm/tab/tabmux_tab.js')}';`;
const hub = `import type {Upstream, UpstreamEvent} from '${join(root, 'js/wasm/hub/tabmux_hub.js')}';`;

for (const [what, code, error] of [
  [
    'lacks a method',
    `${tab} export const make = ({joined, ...rest}: TabHandler): TabHandler => rest;`,
    /Property 'joined' is missing/,
  ],
  [
    'has a method that Rust does not call',
    `${tab} export const make = (it: TabHandler): TabHandler => ({...it, unheard: () => {}});`,
    /'unheard' does not exist in type 'TabHandler'/,
  ],
  [
    'takes something else',
    `${tab} export const make = (it: TabHandler): TabHandler =>
      ({...it, joined: (epoch: string) => {}});`,
    /Type 'number' is not assignable to type 'string'/,
  ],
  [
    'returns something else',
    `${hub} export const make = (it: Upstream): Upstream => ({...it, submit: () => 1});`,
    /Type 'number' is not assignable to type 'Submitted'/,
  ],
  [
    'tells an event that Rust does not know',
    `${hub} export const event: UpstreamEvent = {type: 'unheard'};`,
    /Type '"unheard"' is not assignable/,
  ],
  [
    'tells an event without all it must have',
    `${hub} export const event: UpstreamEvent = {type: 'loaded'};`,
    /Property 'doc' is missing/,
  ],
]) {
  test(`JavaScript that ${what} does not compile`, async () => {
    assert.match(await typeErrors(code), error);
  });
}
