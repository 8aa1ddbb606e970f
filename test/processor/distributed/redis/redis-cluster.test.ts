import { expect, test } from 'vitest';
import { BrokerError } from '../../../../src/errors/distributed-errors.js';
import { redisEngine } from '../../../../src/processor/distributed/redis/redis-engine.js';
import { describeRedis } from '../../../describe-redis.js';
import { freePort } from '../../../free-port.js';
import { RedisServer } from '../../../redis-server.js';
import { Cluster, chunks, POLICY, RUN, serve } from '../engine-cluster.js';
import { until } from '../support.js';

const LEASE_MS = 15_000;
const HALF = 8192;

/** A node of a Redis Cluster, with half of the slots. */
async function startNode(half: 0 | 1): Promise<RedisServer> {
  const bus = ['--cluster-port', String(await freePort())];
  const server = await RedisServer.start('--cluster-enabled', 'yes', ...bus);
  await server.ask((redis) =>
    redis.call('CLUSTER', 'ADDSLOTSRANGE', half * HALF, half * HALF + HALF - 1),
  );
  return server;
}

const isReady = (server: RedisServer) =>
  server.ask(async (redis) => String(await redis.call('CLUSTER', 'INFO')).includes('state:ok'));

describeRedis('a Redis Cluster', () => {
  test('has all keys of a run on one node, which the others name', async () => {
    await using first = await startNode(0);
    await using second = await startNode(1);
    const [, bus = ''] = await second.ask(
      (redis) => redis.call('CONFIG', 'GET', 'cluster-port') as Promise<string[]>,
    );
    await first.ask((redis) => redis.call('CLUSTER', 'MEET', '127.0.0.1', second.port, bus));
    await until('the nodes know each other', 20_000, async () =>
      (await Promise.all([first, second].map(isReady))).every(Boolean),
    );
    await using all = new Cluster(redisEngine, first.url, LEASE_MS);
    const opened = await Promise.allSettled(
      [first, second].map(({ url }) => all.manager({ url: new URL(url) })),
    );
    const [ours, other] = opened[0]?.status === 'fulfilled' ? [first, second] : [second, first];
    const { url } = ours;
    const elsewhere = { url: other.url };
    await expect(all.manager(elsewhere)).rejects.toThrow(BrokerError);
    for (const refused of [() => all.manager(elsewhere), () => all.worker(1, elsewhere)])
      await expect(refused()).rejects.toThrow(
        `The Redis at ${other.url.href} is a node of a cluster, and another one is ours: name ${url.host}`,
      );

    const manager = await all.manager({ url });
    await manager.begin(RUN);
    const working = serve(await all.worker(2, { url }));
    await manager.submit(0, { header: 'h', chunks: chunks(20) }, POLICY);
    expect(await manager.settle(0)).toMatchObject({ completed: 20, dead: [] });
    await manager.end();
    expect(await working).toBe(20);
    expect(await other.ask((redis) => redis.dbsize())).toBe(0);
  });
});
