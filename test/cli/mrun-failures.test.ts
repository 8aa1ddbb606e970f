import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import type { Project } from './mrun-process.js';
import { countingBuilder, test } from './mrun-process.js';
import type { Deed } from './orders.js';
import { writeOrders } from './orders.js';

const deeds = (count: number, deed: Deed): Deed[] => Array.from({ length: count }, () => deed);
const TIME = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d';

/** All files of a project, with their contents and the time of their last change. */
const snapshot = ({ folder }: Project) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => {
      const file = path.join(folder, name);
      return [name, readFileSync(file, 'utf8'), statSync(file).mtimeMs];
    });

/** A script with builders whose target refuses what is not positive. */
function writeRefusing(project: Project, builder: string): void {
  project.write(
    'refusing.mjs',
    `import { JSONSchemaValidator, JSONStore, MapBuilder, ProjectionBuilder } from 'maggma';
    const validator = new JSONSchemaValidator({ properties: { a: { minimum: 1 } } });
    const source = new JSONStore('source.json', { key: 'k' });
    const target = new JSONStore('refusing.out', { key: 'k', readOnly: false, validator });
    const quarantine = new JSONStore('quarantine.out', { key: 'k', readOnly: false });
    class Taking extends MapBuilder { unaryFunction({ a }) { return { a }; } }
    export default ${builder};`,
  );
  project.write('source.json', [
    { k: 'good', a: 1, last_updated: '2026-01-01T00:00:00Z' },
    { k: 'bad', a: -1, last_updated: '2026-01-01T00:00:00Z' },
  ]);
}

describe('mrun failures', { concurrent: true }, () => {
  test('lists what failed, and writes nothing', async ({ project }) => {
    const file = writeOrders(project, [null, 'throw', null, 'throw']);
    expect((await project.run(file)).stderr).toMatch(
      /\nSee all failures: mrun failures b\.json\n$/,
    );
    const before = snapshot(project);
    const { code, stdout, stderr } = await project.run('failures', file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(
        `^key  last                 error\n1    ${TIME}  cannot build 1\n3    ${TIME}  cannot build 3\nObeyingBuilder: 2 failed\n$`,
      ),
    );
    expect(snapshot(project)).toEqual(before);
  });

  test('lists as many as it is asked for, and says how many there are', async ({ project }) => {
    const file = writeOrders(project, deeds(25, 'throw'));
    await project.run(file);
    const shown = (text: string) => text.match(/cannot build/g)?.length;
    const some = await project.run('failures', file);
    expect(shown(some.stdout)).toBe(20);
    expect(some.stdout).toMatch(
      /\nObeyingBuilder: 25 failed, 5 of them not shown \(--limit 25 shows all\)\n$/,
    );
    expect(shown((await project.run('failures', '--limit', '3', file)).stdout)).toBe(3);
    // Another program wants all of them.
    expect(shown((await project.run('failures', '--json', file)).stdout)).toBe(25);
  });

  test.for([['state'], ['_maggma']] as const)(
    'gives all that is known as JSON (%s)',
    async ([metaField], { project }) => {
      const options = {
        failure_details: 'stack',
        retry_failed: true,
        ...(metaField !== 'state' && { meta_field: metaField }),
      };
      const file = writeOrders(project, [], options);
      // With a time stamp: an item that fails again with the same source has failed since the first time.
      project.write('b-orders.json', [{ task_id: 0, do: 'throw', last_updated: '2026-01-01' }]);
      await project.run(file);
      await project.run(file);
      const { code, stdout } = await project.run('failures', '--json', file);
      expect(code).toBe(0);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const instant = expect.stringMatching(/^\d{4}-.*Z$/);
      expect(lines).toEqual([
        {
          builder: 'ObeyingBuilder',
          key: 0,
          error: 'cannot build 0',
          name: 'RangeError',
          attempts: 2,
          first: instant,
          last: instant,
          stack: expect.stringContaining('\n    at '),
        },
        { builder: 'ObeyingBuilder', failed: 1 },
      ]);
      expect(lines[0].first < lines[0].last).toBe(true);
      const table = await project.run('failures', file);
      expect(table.stdout).toMatch(new RegExp(`^key  attempts  last.*\n0 +2  ${TIME}  cannot`));
    },
  );

  test.for([
    ['MapBuilder', 'new Taking(source, target)'],
    ['MapBuilder with a quarantine', 'new Taking(source, target, { quarantine })'],
    ['ProjectionBuilder', 'new ProjectionBuilder([source], target)'],
  ] as const)('lists results that were refused: %s', async ([, builder], { project }) => {
    writeRefusing(project, builder);
    expect((await project.run('refusing.mjs')).code).toBe(3);
    const { code, stdout } = await project.run('failures', 'refusing.mjs');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`\n'bad'  ${TIME}  refused by the validator: .*>= 1.*\n\\w+: 1 failed\n$`),
    );
  });

  test('lists groups that failed', async ({ project }) => {
    project.write('source.json', [
      { k: 1, g: 'a', last_updated: '2026-01-01T00:00:00Z' },
      { k: 2, g: 'b', last_updated: '2026-01-01T00:00:00Z' },
    ]);
    project.write(
      'groups.mjs',
      `import { GroupBuilder, JSONStore } from 'maggma';
      class Grouping extends GroupBuilder {
        unaryFunction([{ g }]) { if (g === 'b') throw new Error('no b'); return { g }; }
      }
      export default new Grouping(
        new JSONStore('source.json', { key: 'k' }),
        new JSONStore('groups.out', { key: 'k', readOnly: false }),
        ['g'],
      );`,
    );
    expect((await project.run('groups.mjs')).code).toBe(3);
    expect((await project.run('failures', 'groups.mjs')).stdout).toMatch(
      /\n'?b'? .* no b\nGrouping: 1 failed\n$/,
    );
  });

  test('says when nothing failed, and which builders keep no record', async ({ project }) => {
    const file = writeOrders(project, [null]);
    project.write('c.json', countingBuilder());
    expect(await project.run('failures', 'c.json', file)).toEqual({
      code: 0,
      stdout: 'ObeyingBuilder: nothing failed\n',
      stderr: 'CountingBuilder keeps no record of what failed\n',
    });
    expect(project.exists('b-target.json')).toBe(false);
  });

  test('exits with 1 when a store does not answer, and goes on', async ({ project }) => {
    const target = {
      '@module': 'maggma.stores.mongolike',
      '@class': 'JSONStore',
      '@version': null,
      paths: 'no-such-folder/target.json',
    };
    const lost = writeOrders(project, [null], { target }, 'lost');
    const good = writeOrders(project, [null], {}, 'good');
    const { code, stdout, stderr } = await project.run('failures', lost, good);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^mrun: Cannot connect .*no-such-folder.*\n$/);
    expect(stdout).toBe('ObeyingBuilder: nothing failed\n');
  });

  test('exits with 2 for a file that is no builder', async ({ project }) => {
    expect(await project.run('failures', 'no.json')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'mrun: no.json: there is no such file\n',
    });
  });

  test('fits a narrow terminal', async ({ project }) => {
    const file = writeOrders(project, [null, 'throw'], { failure_details: 'full' });
    await project.run(file);
    for (const columns of [80, 40, 20]) {
      const { stdout } = await project.startInTerminal(columns, 24, ['failures', file]).finished;
      const lines = stdout.replaceAll('\r', '').trimEnd().split('\n');
      for (const line of lines.slice(0, 2)) expect(line.length).toBeLessThanOrEqual(columns);
      expect(lines[1]).toMatch(/^1 .*c/);
      expect(lines.at(-1)).toBe('ObeyingBuilder: 1 failed');
    }
  });
});
