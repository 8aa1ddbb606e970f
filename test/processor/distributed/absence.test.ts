import { expect, test } from 'vitest';
import { describeRedis, describeWithRedis } from '../../describe-redis.js';
import { RedisServer } from '../../redis-server.js';
import type { Step } from './cluster.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';
import { until } from './support.js';

const LEASE_MS = 2000;
const TIMEOUT_MS = 4000;
const STEP: Step = ['a', 'b'];
const patient = { managerTimeoutMs: TIMEOUT_MS, leaseMs: LEASE_MS };

/** What is so wherever manager and workers meet. */
function workersAlone(engine: string, open: () => Promise<Cluster>): void {
  test(`${engine}: a worker to which no manager comes ends, when it was told to`, async () => {
    await using cluster = await open();
    const worker = cluster.worker(patient);
    const { error } = await worker.end();
    expect(error).toMatchObject({ code: 'NO_MANAGER' });
    expect(error.message).toMatch(
      /No manager was at (?:tcp|redis):\/\/127\.0\.0\.1:\d+\S* for 4 s/,
    );
    expect(worker.exit).toBe('1');
  });

  test(`${engine}: a worker whose manager is gone for good ends, when it was told to`, async () => {
    await using cluster = await open();
    await cluster.shop.store('a', [{ k: 1, a: 1, ms: 200 }]);
    const manager = cluster.manager([STEP, ['b', 'c', { query: { k: 0 } }]], {
      ...{ numChunks: 1, leaseMs: LEASE_MS },
    });
    const worker = cluster.worker({ ...patient, keepAlive: true });
    await until('it is at work', 60_000, () => manager.events('BUILD_STARTED').length > 0);
    manager.kill();
    expect(await worker.end()).toMatchObject({ error: { code: 'NO_MANAGER' } });
    expect(worker.exit).toBe('1');
  });

  test(`${engine}: a worker that stays ends well when no further run comes`, async () => {
    await using cluster = await open();
    await cluster.shop.store(
      'a',
      [...Array(10).keys()].map((k) => ({ k, a: k })),
    );
    const worker = cluster.worker({ ...patient, keepAlive: true, managerTimeoutMs: 15_000 });
    for (const target of ['b', 'c']) {
      const manager = cluster.manager([['a', target]], { numChunks: 2, leaseMs: LEASE_MS });
      expect(await reportsOf(manager, 120_000)).toMatchObject([{ succeeded: 10 }]);
    }
    expect(await workerReportOf(worker)).toMatchObject({ status: 'finished', done: 4 });
    expect(worker.exit).toBe('0');
  }, 240_000);
}

workersAlone('tcp', () => Cluster.open());

describeRedis('workers without a Redis', () => {
  test('a worker whose Redis is gone for good ends in the midst of a chunk, and one that never had any', async () => {
    await using server = await RedisServer.start();
    await using cluster = await Cluster.open(server.url);
    await cluster.shop.store('a', [{ k: 1, a: 1, ms: 600_000 }]);
    const manager = cluster.manager([STEP], { numChunks: 1, leaseMs: LEASE_MS });
    const worker = cluster.worker(patient);
    await until('a chunk is at work', 60_000, () =>
      manager.events('PROGRESS').some(({ fetched }) => fetched === 1),
    );
    await server.kill();
    const late = cluster.worker(patient);
    for (const each of [worker, late]) {
      expect(await each.end()).toMatchObject({ error: { code: 'NO_MANAGER' } });
      expect(each.exit).toBe('1');
    }
  });
});

describeWithRedis('workers alone', (place) => {
  workersAlone('redis', () => Cluster.open(place()));

  test('redis: a worker goes on without its manager while there are chunks', async () => {
    await using cluster = await Cluster.open(place());
    const docs = [...Array(100).keys()].map((k) => ({ k, a: k, ms: 100 }));
    await cluster.shop.store('a', docs);
    const target = await cluster.shop.store('b');
    const manager = cluster.manager([STEP], { numChunks: 10, leaseMs: LEASE_MS });
    const worker = cluster.worker(patient);
    await until('something is built', 60_000, async () => (await target.count()) > 0);
    manager.kill();
    expect(await worker.end()).toMatchObject({ error: { code: 'NO_MANAGER' } });
    expect(await target.count()).toBe(docs.length);
  });
});
