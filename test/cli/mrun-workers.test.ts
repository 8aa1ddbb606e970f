import { describe, expect } from 'vitest';
import { countingBuilder, test } from './mrun-process.js';
import type { Deed } from './orders.js';
import { writeOrders } from './orders.js';

/** What stands behind the time in each log line. */
const said = (stderr: string) => [...stderr.matchAll(/^\S+ \S+ - (.*)$/gm)].map(([, line]) => line);

describe('mrun with workers', () => {
  test('builds the same, in the name of MultiProcessor', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 2500 }));
    const { code, stdout, stderr } = await project.run('-v', '-n', '2', 'b.json');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const [first, ...others] = said(stderr);
    expect(first).toBe('MultiProcessor - INFO - Starting CountingBuilder');
    expect(others.filter((line) => line?.endsWith('Processing batch of 1000 items'))).toEqual(
      Array(2).fill('MultiProcessor - INFO - Processing batch of 1000 items'),
    );
    expect(others.slice(-2)).toEqual([
      'MultiProcessor - INFO - Ended CountingBuilder: succeeded, 2500 items processed',
      expect.stringMatching(/^mrun - INFO - CountingBuilder: 2500 succeeded, 0 failed, /),
    ]);
    const built = project.read('target.json').map((doc) => doc['task_id']);
    expect(built.sort((a, b) => Number(a) - Number(b))).toEqual([...Array(2500).keys()]);
  });

  test('says nothing when all is well', async ({ project }) => {
    project.write('b.json', countingBuilder());
    expect(await project.run('-n', '2', 'b.json')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('runs TypeScript, from the script that also makes the builder', async ({ project }) => {
    project.write('package.json', { type: 'module' });
    const { code, stderr } = await project.run('-n', '2', 'typed-builder.ts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(
      project
        .read('typed.json')
        .map((doc) => doc['value'])
        .sort(),
    ).toEqual([3, 6, 9]);
  });

  test.for([
    ['thread', 'loop', 'timeout after 1 s'],
    ['process', 'loop', 'timeout after 1 s'],
    ['thread', 'wait', 'timeout after 1 s'],
    ['thread', 'exit', 'the worker exited with code 7'],
    ['process', 'throw', 'cannot build 2'],
  ] as const)(
    'exits with 3 when an item fails in a %s: %s',
    async ([isolation, deed, problem], { project }) => {
      const orders = writeOrders(project, [null, null, deed], { timeout: 1 });
      const { code, stderr } = await project.run('-n', '2', '--isolation', isolation, orders);
      expect(code).toBe(3);
      expect(said(stderr)).toContain(
        `MultiProcessor - ERROR - ObeyingBuilder: item 2 failed: ${problem}`,
      );
      expect(stderr).toMatch(/^ObeyingBuilder: 1 of 3 items failed: 2 \(.*\)$/m);
      expect(project.read('b-target.json').map((doc) => [doc['task_id'], doc['state']])).toEqual(
        expect.arrayContaining([
          [0, 'successful'],
          [1, 'successful'],
          [2, 'failed'],
        ]),
      );
    },
  );

  test('needs no -n for a time limit that stops an endless loop', async ({ project }) => {
    const orders = writeOrders(project, ['loop', null], { timeout: 1 });
    const { code, stderr } = await project.run('-v', orders);
    expect(code).toBe(3);
    expect(said(stderr)[0]).toBe('MultiProcessor - INFO - Starting ObeyingBuilder');
    expect(stderr).toMatch(/^ObeyingBuilder: 1 of 2 items failed: 0 \(timeout after 1 s\)$/m);
  });

  test('needs no worker for the builders beside one with a time limit', async ({ project }) => {
    const orders = writeOrders(project, ['loop', null], { timeout: 1 });
    project.write('local.mjs', script('class Local extends CopyBuilder {}', 'Local', '{}'));
    const { code, stderr } = await project.run(orders, 'local.mjs');
    expect(code).toBe(3);
    expect(said(stderr)).toEqual([expect.stringContaining('item 0 failed: timeout after 1 s')]);
    expect(project.count('b-target.json')).toBe(2);
    expect(project.count('target.json')).toBe(1);
  });

  test('says in one line that a time limit is soft, and why, when no worker can be had', async ({
    project,
  }) => {
    project.write('b.mjs', script('class Local extends CopyBuilder {}', 'Local', '{ timeout: 1 }'));
    const { code, stderr } = await project.run('b.mjs');
    expect(code).toBe(0);
    expect(said(stderr)).toEqual([
      expect.stringMatching(
        /^mrun - WARNING - Local: its time limit will not stop a busy loop, because it cannot run in a worker: .*Local/,
      ),
    ]);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(project.count('target.json')).toBe(1);
  });

  test.for([
    ['a class that is not decorated', 'class Local extends CopyBuilder {}', '{}', /Local/],
    [
      'a query with a function',
      'const Local = CopyBuilder;',
      '{ query: { a: () => 1 } }',
      /function.* \(at \$\.query\.a\)/,
    ],
  ] as const)(
    'refuses %s before any store is opened',
    async ([, definition, options, problem], { project }) => {
      const missing = "new JSONStore('no-such-folder/source.json')";
      project.write('b.mjs', script(definition, 'Local', options, missing));
      const { code, stdout, stderr } = await project.run('-v', '-n', '2', 'b.mjs');
      expect(stderr).toMatch(/^mrun: \w+ cannot run in workers: [^\n]+\n$/);
      expect(stderr).toMatch(problem);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(project.exists('target.json')).toBe(false);
    },
  );

  test('passes on what builders log in workers, with name and level', async ({ project }) => {
    const deeds = Array.from({ length: 6 }, (_, i): Deed | null => (i % 2 ? 'warn' : null));
    const { code, stdout, stderr } = await project.run('-n', '2', writeOrders(project, deeds));
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(said(stderr).sort()).toEqual(
      [1, 3, 5].map((k) => `ObeyingBuilder - WARNING - ${k} looks odd`),
    );
  });

  test('warns of far more workers than cores, and does as it is told', async ({ project }) => {
    project.write('b.json', countingBuilder({ items: 3 }));
    const { code, stderr } = await project.run('-n', '1000', 'b.json');
    expect(code).toBe(0);
    expect(said(stderr)).toEqual([expect.stringMatching(/^mrun - WARNING - -n 1000: this mach/)]);
    expect(project.count('target.json')).toBe(3);
  });

  test('tries failed items again with --retries', async ({ project }) => {
    const orders = writeOrders(project, ['recover', 'throw']);
    const { code, stderr } = await project.run('-n', '2', '--retries', '1', orders);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^ObeyingBuilder: 1 of 2 items failed: 1 \(cannot build 1\)$/m);
    const [first] = project.read('b-target.json').filter((doc) => doc['task_id'] === 0);
    expect(first).toMatchObject({ state: 'successful', did: 'recover' });
  });

  test('ends a worker that needs more than --max-worker-memory', async ({ project }) => {
    const orders = writeOrders(project, [null, 'hoard']);
    const { code, stderr } = await project.run('--max-worker-memory', '64', orders);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^ObeyingBuilder: 1 of 2 items failed: 1 \(.*limit is 64 MB\)$/m);
  });
});

function script(
  definition: string,
  name: string,
  options: string,
  source = "new JSONStore('source.json')",
): string {
  return `import { writeFileSync } from 'node:fs';
    import { CopyBuilder, JSONStore } from 'maggma';
    writeFileSync('source.json', '[{"task_id": 1}]');
    ${definition}
    export default new ${name}(${source}, new JSONStore('target.json', { readOnly: false }), ${options});`;
}
