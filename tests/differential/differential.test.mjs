import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {test} from 'node:test';

/** Runs programs in a process of their own, since what they throw must reach their own logs. */
async function runPrograms(...args) {
  const script = new URL('./run.mjs', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  return {code, output};
}

test('2,000 random programs have the outcomes on tabs that they have on plain ShareDB clients', async (t) => {
  const {code, output} = await runPrograms('--programs', '2000');
  t.diagnostic(output);
  assert.equal(code, 0, output);
});
