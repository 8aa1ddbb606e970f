import path from 'node:path';
import { describe, expect } from 'vitest';
import {
  allOf,
  builtIn,
  chunksDone,
  freeUrl,
  joined,
  toWrite,
  writeBuilder,
  writeDeeds,
} from './deeds.js';
import { reportStore, test } from './mrun-process.js';

const plain = (count: number) => Array.from({ length: count }, () => ({}));

describe('mrun on many machines', () => {
  test('builds the same with two workers as alone, and reports one build', async ({ project }) => {
    // Until both workers are there, so that neither finds the run over.
    const go = path.join(project.folder, 'go');
    await writeDeeds(project, [{ awaits: go }, ...plain(59)]);
    const url = await freeUrl();
    const { store, read } = reportStore(project);
    // What other runs are told is not in the way.
    project.write('mrun.config.json', { url, parallelBuilders: true, failFast: true });
    const planned = await project.run('--plan', '-N', '6', 'b.json');
    expect(planned.stdout).toMatch(/^DeedBuilder: 60 to build \(60 new\)$/m);

    const manager = project.start('-v', '-N', '6', '-r', store, 'b.json');
    const workers = [project.start('-n', '2'), project.start()];
    await joined(manager, 2);
    project.write('go', {});
    const { code, stdout, stderr } = await manager.finished;
    expect(code, stderr).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/ - DistributedProcessor - INFO - .* joined, with 2 slots$/m);
    expect(stderr).toMatch(/ - mrun - INFO - DeedBuilder: 60 succeeded, 0 failed, /);
    expect(await chunksDone(workers)).toBe(6);
    expect(await builtIn(project)).toEqual(allOf(60));
    const builds = read().filter(({ event }) => event === 'BUILD_STARTED');
    expect(builds).toHaveLength(1);

    writeBuilder(project, 'alone');
    expect((await project.run('--no-url', 'b.json')).code).toBe(0);
    expect(await builtIn(project, 'alone')).toEqual(allOf(60));
  });

  test('builds all when a worker is killed in a chunk', async ({ project }) => {
    const deeds = [...plain(3), { ms: 1500, file: path.join(project.folder, 'begun') }];
    await writeDeeds(project, deeds);
    const url = await freeUrl();
    const manager = project.start('--url', url, '-N', '2', 'b.json');
    const killed = project.start('--url', url, '-n', '2');
    await toWrite(project, 'begun');
    killed.kill('SIGKILL');
    const other = project.start('-v', '--keep-alive', '--url', url);
    const { code, stderr } = await manager.finished;
    expect(code, stderr).toBe(0);
    // What a manager warns of is seen without -v.
    expect(stderr).toMatch(/ - WARNING - Chunk \d of DeedBuilder is tried again: \S+ was lost$/m);
    expect(await builtIn(project)).toEqual(allOf(4));
    await other.until('the next run', () => other.stderr.split('Waits for chunks').length > 2);
    other.kill('SIGTERM');
    expect((await other.finished).code).toBe(143);
  });

  test('lets a worker finish its chunk at SIGTERM', async ({ project }) => {
    const first = { ms: 1000, file: path.join(project.folder, 'begun') };
    await writeDeeds(project, [first, {}]);
    const url = await freeUrl();
    const manager = project.start('-v', '--url', url, '-N', '2', 'b.json');
    const leaving = project.start('--url', url);
    await toWrite(project, 'begun');
    leaving.kill('SIGTERM');
    const { code, stderr } = await leaving.finished;
    expect(code).toBe(143);
    expect(stderr).toMatch(/^Stopping: finishing what is in flight \(send SIGTERM again to stop/m);
    expect(stderr).toMatch(/^Worker \S+: [12] chunks? done; stopped$/m);
    const other = project.start('-v', '--log-format', 'json', '--url', url);
    const managed = await manager.finished;
    expect(managed.code).toBe(0);
    expect(managed.stderr).not.toContain('is tried again');
    const ended = await other.finished;
    expect(ended.code).toBe(0);
    const lines = ended.stderr.trim().split('\n');
    const last = { logger: 'mrun', level: 'info', status: 'finished', failed: 0, lost: 0 };
    expect(lines.map((line) => JSON.parse(line)).at(-1)).toMatchObject(last);
    expect(await builtIn(project)).toEqual(allOf(2));
  });

  test('lets a worker leave at once at the second signal', async ({ project }) => {
    await writeDeeds(project, [{ ms: 15_000, file: path.join(project.folder, 'begun') }]);
    const url = await freeUrl();
    const manager = project.start('-v', '--url', url, '-N', '1', 'b.json');
    const worker = project.start('--url', url);
    await toWrite(project, 'begun');
    worker.kill('SIGINT');
    await worker.until('the first answer', () => worker.stderr.includes('Stopping: '));
    // Sooner, it would be taken for an echo of the first one.
    const since = performance.now();
    while (!worker.stderr.includes('at once\n') && performance.now() - since < 10_000) {
      worker.kill('SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await worker.finished).code).toBe(130);
    manager.kill('SIGTERM');
    const { code, stderr } = await manager.finished;
    expect(code).toBe(143);
    expect(stderr).toContain('Stopping: workers leave, and the next run plans what is left (');
    expect(await builtIn(project)).toEqual({});
  });

  test('exits with 3 when a chunk is given up, and lists it', async ({ project }) => {
    await writeDeeds(project, [{}, {}, { do: 'kill' }, {}]);
    const url = await freeUrl();
    const manager = project.start('--url', url, '-N', '4', 'b.json');
    const worker = project.start('--url', url, '-n', '2');
    const { code, stderr } = await manager.finished;
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(/ - ERROR - Chunk 2 of DeedBuilder is given up: .*SIGKILL/m);
    expect(stderr).toMatch(/^DeedBuilder: 1 of 4 items failed: 'chunk 2' \(.*SIGKILL.*\)$/m);
    expect((await worker.finished).code).toBe(0);
    const { k2: _, ...others } = allOf(4);
    expect(await builtIn(project)).toEqual(others);

    // The cause is mended. Nothing was interrupted, so that there is nothing to be revived: what is due is planned.
    await writeDeeds(project, [{}, {}, { do: '' }, {}]);
    const again = project.start('-v', '--retry-dead', '--url', url, '-N', '4', 'b.json');
    const helper = project.start('--url', url);
    const ended = await again.finished;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/ - INFO - No run was interrupted: .* is planned anew$/m);
    expect((await helper.finished).code).toBe(0);
    expect(await builtIn(project)).toEqual(allOf(4));
  });

  test('ends a worker with 1 when no manager comes, and says where it looked', async ({
    project,
  }) => {
    const url = await freeUrl();
    const worker = await project.run('--url', url, '--manager-timeout', '1');
    expect(worker).toMatchObject({ code: 1, stdout: '' });
    expect(worker.stderr).toMatch(
      /^mrun: No manager was at tcp:\S+ for 1 s: start it again, or a/m,
    );
  });

  test('ends a chunk in which nothing moves', async ({ project }) => {
    await writeDeeds(project, [{}, { do: 'wait' }]);
    const url = await freeUrl();
    const shared = ['--url', url, '--chunk-timeout', '1'];
    const manager = project.start(...shared, '-N', '2', 'b.json');
    const worker = project.start('--url', url, '-n', '2');
    const { code, stderr } = await manager.finished;
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(
      / - ERROR - Chunk 1 of DeedBuilder is given up: Nothing was fetched, pr/m,
    );
    expect((await worker.finished).code).toBe(0);
  });

  test('says at the manager what a worker lacks, and ends that worker with 1', async ({
    project,
  }) => {
    await writeDeeds(project, plain(2));
    const url = await freeUrl();
    const limit = ['--worker-timeout', '10'];
    const manager = project.start('-v', '--url', url, '-N', '1', ...limit, 'b.json');
    // A worker that comes before may try again too late.
    await manager.until('it listens', () => manager.stderr.includes(' chunks, for workers at '));
    const worker = project.shell(`mkdir empty && cd empty && exec $mrun --url ${url}`);
    const { code, stderr } = await worker.finished;
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/^mrun: .*builders\.mjs.*\n/m);
    const managed = await manager.finished;
    expect(managed.code).toBe(1);
    expect(managed.stderr).toMatch(/ - DistributedWorker - ERROR - .*builders\.mjs.* \(\S+\)$/m);
    expect(managed.stderr).toMatch(/No worker came to tcp:\S+ for 10 s/);
  });
});
