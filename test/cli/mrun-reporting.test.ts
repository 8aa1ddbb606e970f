import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import type { Doc } from '../../src/index.js';
import { JSONStore, SQLiteStore } from '../../src/index.js';
import type { Project } from './mrun-process.js';
import { countingBuilder, MEMORY, test } from './mrun-process.js';

/** Builds, fails, skips and is refused, as its items say. */
const MIXED_BUILDER = `
  import { MapBuilder, MSONable } from 'maggma';
  export const MixedBuilder = MSONable(import.meta.url)(
    class MixedBuilder extends MapBuilder {
      unaryFunction({ do: deed, task_id }) {
        if (deed === 'throw') throw new RangeError(\`cannot build \${task_id}\`);
        return deed === 'skip' ? null : { deed };
      }
    },
  );`;

const jsonStore = (paths: string, others: object = {}): object => ({
  '@module': 'maggma.stores.mongolike',
  '@class': 'JSONStore',
  '@version': null,
  paths,
  ...others,
});

const reportingStore = (file: string): object => jsonStore(file, { key: '_id', read_only: false });

function writeMixed(project: Project): void {
  const deeds = ['build', 'throw', 'skip', 'refused', 'build'];
  project.write(
    'source.json',
    Array.from({ length: 50 }, (_, i) => ({
      ...{ task_id: i, do: deeds[i % 5], last_updated: '2020-01-01T00:00:00' },
    })),
  );
  project.write('mixed-builder.mjs', MIXED_BUILDER);
  project.write('b.json', {
    '@module': './mixed-builder.mjs',
    '@class': 'MixedBuilder',
    '@version': null,
    source: jsonStore('source.json'),
    target: {
      ...MEMORY,
      validator: {
        '@module': 'maggma.validators',
        '@class': 'JSONSchemaValidator',
        '@version': null,
        schema: { properties: { deed: { not: { const: 'refused' } } } },
        strict: false,
      },
    },
  });
}

async function eventsIn(project: Project, file: string): Promise<Doc[]> {
  await using store = new JSONStore(path.join(project.folder, file), { key: '_id' });
  await store.connect();
  return store.query({}, { sort: { _id: 1 } }).toArray();
}

/** What does not differ from run to run. */
function essence(events: readonly Doc[]): unknown {
  const [started, ended] = [events[0] ?? {}, events.at(-1) ?? {}];
  const { _id, build_id, last_updated, heartbeat, pid, ...start } = started;
  const {
    _id: _,
    build_id: id,
    last_updated: at,
    duration_ms,
    items_per_second,
    stage_ms,
    ...end
  } = ended;
  expect(id).toBe(build_id);
  const updates = events.slice(1, -1);
  expect(updates.every(({ event }) => event === 'UPDATE')).toBe(true);
  return { start, items: updates.reduce((sum, { items }) => sum + items, 0), end };
}

const spoolOf = (project: Project): string =>
  path.join(project.folder, '.local/share/maggma/reporting');

describe('mrun -r', { concurrent: true }, () => {
  test('reports the same in serial and in workers, whether it logs or not', async ({ project }) => {
    writeMixed(project);
    const records = await Promise.all(
      [[], ['-v'], ['-n', '2'], ['-n', '2', '-vv']].map(async (words, i) => {
        const file = project.write(`reporting-${i}.json`, reportingStore(`builds-${i}.json`));
        const { code } = await project.run(...words, '-r', file, 'b.json');
        expect(code).toBe(3);
        return essence(await eventsIn(project, `builds-${i}.json`));
      }),
    );
    expect(records[0]).toMatchObject({
      start: {
        event: 'BUILD_STARTED',
        builder: 'MixedBuilder',
        total: 50,
        targets: ['mem://memory_db'],
      },
      end: {
        ...{ event: 'BUILD_ENDED', status: 'succeeded', total: 50, processed: 50 },
        ...{ succeeded: 20, failed: 10, skipped: 10, invalid: 10, errors: 10, warnings: 10 },
      },
    });
    for (const record of records) expect(record).toEqual(records[0]);
  });

  test('reports each builder of a run, also of YAML, into a database', async ({ project }) => {
    project.write(
      'reporting.yaml',
      "'@module': maggma_ts.stores\n'@class': SQLiteStore\npath: builds.db\ncollection_name: builds\n",
    );
    project.write('a.json', countingBuilder({}, 'a.out'));
    project.write('b.json', countingBuilder({ items: 4, fail_every: 2 }, 'b.out'));
    const { code, stdout, stderr } = await project.run('-r', 'reporting.yaml', 'a.json', 'b.json');
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).not.toMatch(/Reporter/);
    await using store = new SQLiteStore(path.join(project.folder, 'builds.db'), 'builds');
    await store.connect();
    const ends = await store.query({ event: 'BUILD_ENDED' }, { sort: { _id: 1 } }).toArray();
    expect(ends).toMatchObject([
      { processed: 10, failed: 0 },
      { processed: 4, failed: 2 },
    ]);
    expect(existsSync(spoolOf(project))).toBe(false);
  });

  test('reports that a run was interrupted', async ({ project }) => {
    project.write('reporting.json', reportingStore('builds.json'));
    project.write('b.json', countingBuilder({ items: 100_000, pause_ms: 5, chunk_size: 10 }));
    const running = project.start('-v', '-r', 'reporting.json', 'b.json');
    await running.until('a batch', () => running.stderr.includes('Processing batch'));
    running.kill('SIGINT');
    expect((await running.finished).code).toBe(130);
    const built = project.count('target.json');
    expect((await eventsIn(project, 'builds.json')).at(-1)).toMatchObject({
      ...{ event: 'BUILD_ENDED', status: 'cancelled', total: 100_000 },
      ...{ processed: built, succeeded: built },
    });
  });

  test('builds when the store cannot be reached, warns once, and reports the next time', async ({
    project,
  }) => {
    // Nobody listens there.
    const store = {
      '@module': 'maggma.stores.mongolike',
      '@class': 'MongoStore',
      '@version': null,
    };
    const options = {
      ...{ port: 1, username: 'me', password: 'hunter2hunter2' },
      mongoclient_kwargs: { serverSelectionTimeoutMS: 300 },
    };
    project.write('reporting.json', { ...store, database: 'd', collection_name: 'c', ...options });
    project.write('b.json', countingBuilder({ items: 50, pause_ms: 10, chunk_size: 5 }));
    const { code, stdout, stderr } = await project.run('-r', 'reporting.json', 'b.json');
    expect([code, stdout]).toEqual([0, '']);
    expect(project.count('target.json')).toBe(50);
    expect(stderr).toMatch(
      /^[^\n]* - Reporter - WARNING - Cannot connect mongo:[^\n]*; the build goes on, its events are kept in [^\n]*\n$/,
    );
    const [folder = ''] = readdirSync(spoolOf(project));
    expect(readdirSync(path.join(spoolOf(project), folder))).toEqual([
      expect.stringMatching(/^[\da-f-]{36}\.jsonl$/),
    ]);
    expect(
      (await project.shell('cat .local/share/maggma/reporting/*/*').finished).stdout,
    ).not.toMatch(/hunter2/);
    const status = await project.run('status', 'reporting.json');
    expect(status.code).toBe(1);
    expect(status.stderr).toMatch(/^mrun: Cannot connect mongo:/);
    expect(stderr + status.stderr).not.toMatch(/hunter2/);
  });

  test('refuses a file that holds no store, and runs nothing', async ({ project }) => {
    project.write('b.json', countingBuilder());
    const { code, stdout, stderr } = await project.run('-r', 'b.json', 'b.json');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'mrun: b.json: expected a store, it holds an object of class CountingBuilder\n',
    );
    expect(project.exists('target.json')).toBe(false);
  });
});
