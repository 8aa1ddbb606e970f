import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { run, UserProject } from './user-project.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = new UserProject();
afterAll(() => project[Symbol.dispose]());

/** What examples may use without saying where it comes from. */
const GIVEN: Readonly<Record<string, string>> = {
  store: 'declare const store: MemoryStore;',
  source: 'declare const source: Store;',
  target: 'declare const target: Store;',
  tasks: 'declare const tasks: Store;',
  builder: 'declare const builder: CopyBuilder;',
  builders: 'declare const builders: CopyBuilder[];',
  password: 'declare const password: string;',
  ScaleOptions: 'type ScaleOptions = MapBuilderOptions & { factor?: number };',
  ScaleBuilder: 'declare class ScaleBuilder extends CopyBuilder {}',
  TimesTwoBuilder: 'declare class TimesTwoBuilder extends CopyBuilder {}',
  MyStore: 'declare class MyStore extends MemoryStore {}',
  MyProcessor: 'declare class MyProcessor extends SerialProcessor {}',
};

interface Example {
  readonly place: string;
  readonly code: string;
}

/** The blocks of TypeScript in the doc comments of a file. */
function examplesOf(file: string): Example[] {
  const text = readFileSync(path.join(root, 'src', file), 'utf8');
  return Array.from(text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm), (match) => ({
    place: `${file}:${text.slice(0, match.index).split('\n').length}`,
    code: (match[1] ?? '').replace(/^ *\* ?/gm, ''),
  }));
}

/** Names that the package exports. */
function exportedNames(): { readonly values: string[]; readonly types: string[] } {
  const text = readFileSync(path.join(root, 'src/index.ts'), 'utf8');
  const lists = [...text.matchAll(/export (type )?\{([^}]*)\}/g)];
  const names = (isType: boolean) =>
    lists
      .filter(([, type]) => (type !== undefined) === isType)
      .flatMap(([, , list = '']) => list.split(',').map((name) => name.trim()))
      .filter((name) => name !== '');
  return { values: names(false), types: names(true) };
}

/** An example as a module: with imports of the names that it uses, and with what is given. */
function toModule(code: string): string {
  const isUsed = (name: string, text: string) => new RegExp(`(?<![.\\w'])${name}\\b`).test(text);
  const isDeclared = (name: string) => new RegExp(`\\b(?:const|class|type) ${name}\\b`).test(code);
  const given = Object.entries(GIVEN)
    .filter(([name]) => isUsed(name, code) && !isDeclared(name))
    .map(([, declaration]) => declaration);
  const text = [...given, code].join('\n');
  const { values, types } = exportedNames();
  const list = (names: readonly string[]) =>
    names.filter((name) => isUsed(name, text) && !isDeclared(name)).join(', ');
  return `import type { ${list(types)} } from 'maggma';\nimport { ${list(values)} } from 'maggma';\n${text}\nexport {};\n`;
}

const examples = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap(examplesOf);

async function problemsIn(modules: readonly (readonly [string, string])[]): Promise<string> {
  const files = modules.map(([name, code]) => project.write(name, code));
  const compilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: 'nodenext',
    target: 'es2022',
    types: ['node'],
  };
  const config = project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  return (await run(process.execPath, [tsc, '-p', config], { cwd: project.folder })).output;
}

test('the examples in doc comments are found', () => {
  expect(examples.length).toBeGreaterThan(10);
  expect(examples.map(({ place }) => place.split(':')[0])).toContain('store/store.ts');
});

test('the examples in doc comments compile', async () => {
  const modules = examples.map(
    ({ place, code }) => [`${place.replace(/\W/g, '-')}.ts`, toModule(code)] as const,
  );
  expect(await problemsIn(modules)).toBe('');
});

test('an example that does not compile is found', async () => {
  const code = `await new CopyBuilder(source, target, { deleteOrphan: true }).run();`;
  expect(await problemsIn([['wrong.ts', toModule(code)]])).toContain('deleteOrphan');
});
