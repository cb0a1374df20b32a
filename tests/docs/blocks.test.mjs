/**
 * Every block of code in README.md and docs/ is checked, by its language:
 *
 * - `js`, `ts`: a module, checked by the TypeScript compiler with the published typings. What it takes
 *   for granted, such as `render`, is declared in surroundings.d.ts. With the word `run` after the
 *   language, Node runs it as well.
 * - `diff`: what it leads to, as `js`. What it begins with is the reader's, and is parsed.
 * - `sh`: each command is one that there is; what it names of this repository is there.
 * - `json`: is read.
 * - `html`: its scripts, as `js`.
 * - `rust`: a doctest of the crate, see src/lib.rs.
 * - without a language: a drawing or a message, no code.
 *
 * Some run in a browser, too: tests/browser/readme.test.mjs and tests/browser/migration.test.mjs. The
 * plugins run in tests/node/plugins.test.mjs.
 */
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {transform} from 'esbuild';
import {inProject, pkg, root} from '../project.mjs';
import {page, pages, sidesOf} from './pages.mjs';

const run = promisify(execFile);

const all = pages.flatMap(({blocks}) => blocks);
const of = (...languages) => all.filter(({language}) => languages.includes(language));

/** What blocks import, beside tabmux and ShareDB. */
const PACKAGES = ['@teamwork', 'ot-json1', 'rich-text', 'ws'];

/** Makes a project in which blocks find what they import. */
const inProjectWith = (files, use) =>
  inProject({'package.json': '{"type": "module"}', ...files}, async (project) => {
    for (const name of PACKAGES) {
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
    }
    return use(project);
  });

test('a block is in a language that is checked', () => {
  const known = ['', 'js', 'ts', 'diff', 'sh', 'json', 'html', 'rust'];
  for (const {language, place} of all) assert.ok(known.includes(language), `${place}: ${language}`);
});

test('a word after the language is one that means something', () => {
  for (const {language, words, place} of all) {
    if (words.length > 0) assert.deepEqual([language, ...words], ['js', 'run'], place);
  }
});

/** The modules of all blocks: code by place. */
function modules() {
  const scripts = of('html').flatMap(({code, place}) =>
    [...code.matchAll(/<script type="module">(.*?)<\/script>/gs)].map(([, script]) => ({
      language: 'js',
      place,
      // As it is served.
      code: script.replace(/'[^']*\/browser\.js'/, "'tabmux/browser'"),
    })),
  );
  const changed = of('diff').map((block) => ({
    language: 'js',
    place: block.place,
    code: sidesOf(block).after,
  }));
  return [...of('js', 'ts'), ...scripts, ...changed];
}

test('the code fits the published typings', async () => {
  const places = new Map();
  const files = {
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        module: 'esnext',
        moduleResolution: 'bundler',
        moduleDetection: 'force',
        target: 'esnext',
        lib: ['esnext', 'dom'],
        types: ['node'],
        allowJs: true,
        checkJs: true,
        noEmit: true,
        skipLibCheck: true,
        strict: true,
        noImplicitAny: false,
      },
    }),
    'surroundings.d.ts': await readFile(new URL('surroundings.d.ts', import.meta.url), 'utf8'),
    'hub.js': page('README.md').blocks.find(({code}) => code.startsWith('// hub.js')).code,
  };
  modules().forEach(({language, place, code}, at) => {
    const name = `block-${at}.${language}`;
    places.set(name, place);
    files[name] = code;
  });
  await inProjectWith(files, async (project) => {
    const compiler = join(root, 'node_modules/.bin/tsc');
    await run(compiler, ['--project', project], {cwd: project}).catch(({stdout}) =>
      assert.fail(stdout.replace(/block-\d+\.[jt]s/g, (name) => `${places.get(name)} (${name})`)),
    );
  });
});

test('what a diff begins with can be parsed', async () => {
  for (const block of of('diff')) {
    await assert.doesNotReject(transform(sidesOf(block).before), block.place);
  }
});

for (const {code, place} of all.filter(({words}) => words.includes('run'))) {
  test(`${place} runs in Node and comes to its end`, async () => {
    await inProjectWith({}, async (project) => {
      await writeFile(join(project, 'block.js'), code);
      const {stderr} = await run('node', ['block.js'], {cwd: project, timeout: 30_000});
      assert.equal(stderr, '');
    });
  });
}

test('JSON can be read', () => {
  for (const {code, place} of of('json')) assert.doesNotThrow(() => JSON.parse(code), place);
});

/** Whether there is such a command, by its first words. */
const COMMANDS = [
  [/^cargo xtask (\w+)/, ([, name], {xtask}) => xtask.includes(`cmd ${name} {`)],
  [/^cargo test\b/, () => true],
  [
    /^node (?:--\S+ )*(\S+\.m?js)/,
    ([, file]) => file === 'server.js' || existsSync(join(root, file)),
  ],
  [/^cp node_modules\/tabmux\/(\S+) /, ([, file]) => existsSync(join(pkg, file))],
  // tests/bundlers installs those that are not here, and runs them.
  [
    /^(esbuild|rollup) /,
    ([, name], {bundlers}) =>
      existsSync(join(root, 'node_modules/.bin', name)) || bundlers.includes(`${name}`),
  ],
  // All that is installed in the pages is what the tests use.
  [
    /^npm install (?:-D )?(.*)/,
    ([, names], {manifests}) =>
      names.split(' ').every((name) => name === 'tabmux' || manifests.includes(`"${name}":`)),
  ],
  [/^npx (\S+)/, ([, name]) => existsSync(join(root, 'node_modules/.bin', name))],
];

test('a command is one that there is', async () => {
  const read = (name) => readFile(join(root, name), 'utf8');
  const known = {
    xtask: await read('xtask/src/flags.rs'),
    bundlers: await read('tests/bundlers/fixtures.mjs'),
    manifests: (await read('package.json')) + (await read('tests/consumer/package.json')),
  };
  for (const {code, place} of of('sh')) {
    for (const line of code.split('\n')) {
      const command = line.replace(/\s*#.*/, '');
      if (command === '') continue;
      const isKnown = COMMANDS.some(([pattern, holds]) => {
        const match = pattern.exec(command);
        return match && holds(match, known);
      });
      assert.ok(isKnown, `${place}: ${command}`);
    }
  }
});
