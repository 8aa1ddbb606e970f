import path from 'node:path';
import { describe, expect } from 'vitest';
import { describeWithRedis } from '../describe-redis.js';
import { allOf, builtIn, chunksDone, joined, toWrite, writeBuilder, writeDeeds } from './deeds.js';
import { reportStore, test } from './mrun-process.js';

const plain = (count: number) => Array.from({ length: count }, () => ({}));
const SHORT_LEASE = ['--lease', '2'];

describeWithRedis('mrun by way of a Redis', (place) => {
  describe('builds', () => {
    test('the same with two workers as alone, and reports one build', async ({ project }) => {
      // Until both workers are there, so that neither finds the run over.
      const go = path.join(project.folder, 'go');
      await writeDeeds(project, [{ awaits: go }, ...plain(59)]);
      const url = ['-u', place().href];
      const { store, read } = reportStore(project);
      const manager = project.start(...url, '-v', '-N', '6', '-r', store, 'b.json');
      const workers = [project.start(...url, '-n', '2'), project.start(...url, '-n', '2')];
      await joined(manager, 2);
      project.write('go', {});
      const { code, stdout, stderr } = await manager.finished;
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
      expect(stderr).toMatch(/ - INFO - DeedBuilder: 60 items in 6 chunks, for workers at redis:/);
      expect(stderr).toMatch(/ - DistributedProcessor - INFO - .* joined, with 2 slots$/m);
      expect(stderr).toMatch(/ - mrun - INFO - DeedBuilder: 60 succeeded, 0 failed, /);
      expect(await chunksDone(workers)).toBe(6);
      expect(await builtIn(project)).toEqual(allOf(60));
      const events = read().map(({ event }) => event);
      expect(events.filter((event) => event === 'BUILD_STARTED')).toHaveLength(1);
      expect(events.filter((event) => event === 'BUILD_ENDED')).toHaveLength(1);

      writeBuilder(project, 'alone');
      expect((await project.run('b.json')).code).toBe(0);
      expect(await builtIn(project, 'alone')).toEqual(allOf(60));
    });

    test('all when a worker is killed in a chunk; one that stays waits for the next run', async ({
      project,
    }) => {
      const deeds = [...plain(3), { ms: 1500, file: path.join(project.folder, 'begun') }];
      await writeDeeds(project, deeds);
      const url = ['-u', place().href, ...SHORT_LEASE];
      const manager = project.start(...url, '-N', '2', 'b.json');
      const killed = project.start(...url, '-n', '2');
      await toWrite(project, 'begun');
      killed.kill('SIGKILL');
      const other = project.start(...url, '-v', '--keep-alive');
      const { code, stderr } = await manager.finished;
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/ - WARNING - Chunk \d of DeedBuilder is tried again: \S+ was lost$/m);
      expect(await builtIn(project)).toEqual(allOf(4));
      await other.until('the next run', () => other.stderr.split('Waits for chunks').length > 2);
      writeBuilder(project, 'again');
      expect((await project.run(...url, '-N', '2', 'b.json')).code).toBe(0);
      expect(await builtIn(project, 'again')).toEqual(allOf(4));
      other.kill('SIGTERM');
      expect((await other.finished).code).toBe(143);
    });

    test('all when a worker is told to end: it finishes its chunk first', async ({ project }) => {
      const first = { ms: 1000, file: path.join(project.folder, 'begun') };
      await writeDeeds(project, [first, {}]);
      const url = ['-u', place().href];
      const manager = project.start(...url, '-v', '-N', '2', 'b.json');
      const leaving = project.start(...url);
      await toWrite(project, 'begun');
      leaving.kill('SIGTERM');
      const { code, stderr } = await leaving.finished;
      expect(code).toBe(143);
      expect(stderr).toMatch(/^Stopping: finishing what is in flight \(send SIGTERM again to st/m);
      expect(stderr).toMatch(/^Worker \S+: [12] chunks? done; stopped$/m);
      expect((await project.run(...url)).code).toBe(0);
      const managed = await manager.finished;
      expect(managed.code).toBe(0);
      expect(managed.stderr).not.toContain('is tried again');
      expect(await builtIn(project)).toEqual(allOf(2));
    });

    test('what can be built; a chunk that is given up is listed, and the exit code is 3', async ({
      project,
    }) => {
      await writeDeeds(project, [{}, {}, { do: 'kill' }, {}]);
      const url = ['-u', place().href];
      const manager = project.start(...url, '-N', '4', 'b.json');
      const worker = project.start(...url, '-n', '2');
      const { code, stderr } = await manager.finished;
      expect(code, stderr).toBe(3);
      expect(stderr).toMatch(/ - ERROR - Chunk 2 of DeedBuilder is given up: .*SIGKILL/m);
      expect(stderr).toMatch(/^DeedBuilder: 1 of 4 items failed: 'chunk 2' \(.*SIGKILL.*\)$/m);
      expect((await worker.finished).code).toBe(0);
      const { k2: _, ...others } = allOf(4);
      expect(await builtIn(project)).toEqual(others);
    });
  });

  describe('has one manager at a time:', () => {
    test('a second one stands by, says so, and goes on when the first is killed', async ({
      project,
    }) => {
      const deeds = [{ ms: 1500, file: path.join(project.folder, 'begun') }, ...plain(3)];
      await writeDeeds(project, deeds);
      const url = ['-u', place().href, ...SHORT_LEASE];
      const managing = [...url, '-v', '-N', '4', 'b.json'];
      const first = project.start(...managing);
      await first.until('its plan', () => first.stderr.includes(' items in 4 chunks, '));
      // What a person sees without -v, too.
      const second = project.start(...managing.filter((arg) => arg !== '-v'));
      const standsBy =
        /^.* - WARNING - DeedBuilder stands by: process \d+ on \S+, since \S+, manages a run at redis:\S+; its turn comes when that has ended, or died$/m;
      await second.until('that it stands by', () => standsBy.test(second.stderr));
      const worker = project.start(...url);
      await toWrite(project, 'begun');
      first.kill('SIGKILL');
      expect((await first.finished).code).toBeNull();
      const { code, stderr } = await second.finished;
      expect(code, stderr).toBe(0);
      const ended = await worker.finished;
      expect(ended.code).toBe(0);
      expect(ended.stderr).toMatch(/^Worker \S+: 4 chunks done; the run is over$/m);
      expect(await builtIn(project)).toEqual(allOf(4));
    });

    test('one that stands by ends at the first signal', async ({ project }) => {
      await writeDeeds(project, [{ ms: 30_000, file: path.join(project.folder, 'begun') }]);
      const url = ['-u', place().href];
      const first = project.start(...url, '-N', '1', 'b.json');
      const worker = project.start(...url);
      await toWrite(project, 'begun');
      const second = project.start(...url, '-N', '1', 'b.json');
      await second.until('that it stands by', () => second.stderr.includes(' stands by: '));
      second.kill('SIGTERM');
      const { code, stderr } = await second.finished;
      expect(code, stderr).toBe(143);
      expect(stderr).toMatch(/^Interrupted: 1 builder was not started/m);
      first.kill('SIGTERM');
      expect((await first.finished).code).toBe(143);
      expect((await worker.finished).code).toBe(0);
    });
  });
});
