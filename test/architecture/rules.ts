import path from 'node:path';
import ts from 'typescript';
import type { SourceFile } from './source-file.js';
import { codeLines, importsOf, packageOf, targetOf, visit } from './source-file.js';

/** What each folder of `src` may import besides itself. Whoever adds a folder adds a line. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  util: ['errors'],
  query: ['util', 'errors'],
  msonable: ['util', 'errors'],
  store: ['msonable', 'query', 'util', 'errors'],
  builder: ['store', 'msonable', 'query', 'util', 'errors'],
  processor: ['builder', 'msonable', 'store', 'util', 'errors'],
  reporting: ['processor', 'builder', 'store', 'query', 'util', 'errors'],
  cli: [
    'reporting',
    'processor',
    'builder',
    'msonable',
    'store',
    'query',
    'util',
    'errors',
    'index.ts',
  ],
  testing: ['processor', 'builder', 'msonable', 'store', 'query', 'util', 'errors'],
  'index.ts': ['reporting', 'processor', 'builder', 'msonable', 'store', 'query', 'util', 'errors'],
};

/** Folders whose subfolders are implementations of what stands at their top. */
const CONTRACTS = ['store', 'processor'];
/** Who may import implementations: those who put everything together. */
const ASSEMBLERS = ['index.ts', 'cli'];
/** Implementations that are made of others. */
const MADE_OF: Readonly<Record<string, readonly string[]>> = {
  'processor/distributed': [
    'processor/serial',
    'processor/multiprocess',
    'processor/distributed/tcp',
    'processor/distributed/redis',
  ],
  'processor/distributed/tcp': ['processor/distributed'],
  'processor/distributed/redis': ['processor/distributed'],
};
/** What the helpers for tests compare with, and run builders with. */
const REFERENCES = ['store/memory', 'processor/serial'];
/** The one import that looks upwards, and only when it is needed. */
const UPWARD = {
  from: 'builder/builder.ts',
  to: 'processor/serial/serial-processor.ts',
} as const;

/** Imports from a folder that stands above, or beside. */
export function layerOffences(files: readonly SourceFile[]): string[] {
  return edges(files).flatMap(({ from, to, kind }) => {
    if (from === UPWARD.from && to === UPWARD.to && kind === 'dynamic') return [];
    const [layer, targetLayer] = [topOf(from), topOf(to)];
    const allowed = MAY_IMPORT[layer];
    if (allowed === undefined) return [`${from}: the folder ${layer} has no line in MAY_IMPORT`];
    return layer === targetLayer || allowed.includes(targetLayer) ? [] : [`${from} -> ${to}`];
  });
}

/** Imports of an implementation by its contract, or by another implementation. */
export function backendOffences(files: readonly SourceFile[]): string[] {
  return edges(files).flatMap(({ from, to, kind }) => {
    if (from === UPWARD.from && to === UPWARD.to && kind === 'dynamic') return [];
    const [backend, own] = [backendOf(to), backendOf(from)];
    if (backend === null || backend === own) return [];
    if (own !== null && MADE_OF[own]?.includes(backend)) return [];
    if (REFERENCES.includes(backend) && topOf(from) === 'testing') return [];
    return ASSEMBLERS.includes(topOf(from)) ? [] : [`${from} -> ${to}`];
  });
}

/** Modules that need each other to be loaded. Imports of types do not count: they vanish. */
export function cycles(files: readonly SourceFile[]): string[] {
  const graph = new Map<string, string[]>(files.map((file) => [file.path, []]));
  for (const { from, to, kind } of edges(files)) if (kind === 'value') graph.get(from)?.push(to);
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, way: readonly string[]) => {
    const at = way.indexOf(file);
    if (at >= 0) found.push([...way.slice(at), file].join(' -> '));
    if (at >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}

/** Imports of files that are not there; they would be invisible to the other rules. */
export function danglingImports(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path));
  return edges(files).flatMap(({ from, to }) => (known.has(to) ? [] : [`${from} -> ${to}`]));
}

/** Who may import which package, where not everybody may. */
export function packageOffences(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ specifier, kind }) => {
      const name = packageOf(specifier);
      const layer = topOf(file.path);
      const bad =
        (name === 'reflect-metadata' && layer !== 'msonable') ||
        (name === 'class-transformer' && layer !== 'msonable') ||
        (name === 'mongodb' && !file.path.startsWith('store/mongo/')) ||
        (name === 'mongodb' && kind === 'value') ||
        (name === 'commander' && layer !== 'cli');
      return bad ? [`${file.path}: ${kind} import of ${specifier}`] : [];
    }),
  );
}

/** The files that import a package in any way. */
export function importersOf(files: readonly SourceFile[], name: string): string[] {
  return files
    .filter((file) => importsOf(file).some(({ specifier }) => packageOf(specifier) === name))
    .map((file) => file.path);
}

/** What a package says it needs. */
export interface Manifest {
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** The sources of the modules that a package exports. */
export function entriesOf({ exports = {} }: Manifest): string[] {
  return Object.values(exports)
    .map((entry) => (typeof entry === 'string' ? entry : entry.default))
    .filter((target) => target.endsWith('.js'))
    .map((target) => target.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts'));
}

/** Packages that are imported but not listed, and optional ones that are imported at once. */
export function dependencyOffences(files: readonly SourceFile[], manifest: Manifest): string[] {
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ specifier, kind }) => {
      const name = packageOf(specifier);
      if (name === null || Object.hasOwn(dependencies, name)) return [];
      if (!Object.hasOwn(peerDependencies, name)) return [`${file.path}: ${name} is not listed`];
      const optional = peerDependenciesMeta[name]?.optional === true;
      return optional && kind === 'value' ? [`${file.path}: ${name} is optional`] : [];
    }),
  );
}

/** Passes on what user code in another process prints. */
const PASSES_ON = 'processor/multiprocess/worker-process.ts';

/** Uses of the process and the terminal outside of the command. */
export function terminalOffences(files: readonly SourceFile[]): string[] {
  const forbidden = ['process.exit', 'process.stdout', 'process.stderr', 'process.exitCode'];
  return files
    .filter((file) => topOf(file.path) !== 'cli' && file.path !== PASSES_ON)
    .flatMap((file) =>
      findNodes(file, (node) => {
        if (!ts.isPropertyAccessExpression(node)) return null;
        const text = `${node.expression.getText()}.${node.name.text}`;
        if (node.expression.getText() === 'console') return text;
        return forbidden.includes(text) ? text : null;
      }),
    );
}

/** `throw new Error(…)` where one of our own classes is due. */
export function plainErrors(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => topOf(file.path) !== 'errors')
    .flatMap((file) =>
      findNodes(file, (node) => {
        if (!ts.isThrowStatement(node) || !ts.isNewExpression(node.expression)) return null;
        return node.expression.expression.getText() === 'Error' ? 'throw new Error(…)' : null;
      }),
    );
}

/** Files with too much code for one subject. */
export function longFiles(files: readonly SourceFile[], limit = 400): string[] {
  return files.flatMap((file) => {
    const lines = codeLines(file);
    return lines > limit ? [`${file.path}: ${lines} lines of code`] : [];
  });
}

/** Options without a sentence, in interfaces that are made of options; a default is no sentence. */
export function undocumentedOptions(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    findNodes(file, (node) => {
      if (!ts.isPropertySignature(node) || !ts.isInterfaceDeclaration(node.parent)) return null;
      const { name } = node.parent;
      const isPublic = name.text.endsWith('Options') && !name.text.startsWith('Resolved');
      const [comment] = ts.getJSDocCommentsAndTags(node);
      const isExplained = comment !== undefined && ts.isJSDoc(comment) && comment.comment;
      return isPublic && !isExplained ? `${name.text}.${node.name.getText()}` : null;
    }),
  );
}

/** Names that are not kebab-case, or have a suffix that nobody compiles or runs. */
export function nameOffences(files: readonly SourceFile[]): string[] {
  return files.map((file) => file.path).filter((file) => !KEBAB_PATH.test(file));
}
const KEBAB_PATH = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/;

/** Default exports, and barrels other than the entries of the package. */
export function exportOffences(files: readonly SourceFile[], entries: readonly string[]): string[] {
  return files.flatMap((file) => [
    ...findNodes(file, (node) => {
      if (ts.isExportAssignment(node)) return 'default export';
      if (ts.isExportDeclaration(node) && node.exportClause === undefined) return 'export *';
      return null;
    }),
    ...(path.posix.basename(file.path) === 'index.ts' && !entries.includes(file.path)
      ? [`${file.path}: an index that is no entry of the package`]
      : []),
  ]);
}

/** Tests that are switched off, or that switch off all others. `skipIf` is left: it depends on the machine. */
export function switchedOffTests(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    findNodes(file, (node) => {
      if (!ts.isPropertyAccessExpression(node)) return null;
      const isTest = /^(?:describe|it|test|suite)\b/.test(node.expression.getText());
      return isTest && ['skip', 'only', 'todo', 'fails'].includes(node.name.text)
        ? `.${node.name.text}`
        : null;
    }),
  );
}

/** What is loaded, one after the other, as soon as a file is imported. */
export function loadedWith(files: readonly SourceFile[], entry: string): Set<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const loaded = new Set<string>();
  const waiting = [entry];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const file = byPath.get(next);
    if (file === undefined || loaded.has(next)) continue;
    loaded.add(next);
    for (const { specifier, kind } of importsOf(file)) {
      const target = targetOf(file, specifier);
      if (target !== null && kind === 'value') waiting.push(target);
    }
  }
  return loaded;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'value' | 'type' | 'dynamic';
}

function edges(files: readonly SourceFile[]): Edge[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ specifier, kind }) => {
      const to = targetOf(file, specifier);
      return to === null ? [] : [{ from: file.path, to, kind }];
    }),
  );
}

/** The folder at the top, or the file itself when it is in none. */
export function topOf(file: string): string {
  return file.split('/', 1)[0] ?? file;
}

/** `store/memory` for what lies in it, null for what stands at the top of a contract. */
function backendOf(file: string): string | null {
  const folder = path.posix.dirname(file);
  return CONTRACTS.includes(topOf(file)) && folder.includes('/') ? folder : null;
}

function findNodes(file: SourceFile, judge: (node: ts.Node) => string | null): string[] {
  const found: string[] = [];
  visit(file, (node) => {
    const problem = judge(node);
    if (problem !== null) found.push(`${file.path}: ${problem}`);
  });
  return found;
}
