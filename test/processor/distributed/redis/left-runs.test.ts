import { expect, test } from 'vitest';
import { redisEngine } from '../../../../src/processor/distributed/redis/redis-engine.js';
import { describeRedis } from '../../../describe-redis.js';
import { RedisServer } from '../../../redis-server.js';
import { Cluster, chunks, DONE, next, POLICY, RUN, serve } from '../engine-cluster.js';

const LEASE_MS = 15_000;
const WEEK_MS = 7 * 24 * 3_600_000;
const OTHER = { ...RUN, digest: 'another run' };

const keysOf = (server: RedisServer) => server.ask((redis) => redis.keys('*'));

/** A run whose manager and worker are gone in its midst. */
async function leave(all: Cluster): Promise<string> {
  const manager = await all.manager();
  const { run } = await manager.begin(RUN);
  await manager.submit(0, { header: 'h', chunks: chunks(5) }, POLICY);
  const worker = await all.worker(2);
  await (await next(worker)).ack(DONE);
  await next(worker);
  await worker[Symbol.asyncDispose]();
  await manager[Symbol.asyncDispose]();
  return run;
}

/** Lets all runs that are known have been managed that much earlier. */
const age = (server: RedisServer, ms: number) =>
  server.ask(async (redis) => {
    const [key = ''] = await redis.keys('*:runs');
    for (const member of await redis.zrange(key, 0, -1)) await redis.zincrby(key, -ms, member);
  });

describeRedis('a run that was left', () => {
  test('is gone on with also when another one was at its place, for a week', async () => {
    await using server = await RedisServer.start();
    await using all = new Cluster(redisEngine, server.url, LEASE_MS);
    const run = await leave(all);
    await age(server, WEEK_MS - 60_000);
    const other = await all.manager();
    await other.begin(OTHER);
    await other.end();
    await other[Symbol.asyncDispose]();
    const again = await all.manager();
    expect(await again.begin(RUN)).toMatchObject({ run, planned: true });
    void serve(await all.worker());
    expect(await again.settle(0)).toMatchObject({ completed: 5, result: { processed: 5 } });
    await again.finish(0, '');
    await again.end();
    await again[Symbol.asyncDispose]();
    expect((await keysOf(server)).filter((key) => !key.endsWith(':current'))).toEqual([]);
  });

  test('is removed by the next manager at its place after a week, with all its keys', async () => {
    await using server = await RedisServer.start();
    await using all = new Cluster(redisEngine, server.url, LEASE_MS);
    const run = await leave(all);
    expect((await keysOf(server)).filter((key) => key.includes(run)).length).toBeGreaterThan(8);
    await age(server, WEEK_MS + 60_000);
    const other = await all.manager();
    await other.begin(OTHER);
    expect((await keysOf(server)).filter((key) => key.includes(run))).toEqual([]);
    expect((await keysOf(server)).filter((key) => key.includes(':run:'))).toHaveLength(1);
    await other.submit(0, { header: 'h', chunks: chunks(2) }, POLICY);
    void serve(await all.worker());
    expect(await other.settle(0)).toMatchObject({ completed: 2 });
    await other.end();
    await other[Symbol.asyncDispose]();
    expect((await keysOf(server)).filter((key) => !key.endsWith(':current'))).toEqual([]);
  });
});
