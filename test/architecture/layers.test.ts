import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Manifest } from './rules.js';
import {
  backendOffences,
  cycles,
  danglingImports,
  dependencyOffences,
  entriesOf,
  exportOffences,
  importersOf,
  layerOffences,
  loadedWith,
  longFiles,
  nameOffences,
  packageOffences,
  plainErrors,
  switchedOffTests,
  terminalOffences,
  topOf,
  undocumentedOptions,
} from './rules.js';
import { codeLines, importsOf, readSources } from './source-file.js';

const root = new URL('../../', import.meta.url);
const sources = readSources(new URL('src/', root));
const code = sources.filter((file) => file.path.endsWith('.ts'));
const tests = readSources(new URL('test/', root), '.test.ts');
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Manifest;

describe('the source', () => {
  test('is found at all', () => {
    expect(code.length).toBeGreaterThan(50);
    expect(tests.length).toBeGreaterThan(3);
    expect(code.flatMap(importsOf).length).toBeGreaterThan(200);
  });

  test('imports only what stands below', () => {
    expect(layerOffences(code)).toEqual([]);
  });

  test('has contracts that know no backend, and backends that do not know each other', () => {
    expect(backendOffences(code)).toEqual([]);
  });

  test('has no import cycles', () => {
    expect(cycles(code)).toEqual([]);
  });

  test('imports only files that exist', () => {
    expect(danglingImports(code)).toEqual([]);
  });

  test('keeps each restricted package in its folder', () => {
    expect(packageOffences(code)).toEqual([]);
  });

  test('imports class-transformer in exactly one file', () => {
    expect(importersOf(code, 'class-transformer')).toEqual(['msonable/argument-bag.ts']);
  });

  test('imports only listed packages, and optional ones only when they are needed', () => {
    expect(dependencyOffences(code, manifest)).toEqual([]);
  });

  test('leaves the process and the terminal to the command', () => {
    expect(terminalOffences(code)).toEqual([]);
  });

  test('raises errors of its own', () => {
    expect(plainErrors(code)).toEqual([]);
  });

  test('has no file with more than 400 lines of code', () => {
    expect(longFiles(code)).toEqual([]);
  });

  test('explains every option', () => {
    expect(undocumentedOptions(code)).toEqual([]);
  });

  test('has only TypeScript files, named in kebab-case', () => {
    expect(nameOffences(sources)).toEqual([]);
  });

  test('has no default exports and no barrels', () => {
    expect(exportOffences(code, entriesOf(manifest))).toEqual([]);
  });

  test('does not load the library to print help', () => {
    const folders = new Set([...loadedWith(code, 'cli/mrun.ts')].map(topOf));
    expect(folders).toContain('cli');
    for (const heavy of ['msonable', 'store', 'builder', 'processor', 'index.ts'])
      expect(folders).not.toContain(heavy);
  });
});

test('no test is switched off', () => {
  expect(switchedOffTests(tests)).toEqual([]);
});

describe('the rules can fail:', () => {
  const file = (path: string, text: string) => ({ path, text });

  test('layers, upwards', () => {
    const files = [
      file('errors/a.ts', `import { b } from '../util/b.js';`),
      file('query/c.ts', `import type { Store } from '../store/store.js';`),
      file('builder/builder.ts', `import { S } from '../processor/serial/serial-processor.js';`),
      file('builder/other.ts', `await import('../processor/serial/serial-processor.js');`),
    ];
    expect(layerOffences(files)).toEqual([
      'errors/a.ts -> util/b.ts',
      'query/c.ts -> store/store.ts',
      'builder/builder.ts -> processor/serial/serial-processor.ts',
      'builder/other.ts -> processor/serial/serial-processor.ts',
    ]);
  });

  test('layers, a folder that nobody declared', () => {
    expect(layerOffences([file('misc/a.ts', `export * from '../errors/b.js';`)])).toHaveLength(1);
  });

  test('backends', () => {
    const files = [
      file('store/store.ts', `import { MemoryStore } from './memory/memory-store.js';`),
      file('store/mongo/a.ts', `export { x } from '../memory/memory-store.js';`),
      file('builder/a.ts', `import type { M } from '../store/memory/memory-store.js';`),
      file('store/memory/b.ts', `import { M } from './memory-store.js'; import '../store.js';`),
      file('index.ts', `export { M } from './store/memory/memory-store.js';`),
      file('testing/suite.ts', `import { M } from '../store/memory/memory-store.js';`),
      file('testing/other.ts', `import { M } from '../store/mongo/mongo-store.js';`),
    ];
    expect(backendOffences(files)).toEqual([
      'store/store.ts -> store/memory/memory-store.ts',
      'store/mongo/a.ts -> store/memory/memory-store.ts',
      'builder/a.ts -> store/memory/memory-store.ts',
      'testing/other.ts -> store/mongo/mongo-store.ts',
    ]);
  });

  test('cycles, of values and not of types', () => {
    const files = [
      file('a.ts', `import { b } from './b.js';`),
      file('b.ts', `import { c } from './c.js';`),
      file('c.ts', `import { a } from './a.js';`),
      file('d.ts', `import { type A } from './a.js'; import type { D } from './d.js';`),
    ];
    expect(cycles(files)).toEqual(['a.ts -> b.ts -> c.ts -> a.ts']);
  });

  test('imports of nothing', () => {
    expect(danglingImports([file('a.ts', `import './b.js';`)])).toEqual(['a.ts -> b.ts']);
  });

  test('packages', () => {
    const files = [
      file('store/a.ts', `import 'reflect-metadata';`),
      file('store/b.ts', `import { Exclude } from 'class-transformer';`),
      file('store/mongo/c.ts', `import { MongoClient } from 'mongodb';`),
      file('store/mongo/d.ts', `import type { Db } from 'mongodb'; await import('mongodb');`),
      file('builder/e.ts', `await import('mongodb');`),
      file('util/f.ts', `import { Command } from 'commander';`),
    ];
    expect(packageOffences(files)).toHaveLength(5);
    expect(packageOffences(files).join()).not.toContain('d.ts');
    expect(importersOf(files, 'class-transformer')).toEqual(['store/b.ts']);
  });

  test('dependencies', () => {
    const listed: Manifest = {
      dependencies: { '@scope/bson': '1' },
      peerDependencies: { heavy: '1' },
      peerDependenciesMeta: { heavy: { optional: true } },
    };
    const files = [
      file('a.ts', `import '@scope/bson/sub'; import 'node:fs'; await import('heavy');`),
      file('b.ts', `import x from 'heavy';`),
      file('c.ts', `type T = import('unknown').T;`),
    ];
    expect(dependencyOffences(files, listed)).toEqual([
      'b.ts: heavy is optional',
      'c.ts: unknown is not listed',
    ]);
  });

  test('the terminal', () => {
    const text = `console.log(1); process.exit(1); process.stderr.write(''); process.emitWarning('');`;
    expect(terminalOffences([file('util/a.ts', text)])).toHaveLength(3);
    expect(terminalOffences([file('cli/a.ts', text)])).toEqual([]);
    expect(terminalOffences([file('util/a.ts', '/** console.log(1) */')])).toEqual([]);
  });

  test('errors', () => {
    const text = `throw new Error('no');`;
    expect(plainErrors([file('store/a.ts', text)])).toHaveLength(1);
    expect(plainErrors([file('errors/a.ts', text)])).toEqual([]);
  });

  test('length, without comments and empty lines', () => {
    const long = file('a.ts', `const a = [\n${'1,\n'.repeat(10)}];\n`);
    const commented = file('b.ts', `${'// a comment\n\n/* and\n another */\n'.repeat(10)}f();\n`);
    expect(longFiles([long, commented], 11)).toEqual(['a.ts: 12 lines of code']);
    expect(codeLines(commented)).toBe(1);
  });

  test('options', () => {
    const text = `
      export interface FooOptions {
        /** What it does. */
        a?: number;
        /** @defaultValue 1 */
        b?: 1;
        c?: 1;
      }
      interface ResolvedFooOptions { a: number }
      interface Foo { a: number }`;
    expect(undocumentedOptions([file('a.ts', text)])).toEqual([
      'a.ts: FooOptions.b',
      'a.ts: FooOptions.c',
    ]);
  });

  test('names', () => {
    const names = ['a/MyFile.ts', 'a/my_file.ts', 'a/b.spect.ts', 'a/b.js', 'A/b.ts', 'a/b-2.ts'];
    expect(nameOffences(names.map((name) => file(name, '')))).toEqual(names.slice(0, 5));
  });

  test('exports', () => {
    const files = [
      file('a.ts', 'export default 1;'),
      file('b.ts', `export * from './a.js';`),
      file('c/index.ts', ''),
      file('d/index.ts', ''),
      file('index.ts', `export { a } from './a.js';`),
    ];
    const exports = {
      '.': { default: './dist/index.js' },
      './d': { default: './dist/d/index.js' },
      './package.json': './package.json',
    };
    expect(entriesOf({ exports })).toEqual(['index.ts', 'd/index.ts']);
    expect(exportOffences(files, entriesOf({ exports }))).toHaveLength(3);
  });

  test('tests that are switched off', () => {
    // Spelled so that this file itself does not break the rule.
    const text = `test.skip('a', f); describe.only('b', f); it.each([1]).todo('c'); it.skipIf(x)('d', f);`;
    expect(switchedOffTests([file('a.test.ts', text)])).toHaveLength(3);
  });

  test('what is loaded', () => {
    const files = [
      file('a.ts', `import './b.js'; import type { C } from './c.js'; await import('./d.js');`),
      file('b.ts', `export { e } from './e.js';`),
      file('c.ts', ''),
      file('d.ts', ''),
      file('e.ts', ''),
    ];
    expect([...loadedWith(files, 'a.ts')].sort()).toEqual(['a.ts', 'b.ts', 'e.ts']);
  });
});
