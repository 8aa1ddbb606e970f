import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSecretFile } from 'maggma';
import { describe, expect } from 'vitest';
import { describeRedis } from '../describe-redis.js';
import { RedisServer } from '../redis-server.js';
import { allOf, builtIn, freeUrl, writeDeeds } from './deeds.js';
import type { Finished, Project } from './mrun-process.js';
import { test } from './mrun-process.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<
  'dependencies' | 'peerDependencies',
  Readonly<Record<string, string>>
>;
const MANAGER = ['-N', '2', 'b.json'];
const WORKER: readonly string[] = [];
const NOBODY = 'redis://127.0.0.1:1';

/** Wrong usage is said in one line, without the password. */
function expectUsageError({ code, stdout, stderr }: Finished, message: RegExp): void {
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^mrun: [^\n]*\n$/);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain('planted-pw');
}

describe('mrun by way of a Redis refuses', { concurrent: true }, () => {
  test.for([
    ['nobody there', NOBODY, [MANAGER], /redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*; check host/],
    [
      'no such host',
      'rediss://h.invalid',
      [MANAGER, WORKER],
      /There is no host of the na.*invalid/,
    ],
    [
      'another host in clear',
      'redis://u:planted-pw@h',
      [MANAGER, WORKER],
      /rediss:\/\/, .*allowIn/,
    ],
    ['a parameter', `${NOBODY}?volatile`, [MANAGER, WORKER], /no parameters but queue.*volatile/],
    ['a path', 'redis://:planted-pw@127.0.0.1:1/a', [MANAGER, WORKER], /number of a database/],
  ] as const)('%s', async ([, url, roles, message], { project }) => {
    await writeDeeds(project, [{}]);
    makeSecretFile(path.join(project.folder, 's.key'));
    for (const args of roles)
      expectUsageError(await project.run('--secret-file', 's.key', '-u', url, ...args), message);
    expect(await builtIn(project)).toEqual({});
  });

  test.for([
    ['manager', MANAGER],
    ['worker', WORKER],
  ] as const)('a secret that others can read, of a %s', async ([, args], { project }) => {
    await writeDeeds(project, [{}]);
    const secret = path.join(project.folder, 's.key');
    makeSecretFile(secret);
    chmodSync(secret, 0o644);
    const refused = await project.run('--secret-file', 's.key', '-u', NOBODY, ...args);
    expectUsageError(refused, /^mrun: s\.key: others can read this secret.*chmod 600 s\.key/);
    expect(refused.stderr).not.toContain(readFileSync(secret, 'utf8').trim());
  });

  test('to go on without its packages, and says which versions to install', async ({ project }) => {
    for (const [missing, install] of [
      // Its records in Redis are part of the version.
      ['bullmq', `npm install bullmq@${manifest.peerDependencies['bullmq']} ioredis@5`],
      ['ioredis', 'npm install ioredis@5'],
    ] as const) {
      const mrun = installWithout(project, missing);
      const worker = project.shell(`node ${mrun} -u ${NOBODY}`);
      expectUsageError(
        await worker.finished,
        new RegExp(`^mrun: .* over redis:// needs the package "${missing}": ${install}\n$`),
      );
    }
  });

  test('nothing of a worker that comes before the Redis: it says so once, and waits', async ({
    project,
  }) => {
    const url = (await freeUrl()).replace('tcp', 'redis');
    const worker = project.start('-v', '-u', url);
    await worker.until('the first look', () => worker.stderr.includes('Waits for chunks at'));
    expect(worker.stderr).toMatch(
      / - WARNING - Cannot connect to redis:.* is running there; it is/,
    );
    worker.kill('SIGTERM');
    const { code, stderr } = await worker.finished;
    expect(code).toBe(143);
    expect(stderr.split('Cannot connect')).toHaveLength(2);
  });
});

describeRedis('mrun refuses a Redis', () => {
  test.for([
    ['without AOF', ['--appendonly', 'no'], '', [MANAGER], /no AOF: set `appendonly yes`, or add/],
    [
      'that evicts',
      ['--maxmemory-policy', 'allkeys-lru'],
      '',
      [MANAGER],
      /forgets chunks .*allkeys-lru\): set `maxmemory-policy noeviction`/,
    ],
    [
      'that wants a password',
      ['--requirepass', 'the-right-one'],
      '',
      [MANAGER, WORKER],
      /wants another user or password: put them into the URL/,
    ],
    [
      'that wants another password',
      ['--requirepass', 'the-right-one'],
      ':planted-pw@',
      [MANAGER, WORKER],
      /wants another user or password: put them into the URL/,
    ],
    ['without that database', ['--databases', '2'], '', [MANAGER, WORKER], /DB index is out of ra/],
    ['that only repeats another', ['--replicaof', '127.0.0.1 1'], '', [MANAGER], /is a replica/],
  ] as const)('%s', async ([, options, user, roles, message], { project }) => {
    await using server = await RedisServer.start(...options);
    await writeDeeds(project, [{}]);
    const url = `redis://${user}127.0.0.1:${server.port}${options[0] === '--databases' ? '/2' : ''}`;
    for (const args of roles) expectUsageError(await project.run('-u', url, ...args), message);
    expect(await builtIn(project)).toEqual({});
  });

  test('no worker with another secret comes to a manager, which says so', async ({ project }) => {
    await using server = await RedisServer.start();
    await writeDeeds(project, [{}]);
    for (const file of ['right.key', 'wrong.key']) makeSecretFile(path.join(project.folder, file));
    const start = (secret: string, ...args: readonly string[]) =>
      project.start('--secret-file', secret, '-u', server.url.href, ...args);
    const stranger = start('wrong.key', '-v');
    await stranger.until('it is there', () => stranger.stderr.includes('Waits for chunks'));
    const failed = await start('right.key', '--worker-timeout', '2', ...MANAGER).finished;
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(
      /No worker came to redis:\S+ for 2 s: start some, with the same s/,
    );
    const [manager, worker] = [start('right.key', ...MANAGER), start('right.key')];
    expect((await manager.finished).code).toBe(0);
    expect((await worker.finished).code).toBe(0);
    stranger.kill('SIGTERM');
    expect((await stranger.finished).stderr).toMatch(/^Worker \S+: 0 chunks done; stopped$/m);
    expect(await builtIn(project)).toEqual(allOf(1));
  });
});

/** Installs the package without one of its optional ones; returns the command. */
function installWithout(project: Project, missing: string): string {
  const modules = path.join(project.folder, `without-${missing}`, 'node_modules');
  const own = path.join(modules, 'maggma');
  const { dependencies, peerDependencies } = manifest;
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (name === missing) continue;
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name), 'dir');
  }
  for (const part of ['dist', 'package.json'])
    cpSync(path.join(ROOT, part), path.join(own, part), { recursive: true });
  return path.join(own, 'dist/cli/mrun.js');
}
