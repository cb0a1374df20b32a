import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {defineHub} from '../../pkg/hub.js';
import {createConnection} from '../../pkg/index.js';
import {root} from '../project.mjs';
import {page} from './pages.mjs';

const {text} = page('docs/configuration.md');

/** The names in the first column of the table below a heading. */
function entriesUnder(heading) {
  const [, section] = text.split(`# ${heading}\n\n`);
  const table = section.split('\n\n').find((it) => it.startsWith('| '));
  return [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).sort();
}

const messageOf = (act) => {
  try {
    act();
  } catch ({message}) {
    return message;
  }
  return assert.fail('was not refused');
};

/** The options that there are, as the error for an unknown one names them. */
const optionsOf = (act) => {
  const [, names] = /; the options are (.*)$/.exec(messageOf(act));
  return names.split(', ').sort();
};

const backend = {connect() {}};
const connect = () => assert.fail('nobody comes');
const none = {none: true};

const READERS = {
  '`createConnection(options)`': () => createConnection(none),
  '`createConnection(backend, options)`': () => createConnection(backend, none),
  '`defineHub(options)`': () => defineHub(none),
  '`store`': () => defineHub({connect, store: none}),
};

for (const [heading, read] of Object.entries(READERS)) {
  test(`every option of ${heading} has an entry, and there is no other`, () => {
    assert.deepEqual(entriesUnder(heading), optionsOf(read));
  });
}

test('every option of `hub` has an entry, and there is no other', () => {
  const message = messageOf(() => createConnection({hub: none}));
  const [, ...names] = /functions `(\w+)` and `(\w+)`/.exec(message);
  assert.deepEqual(entriesUnder('`hub`'), names.sort());
});

test('every layer has an entry, and there is no other', () => {
  const transport = {send() {}, close() {}};
  const message = messageOf(() => createConnection({transport, middleware: ['none']}));
  const names = [...message.split('`none`')[1].matchAll(/`(\w+)`/g)].map(([, name]) => name);
  assert.deepEqual(entriesUnder('Layers'), names.sort());
});

test('every option of a layer has an entry, with its default', async () => {
  const config = await readFile(join(root, 'middleware/src/config.rs'), 'utf8');
  const defaults = [...config.matchAll(/LayerConfig =\s+LayerConfig::(\w+) \{ (.*) \}/g)];
  assert.equal(defaults.length, 5);
  for (const [, layer, options] of defaults) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${layer.toLowerCase()}\` |`));
    for (const [, snake, number] of options.matchAll(/(\w+): ([\d_]+)/g)) {
      const name = snake.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
      const entry = `\`${name}\`, \`${number.replaceAll('_', '')}\``;
      assert.ok(row.includes(entry), `${layer}: ${entry}`);
    }
  }
});
