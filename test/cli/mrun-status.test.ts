import { describe, expect } from 'vitest';
import type { Doc } from '../../src/index.js';
import type { Project } from './mrun-process.js';
import { countingBuilder, test } from './mrun-process.js';

const REPORTING = {
  '@module': 'maggma.stores.mongolike',
  '@class': 'JSONStore',
  '@version': null,
  paths: 'builds.json',
  key: '_id',
  read_only: false,
};

/** The builds that `mrun status --json` lists. */
async function statusOf(project: Project, ...words: string[]): Promise<Doc[]> {
  const { code, stdout, stderr } = await project.run(
    'status',
    ...words,
    '--json',
    'reporting.json',
  );
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('mrun status', { concurrent: true }, () => {
  test('shows a build that runs, and one that was killed as dead', async ({ project }) => {
    project.write('reporting.json', REPORTING);
    project.write('done.json', countingBuilder({ items: 8, fail_every: 4 }));
    await project.run('-r', 'reporting.json', 'done.json');
    project.write(
      'slow.json',
      countingBuilder({ items: 100_000, pause_ms: 5, chunk_size: 5 }, 'slow.out'),
    );
    const running = project.start('-v', '-r', 'reporting.json', 'slow.json');
    await running.until(
      'the second batch',
      () => (running.stderr.match(/Processing batch/g)?.length ?? 0) > 1,
    );
    let builds = await statusOf(project);
    while (builds.length < 2) builds = await statusOf(project);
    expect(builds).toMatchObject([
      { state: 'running', status: null, builder: 'CountingBuilder', total: 100_000 },
      { state: 'ended', status: 'succeeded', processed: 8, failed: 2 },
    ]);
    running.kill('SIGKILL');
    await running.finished;
    expect(await statusOf(project)).toMatchObject([
      { state: 'dead', status: null, remaining_ms: null },
      { state: 'ended' },
    ]);
    const { code, stdout, stderr } = await project.run('status', 'reporting.json');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^builder +state +done +failed +items\/s +time +remaining +started +machine$/,
      ),
      expect.stringMatching(/^CountingBuilder +dead +\d+ of 100000 \(\d+%\) +0 /),
      expect.stringMatching(/^CountingBuilder +succeeded +8 of 8 +2 /),
      '',
    ]);
  });

  test('says when events still wait to be written', async ({ project }) => {
    project.write('reporting.json', { ...REPORTING, paths: 'later/builds.json' });
    const { code, stderr } = await project.run('status', 'reporting.json');
    expect([code, stderr]).toEqual([0, 'no builds are recorded in json://later/builds.json\n']);
    // The store must be one that is opened without a complaint, and cannot be written.
    const script = `
      import { JSONStore, Reporter, MemoryStore, SerialProcessor, CopyBuilder } from 'maggma';
      const reporter = new Reporter(new JSONStore('later/builds.json', { key: '_id', readOnly: false }), { closeTimeoutMs: 200 });
      const processor = new SerialProcessor();
      reporter.follow(processor);
      await processor.run(new CopyBuilder(new MemoryStore(), new MemoryStore()));
      await reporter.close();`;
    project.write('report.mjs', script);
    await project.shell(`${process.execPath} report.mjs`).finished;
    const waiting = await project.run('status', 'reporting.json');
    expect(waiting.code).toBe(0);
    expect(waiting.stderr).toMatch(
      /^2 events wait in .*\/\.local\/share\/maggma\/reporting\/[\da-f]{32}: the next run that reports to this store writes them$/m,
    );
  });
});
