import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { countingBuilder, MEMORY, test } from './mrun-process.js';

interface Case {
  readonly what: string;
  readonly file: string;
  /** Absent: there is no such file. */
  readonly content?: unknown;
  /** What stands behind `mrun: `. */
  readonly says: string | RegExp;
}

const EXPECTED = 'expected a builder or a list of builders, it holds';
const unknownClass = (module: string, name: string) => ({
  ...countingBuilder(),
  '@module': module,
  '@class': name,
});
const { target: _, ...withoutTarget } = countingBuilder() as Record<string, unknown>;

const CASES: readonly Case[] = [
  { what: 'a missing file', file: 'gone.json', says: 'gone.json: there is no such file' },
  { what: 'an empty file', file: 'b.json', content: '', says: /^b\.json: it is empty, expected/ },
  {
    what: 'an unknown extension',
    file: 'b.txt',
    content: 'x',
    says: /^b\.txt: expected a name that ends in \.json, .*\.cts$/,
  },
  {
    what: 'text that is not JSON',
    file: 'b.json',
    content: '{"a": 1,}',
    says: /^b\.json: .*not valid JSON.*line 1/,
  },
  {
    what: 'text that is not YAML',
    file: 'b.yaml',
    content: 'a: [1',
    says: /^b\.yaml: .*not valid YAML/,
  },
  {
    what: 'a file that is not compressed',
    file: 'b.json.gz',
    content: '{}',
    says: /^b\.json\.gz: .*gzip/,
  },
  {
    what: 'a record',
    file: 'b.json',
    content: { a: 1, b: 2 },
    says: `b.json: ${EXPECTED} an object with a, b`,
  },
  { what: 'a number', file: 'b.yaml', content: '3', says: `b.yaml: ${EXPECTED} the number 3` },
  { what: 'null', file: 'b.json', content: null, says: `b.json: ${EXPECTED} null` },
  { what: 'an empty list', file: 'b.json', content: [], says: `b.json: ${EXPECTED} an empty list` },
  {
    what: 'a store',
    file: 'b.json',
    content: MEMORY,
    says: `b.json: ${EXPECTED} an object of class MemoryStore`,
  },
  {
    what: 'a store among builders',
    file: 'b.json',
    content: [countingBuilder(), MEMORY],
    says: 'b.json: expected a builder or a list of builders, it holds at [1] an object of class MemoryStore',
  },
  {
    what: 'a camelCase argument',
    file: 'b.json',
    content: countingBuilder({ pauseMs: 1 }),
    says: /^b\.json: .*"pauseMs".*"pause_ms"/,
  },
  {
    what: 'an unknown argument',
    file: 'b.json',
    content: countingBuilder({ pawsMs: 1, bogus: 1 }),
    says: /^b\.json: .*no argument "pawsMs".*source, target/,
  },
  {
    what: 'a missing argument',
    file: 'b.json',
    content: withoutTarget,
    says: /^b\.json: CountingBuilder needs the argument "target"/,
  },
  {
    what: 'an argument out of range',
    file: 'b.json',
    content: countingBuilder({ chunk_size: 0 }),
    says: /^b\.json: .*`chunkSize` to be a positive whole number, got 0/,
  },
  {
    what: 'an unknown class of ours',
    file: 'b.json',
    content: unknownClass('maggma.builders.none', 'NoBuilder'),
    says: /^b\.json: Unknown class "NoBuilder" of module "maggma\.builders\.none"/,
  },
  {
    what: 'a class that its module lacks',
    file: 'b.json',
    content: unknownClass('./counting-builder.mjs', 'NoBuilder'),
    says: /^b\.json: Unknown class "NoBuilder" .*exports no MSONable/,
  },
  {
    what: 'a class whose file is not there',
    file: 'b.json',
    content: unknownClass('./gone.mjs', 'NoBuilder'),
    says: /^b\.json: .*there is no module "\.\/gone\.mjs"/,
  },
  {
    what: 'a class whose package is not installed',
    file: 'b.json',
    content: unknownClass('no-such-package/x', 'NoBuilder'),
    says: /^b\.json: .*there is no module "no-such-package\/x"/,
  },
  {
    what: 'a script without builders',
    file: 'b.mjs',
    content: 'export const builder = 1;',
    says: 'b.mjs: it exports no builder: export `__builder__`, a list `__builders__`, or a default',
  },
  {
    what: 'a script that exports a class',
    file: 'b.mjs',
    content: 'export default class Mine {}',
    says: `b.mjs: ${EXPECTED} the class Mine (not an instance of it)`,
  },
  {
    what: 'a script that is not JavaScript',
    file: 'b.mjs',
    content: 'const = 3',
    says: /^b\.mjs: it cannot be imported: Unexpected token .*`node b\.mjs` shows where/,
  },
  {
    what: 'a script that imports what is not there',
    file: 'b.mjs',
    content: 'import "no-such-package";',
    says: /^b\.mjs: Cannot find package 'no-such-package' imported from .*b\.mjs$/,
  },
  {
    what: 'a builder without getItems',
    file: 'b.mjs',
    content: `import { Builder, MemoryStore } from 'maggma';
      class Half extends Builder { updateTargets() {} }
      export default new Half(new MemoryStore(), new MemoryStore());`,
    says: 'b.mjs: Half has no getItems()',
  },
];

describe('mrun refuses, in one line and with code 2,', { concurrent: true }, () => {
  test.for(CASES)('$what', async ({ file, content, says }, { project }) => {
    project.write('good.json', countingBuilder());
    if (content !== undefined) project.write(file, content);
    const before = readdirSync(project.folder);
    const { code, stdout, stderr } = await project.run('good.json', file);
    expect(stderr).toMatch(/^mrun: [^\n]+\n$/);
    const said = stderr.slice('mrun: '.length, -1);
    if (typeof says === 'string') expect(said).toBe(says);
    else expect(said).toMatch(says);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(readdirSync(project.folder)).toEqual(before);
  });

  test('a folder', async ({ project }) => {
    mkdirSync(path.join(project.folder, 'builders.json'));
    expect(await project.run('builders.json')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'mrun: builders.json: it is a folder: name the builder files in it\n',
    });
  });

  test('wrong options', async ({ project }) => {
    expect(await project.run('--fail-fats', 'b.json')).toEqual({
      code: 2,
      stdout: '',
      stderr: "mrun: unknown option '--fail-fats' (Did you mean --fail-fast?)\n",
    });
  });
});

test('TypeScript in a package that is no module either runs or says what to do', async ({
  project,
}) => {
  const { code, stderr } = await project.run('typed-builder.ts');
  // Newer versions of Node do not mind.
  if (code !== 0)
    expect(stderr).toBe(
      'mrun: typed-builder.ts: it is an ES module in a CommonJS package: add "type": "module" to package.json, or call it typed-builder.mts\n',
    );
  project.write('package.json', { type: 'module' });
  expect(await project.run('typed-builder.ts')).toMatchObject({ code: 0 });
});

test('a script that throws is shown with its stack', async ({ project }) => {
  project.write('b.mjs', "throw new RangeError('too\\nbad');");
  const { code, stderr } = await project.run('b.mjs');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^mrun: RangeError: too\nbad\n {4}at .*b\.mjs:1:7\n/);
});

test('no script runs when a later file is not there', async ({ project }) => {
  project.write('b.mjs', "console.log('it runs');");
  expect(await project.run('b.mjs', 'gone.json')).toMatchObject({ code: 2, stdout: '' });
});

test('a store that cannot be reached is one line, with code 1', async ({ project }) => {
  const source = {
    '@module': 'maggma.stores.mongolike',
    '@class': 'JSONStore',
    paths: 'gone/source.json',
  };
  project.write('b.json', { ...countingBuilder(), source });
  const { code, stderr } = await project.run('b.json');
  expect(stderr).toMatch(
    /^mrun: CountingBuilder failed: Cannot connect [^\n]*source\.json[^\n]*\n$/,
  );
  expect(code).toBe(1);
  expect(project.exists('gone')).toBe(false);
});
