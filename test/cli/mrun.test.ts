import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { stringify } from 'yaml';
import { countingBuilder, test } from './mrun-process.js';

/** Escape sequences, carriage returns and the like. */
const CONTROL = /[^\P{Cc}\t\n]/u;

describe('mrun', { concurrent: true }, () => {
  test('builds what a JSON file says, and says nothing', async ({ project }) => {
    project.write('b.json', countingBuilder());
    expect(await project.run('b.json')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(project.count('target.json')).toBe(10);
  });

  test('reads YAML, and compressed files', async ({ project }) => {
    project.write('a.yaml', stringify(countingBuilder({ items: 3 }, 'a.out')));
    project.write('b.yml', stringify([countingBuilder({ items: 4 }, 'b.out')]));
    project.write('c.json.gz', gzipSync(JSON.stringify(countingBuilder({ items: 5 }, 'c.out'))));
    project.write('d.yaml.gz', gzipSync(stringify(countingBuilder({ items: 6 }, 'd.out'))));
    const files = ['a.yaml', 'b.yml', 'c.json.gz', 'd.yaml.gz'];
    expect(await project.run(...files)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(['a.out', 'b.out', 'c.out', 'd.out'].map((name) => project.count(name))).toEqual([
      3, 4, 5, 6,
    ]);
  });

  test('runs what scripts export: TypeScript, ESM, CommonJS', async ({ project }) => {
    const make = (target: string) =>
      `new CountingBuilder(new MemoryStore(), new JSONStore('${target}', { readOnly: false }))`;
    const imports = `import { JSONStore, MemoryStore } from 'maggma';
      import { CountingBuilder } from './counting-builder.mjs';`;
    project.write(
      'list.mjs',
      `${imports} export const __builders__ = [${make('1')}, ${make('2')}];
      export const __builder__ = 'the list wins';`,
    );
    project.write('one.js', `${imports} export const __builder__ = ${make('3')};`);
    project.write('package.json', { type: 'module' });
    project.write('default.mts', `${imports} export default [${make('4')}];`);
    project.write(
      'common.cjs',
      `const { CopyBuilder, JSONStore, MemoryStore } = require('maggma');
      const { CountingBuilder } = require('./counting-builder.mjs');
      module.exports = { __builder__: ${make('5')} };`,
    );
    const files = ['list.mjs', 'one.js', 'default.mts', 'common.cjs', 'typed-builder.ts'];
    const { code, stderr } = await project.run(...files);
    expect(stderr.replace(/.*ExperimentalWarning.*\n.*\n/, '')).toBe('');
    expect(code).toBe(0);
    for (const target of ['1', '2', '3', '4', '5']) expect(project.count(target)).toBe(10);
    expect(project.count('typed.json')).toBe(3);
  });

  test('logs in the form of Python with -v, in order, without control characters', async ({
    project,
  }) => {
    project.write('b.json', countingBuilder({ items: 20, chunk_size: 10 }));
    const { code, stdout, stderr } = await project.run('-v', 'b.json');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).not.toMatch(CONTROL);
    const lines = stderr.trimEnd().split('\n');
    for (const line of lines)
      expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - \w+ - INFO - \S.*$/);
    expect(lines.map((line) => line.split(' - ').slice(1).join(' - '))).toEqual([
      'SerialProcessor - INFO - Starting CountingBuilder',
      'SerialProcessor - INFO - Processing batch of 10 items',
      'SerialProcessor - INFO - Processing batch of 10 items',
      'SerialProcessor - INFO - Ended CountingBuilder: succeeded, 20 items processed',
      expect.stringMatching(
        /^mrun - INFO - CountingBuilder: 20 succeeded, 0 failed, 0 skipped in \d+\.\d s$/,
      ),
    ]);
  });

  test('tells of failed items, and exits with 3', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 9, fail_every: 2 }));
    const { code, stderr } = await project.run('b.json');
    expect(code).toBe(3);
    expect(project.count('target.json')).toBe(4);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      'CountingBuilder: 5 of 9 items failed: 0 (cannot build 0), 2 (cannot build 2), 4 (cannot build 4) and 2 more',
    );
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect((await project.run('-vv', 'b.json')).stderr).toMatch(
      /^TypeError: cannot build 0\n {4}at /m,
    );
  });

  test('ends a build when too many items fail, and exits with 1', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 9, fail_every: 2, pause_ms: 1 }));
    const limited = await project.run('--max-failures', '2', 'b.json');
    expect(limited.code).toBe(1);
    expect(limited.stderr).toMatch(/^CountingBuilder: 3 of 9 items failed: .*$/m);
    expect(limited.stderr).toMatch(/^mrun: CountingBuilder failed: .*more than 2 items.*\n$/m);
    const fast = await project.run('--fail-fast', 'b.json');
    expect(fast.code).toBe(1);
    expect(fast.stderr).toMatch(/^CountingBuilder: 1 of 9 items failed: .*$/m);
    expect((await project.run('--max-failures', '5', 'b.json')).code).toBe(3);
  });

  test('goes on with the other builders when one fails, and exits with 1', async ({ project }) => {
    const lost = { ...countingBuilder(), source: jsonStore('no-such-folder/source.json') };
    project.write('lost.json', lost);
    project.write('good.json', countingBuilder());
    const { code, stderr } = await project.run('lost.json', 'good.json');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^mrun: CountingBuilder failed: Cannot connect [^\n]*\n$/);
    expect(project.count('target.json')).toBe(10);
  });

  test('shows the stack of an error that is not ours', async ({ project }) => {
    project.write(
      'b.mjs',
      `import { Builder, MemoryStore } from 'maggma';
      class Broken extends Builder {
        getItems() { throw new TypeError('mongodb://me:hunter2@host is broken'); }
        updateTargets() {}
      }
      export default new Broken(new MemoryStore(), new MemoryStore());`,
    );
    const { code, stderr } = await project.run('b.mjs');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^mrun: Broken failed: TypeError: mongodb:\/\/me:\*\*\*@host is broken\n {4}at Broken.getItems .*b\.mjs:3/m,
    );
    expect(stderr).not.toContain('hunter2');
  });

  test.for([
    [
      'a category of its own',
      'mine',
      /^own about to build\n$/,
      /- INFO - Starting CountingBuilder\n/,
    ],
    ['ours', 'maggma', /^own Starting CountingBuilder\nown Processing batch of 10 items\n/, /^$/],
  ] as const)(
    'keeps what a script has configured of LogTape: %s',
    async ([, category, out, err], { project }) => {
      project.write(
        'b.mjs',
        `import { JSONStore, MemoryStore } from 'maggma';
      import { configureSync, getLogger } from './node_modules/maggma/node_modules/@logtape/logtape/dist/mod.js';
      import { CountingBuilder } from './counting-builder.mjs';
      configureSync({
        sinks: { own: (record) => console.log('own', record.rawMessage) },
        loggers: [{ category: '${category}', lowestLevel: 'info', sinks: ['own'] },
          { category: ['logtape', 'meta'], lowestLevel: 'error', sinks: ['own'] }],
      });
      class Mine extends CountingBuilder {
        getItems() {
          getLogger('mine').info('about to build');
          return super.getItems();
        }
      }
      Object.defineProperty(Mine, 'name', { value: 'CountingBuilder' });
      export default new Mine(new MemoryStore(), new JSONStore('target.json', { readOnly: false }));`,
      );
      const { code, stdout, stderr } = await project.run('-v', 'b.mjs');
      expect(code).toBe(0);
      expect(stdout).toMatch(out);
      expect(stderr).toMatch(err);
    },
  );

  test('prints its version and its help on stdout', async ({ project }) => {
    expect(await project.run('--version')).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+/),
      stderr: '',
    });
    expect(await project.run('--help')).toEqual({
      code: 0,
      stdout: expect.stringContaining('Usage: mrun [options] <builders...>'),
      stderr: '',
    });
  });

  test('does not mind that nobody reads what it prints', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 200, chunk_size: 1, say: 'hello' }));
    const line = '{ $mrun -v b.json 2>&1; echo "code $?" >&3; } 3>code | head -1';
    const { stdout, stderr } = await project.shell(`${line}; cat code`).finished;
    expect(stdout).toMatch(/ - INFO - Starting CountingBuilder\ncode 0\n$/);
    expect(stderr).toBe('');
    expect(project.count('target.json')).toBe(200);
  });
});

function jsonStore(paths: string): object {
  return { '@module': 'maggma.stores.mongolike', '@class': 'JSONStore', '@version': null, paths };
}
