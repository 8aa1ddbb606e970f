import type { Doc } from 'maggma';
import { expect, test } from 'vitest';
import { describeRedis } from '../../../describe-redis.js';
import { RedisServer } from '../../../redis-server.js';
import type { Program, Step } from '../cluster.js';
import { Cluster, reportsOf, workerReportOf } from '../cluster.js';
import { until } from '../support.js';

const LEASE_MS = 4000;
const ITEMS = 60;
const DOCS: Doc[] = Array.from({ length: ITEMS }, (_, k) => ({ k, a: k, ms: 200 }));
const ORPHANS = { deleteOrphans: true, maxOrphanShare: 1 };

const written = (program: Program) => Number(program.events('PROGRESS').at(-1)?.['written'] ?? 0);

describeRedis('builds by way of a Redis', () => {
  test('a manager, a worker and the Redis itself die, and all is built and counted once', async () => {
    await using server = await RedisServer.start();
    await using cluster = await Cluster.open(server.url);
    await cluster.shop.store('a', DOCS);
    const target = await cluster.shop.store('c', [{ k: 'orphan', a: 1 }]);
    const steps: Step[] = [
      ['a', 'b'],
      ['a', 'none', { query: { a: -1 } }],
      ['b', 'c', ORPHANS],
    ];
    const options = { numChunks: 12, leaseMs: LEASE_MS };
    const first = cluster.manager(steps, options);
    const [victim, survivor] = [cluster.worker(), cluster.worker({ slots: 2 })];
    await until('something is built', 60_000, () => written(first) > 0);
    first.kill();
    await server.kill();
    await server.start();
    const second = cluster.manager(steps, options);
    await until('a manager took over', 60_000, () =>
      second.logged.some((line) => line.includes('Goes on with a run')),
    );
    victim.kill();
    const succeeded = { status: 'succeeded', succeeded: ITEMS, failed: 0 };
    expect(await reportsOf(second, 120_000)).toMatchObject([
      succeeded,
      { status: 'succeeded', total: 0, processed: 0 },
      succeeded,
    ]);
    expect(await workerReportOf(survivor)).toMatchObject({
      status: 'finished',
      failed: 0,
      lost: 0,
    });
    const left = second.logged.filter((line) => line.endsWith(' left'));
    expect(left).toEqual([expect.stringContaining((await workerReportOf(survivor)).worker)]);
    expect(second.logged.join('\n')).not.toMatch(/is broken/);
    const built = await target.query({}, { sort: { k: 1 } }).toArray();
    expect(built.map(({ k, a }) => [k, a])).toEqual(DOCS.map(({ k, a }) => [k, a + 2]));
  }, 300_000);
});
