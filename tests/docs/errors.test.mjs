import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import Backend from 'sharedb';
import {createConnection} from '../../pkg/index.js';
import {root} from '../project.mjs';
import {anchorOf, page} from './pages.mjs';

const {text} = page('docs/errors.md');
const entries = text
  .split(/^### /m)
  .slice(1)
  .map((entry) => /^(\w+)\n\n(.*?)(?:\n## |$)/s.exec(entry));
const docsOf = (code) =>
  `https://github.com/tabmux/tabmux/blob/main/docs/errors.md#${anchorOf(code)}`;

/** The codes that the sources have. */
function codesInSources() {
  const files = execFileSync('git', ['ls-files', '*.rs', 'js/src/*.ts'], {
    cwd: root,
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .filter((file) => !/(^|\/)(tests|xtask|benches)\//.test(file));
  const sources = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  return new Set(sources.match(/(?<=['"])ERR_TABMUX_\w+(?=['"])/g));
}

test('every code of the sources has an entry, and there is no other', () => {
  const codes = codesInSources();
  assert.ok(codes.has('ERR_TABMUX_HUB_LOST') && codes.has('ERR_TABMUX_LAYER_MISSING'));
  assert.deepEqual(entries.map(([, code]) => code).sort(), [...codes].sort());
});

test('an entry says what happened, and what to do', () => {
  for (const [, code, entry] of entries) {
    assert.match(
      entry.replaceAll('\n', ' '),
      /^\*\*What happened:\*\* .+ \*\*What to do:\*\* /,
      code,
    );
  }
});

const thrownBy = (act) => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
};

test('an error that is thrown has the address of its entry', () => {
  const transport = {send() {}, close() {}};
  for (const [options, code] of [
    [{none: true}, 'ERR_TABMUX_OPTION_UNKNOWN'],
    [{transport, codec: 'none'}, 'ERR_TABMUX_CODEC_UNKNOWN'],
    [{transport, middleware: ['none']}, 'ERR_TABMUX_LAYER_UNKNOWN'],
  ]) {
    const error = thrownBy(() => createConnection(options));
    assert.deepEqual([error.code, error.docs], [code, docsOf(code)]);
  }
});

test('an error of the hub has the address of its entry, and one of ShareDB has none', async (t) => {
  const connection = createConnection(new Backend(), {transport: 'direct'});
  t.after(() => connection.close());
  await assert.rejects(connection.store.usage(), {docs: docsOf('ERR_TABMUX_STORE_OFF')});
  const submit = (callback) => connection.get('notes', 'none').submitOp([{p: [], oi: 1}], callback);
  const error = await new Promise(submit);
  assert.equal(error.code, 'ERR_DOC_DOES_NOT_EXIST');
  assert.equal('docs' in error, false);
});
