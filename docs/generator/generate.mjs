/**
 * The reference of the npm package, made by TypeDoc of the typings in pkg/, on one page.
 *
 *     node docs/generator/generate.mjs
 */
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Application, Converter} from 'typedoc';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pkg = join(root, 'pkg');

/** The file that `generate` is for. */
export const page = join(root, 'docs/api.md');

const INTRODUCTION = `# API

Every class, function and type of the npm package, made of its typings by \`cargo xtask docs\`. Where a class has the
name of one of ShareDB's with \`Proxy\` before it, its members do what ShareDB's do; see [sharedb.md](sharedb.md). All
classes that emit events have the methods of Node's \`EventEmitter\`, such as \`on\`, \`once\` and \`off\`, which are left out
here.
`;

/** The typings of an entry, as the package's `exports` name them for an import. */
function typingsOf(target) {
  if (typeof target === 'string') return undefined;
  return target.types ?? typingsOf(target.node ?? target.import ?? target.module ?? {});
}

/** The entries of the package that have typings, with the files of those. */
export async function entries() {
  const {name, exports} = JSON.parse(await readFile(join(pkg, 'package.json'), 'utf8'));
  const all = Object.entries(exports).map(([path, target]) => [
    join(name, path),
    typingsOf(target),
  ]);
  return (
    all
      // What has an ending is a file to be served as it is.
      .filter(([entry, typings]) => typings && !entry.endsWith('.js'))
      .map(([entry, typings]) => [entry, join(pkg, typings)])
  );
}

/** The names that an entry exports: with whether the package has made them itself. */
export function exportsOf(typings) {
  const program = ts.createProgram([typings], {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(typings));
  const isInternal = (symbol) => symbol.getJsDocTags().some(({name}) => name === 'internal');
  const known = checker.getExportsOfModule(module).filter((symbol) => !isInternal(symbol));
  return known.map((symbol) => {
    const isAlias = symbol.flags & ts.SymbolFlags.Alias;
    const origin = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const files = origin.declarations?.map((it) => it.getSourceFile().fileName) ?? [];
    return {name: symbol.name, isOwn: !files.some((file) => file.includes('/node_modules/'))};
  });
}

/** Takes out what every emitter has: one sentence says as much. */
function leaveOutEmitters({project}) {
  for (const reflection of Object.values(project.reflections)) {
    if (/^(?:Typed)?Emitter\./.test(reflection.inheritedFrom?.name)) {
      project.removeReflection(reflection);
    }
  }
}

/** A module's page as a part of the one page. `foreign` is what it exports of another package. */
function asSection(entry, markdown, names, foreign) {
  const elsewhere = [];
  const text = markdown
    // What another entry has as well is described there.
    .replace(/^#+ .*\n\nRe-exports (\[.*\))\n/gm, (_, link) => {
      elsewhere.push(link);
      return '';
    })
    // GitHub has anchors for headings only.
    .replace(/<a id="property-[^"]*"><\/a> /g, '')
    .replace(/<a id="type-parameter-[^"]*"><\/a> /g, '')
    .replace(/\[([^\]]*)\]\((?:[\w-]+\.md)?#(?:property|type-parameter)-[^)]*\)/g, '$1')
    .replace(/^\*\*\*\n\n/gm, '')
    .replace(/^#+ Returns\n\n`void`\n\n/gm, '')
    .replace(/^#/gm, '##')
    // There are six kinds of headings.
    .replace(/^#{7,} (.*)/gm, '**$1**')
    .replace(/\]\(([\w-]+)\.md#/g, (link, file) => (names.includes(file) ? '](#' : link))
    .trim();
  const headings = [...text.matchAll(/^### (\w+)/gm)].map(([, name]) => name);
  const contents = headings.map((name) => `[${name}](#${name.toLowerCase()})`).join(', ');
  const paragraphs = [`## \`${entry}\``, contents, text];
  if (foreign.length > 0) {
    paragraphs.push(`From ShareDB, as they are: ${foreign.map((it) => `\`${it}\``).join(', ')}.`);
  }
  if (elsewhere.length > 0) {
    const links = elsewhere.join(', ').replace(/\]\([\w-]+\.md#/g, '](#');
    paragraphs.push(`Beside that, what other entries have as well: ${links}.`);
  }
  return `${paragraphs.join('\n\n')}\n`;
}

/** The page, as it should be. */
export async function generate() {
  const folder = await mkdtemp(join(tmpdir(), 'tabmux-docs-'));
  try {
    const known = await entries();
    const tsconfig = join(folder, 'tsconfig.json');
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022', 'dom'],
      module: 'esnext',
      moduleResolution: 'bundler',
      strict: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    };
    const files = known.map(([, typings]) => typings);
    await writeFile(tsconfig, JSON.stringify({compilerOptions, files}));
    const app = await Application.bootstrapWithPlugins({
      plugin: ['typedoc-plugin-markdown'],
      entryPoints: files,
      tsconfig,
      readme: 'none',
      logLevel: 'Warn',
      intentionallyNotExported: ['Channel', 'DocChannel', 'SubscribeRequest'],
      excludeInternal: true,
      excludePrivate: true,
      excludeExternals: true,
      disableSources: true,
      hidePageHeader: true,
      hidePageTitle: true,
      hideGroupHeadings: true,
      hideBreadcrumbs: true,
      outputFileStrategy: 'modules',
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      classPropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
      enumMembersFormat: 'table',
      tableColumnSettings: {hideInherited: true, hideModifiers: true, hideOverrides: true},
      groupOrder: ['Functions', 'Variables', 'Classes', 'Interfaces', 'Type Aliases'],
    });
    app.converter.on(Converter.EVENT_RESOLVE_END, leaveOutEmitters);
    const project = await app.convert();
    if (!project) throw new Error('the typings have errors');
    app.validate(project);
    if (app.logger.hasWarnings()) throw new Error('see the warnings above');
    await app.outputs.writeOutput({name: 'markdown', path: folder}, project);
    const names = files.map((file) => basename(file, '.d.ts'));
    const sections = known.map(async ([entry, typings], at) => {
      const markdown = await readFile(join(folder, `${names[at]}.md`), 'utf8');
      const foreign = exportsOf(typings).filter(({isOwn}) => !isOwn);
      return asSection(
        entry,
        markdown,
        names,
        foreign.map(({name}) => name),
      );
    });
    return [INTRODUCTION, ...(await Promise.all(sections))].join('\n');
  } finally {
    await rm(folder, {recursive: true});
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(page, await generate());
