import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {inProject, root} from '../project.mjs';

async function tsc(project) {
  const compiler = join(root, 'node_modules/.bin/tsc');
  const checked = promisify(execFile)(compiler, ['--project', project]);
  await checked.catch(({stdout}) => assert.fail(stdout));
}

/** Checks files of an application, and with them the published typings. */
async function checkApplication(options, files) {
  const tsconfig = JSON.stringify({
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: ['node'],
      skipLibCheck: false,
      ...options,
    },
  });
  await inProject({...files, 'tsconfig.json': tsconfig}, tsc);
}

const ASSIGNABLE = await readFile(new URL('assignable.ts', import.meta.url), 'utf8');
const APPLICATION = await readFile(new URL('application.ts', import.meta.url), 'utf8');
/** The same code, on a tab's connection. */
const ON_A_TAB = APPLICATION.replace(
  "{Connection} from 'sharedb/lib/client/index.js'",
  "{ProxyConnection as Connection} from 'tabmux'",
);

/** The application's files, with this ending. */
function application(ending) {
  assert.notEqual(ON_A_TAB, APPLICATION);
  return {
    [`assignable.${ending}`]: ASSIGNABLE,
    [`application.${ending}`]: APPLICATION,
    [`on-a-tab.${ending}`]: ON_A_TAB,
  };
}

const MODULE = `
  import {createConnection} from 'tabmux';
  import {defineHub} from 'tabmux/hub';
  import {init} from 'tabmux/url';
  import {init as initHub} from 'tabmux/hub/url';
  export const functions: Function[] = [createConnection, defineHub, init, initHub];
`;

const CIPHER = `
  import {defineHub} from 'tabmux/hub';
  import type {StoreOptions} from 'tabmux';
  declare const key: CryptoKey;
  const iv = new Uint8Array(12);
  const cipher = (context: BufferSource) => ({name: 'AES-GCM', iv, additionalData: context});
  const store: StoreOptions = {
    encryption: {
      async encrypt(bytes, context) {
        return new Uint8Array(await crypto.subtle.encrypt(cipher(context), key, bytes));
      },
      async decrypt(bytes, context) {
        return new Uint8Array(await crypto.subtle.decrypt(cipher(context), key, bytes));
      },
    },
  };
  export default defineHub({connect: () => { throw new Error('no server'); }, store});
`;

const COMMONJS = `
  import tabmux = require('tabmux');
  import hub = require('tabmux/hub');
  export const functions: Function[] = [tabmux.createConnection, hub.defineHub];
`;

test('the sources are without type errors', async () => {
  await tsc(join(root, 'js'));
});

test('the parts of a connection need no more of it than they say', async () => {
  await tsc(join(root, 'js/tsconfig.parts.json'));
});

test('an ECMAScript module in TypeScript finds the typings as Node would, and can use tabs for connections', async () => {
  await checkApplication(
    {module: 'node16', moduleResolution: 'node16'},
    {'index.mts': MODULE, ...application('mts')},
  );
});

test('a CommonJS module in TypeScript finds the typings as Node would, and can use tabs for connections', async () => {
  await checkApplication(
    {module: 'node16', moduleResolution: 'node16'},
    {'index.cts': COMMONJS, ...application('cts')},
  );
});

test('TypeScript finds the typings as a bundler would, and can use tabs for connections', async () => {
  await checkApplication(
    {module: 'esnext', moduleResolution: 'bundler'},
    {'index.ts': MODULE, 'cipher.ts': CIPHER, ...application('ts')},
  );
});
