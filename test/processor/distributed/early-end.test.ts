import { expect, test } from 'vitest';
import { describeWithRedis } from '../../describe-redis.js';
import type { Step } from './cluster.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';

const STEP: Step = ['a', 'b'];

/** What is so wherever manager and workers meet. */
function endedEarly(engine: string, open: () => Promise<Cluster>): void {
  test(`${engine}: the first failure ends a build that is to fail fast, in the middle of a chunk`, async () => {
    await using cluster = await open();
    const docs = [...Array(6).keys()].map((k) => ({ k, a: k, ms: k === 1 ? 0 : 60_000 }));
    await cluster.shop.store('a', [{ k: -1, a: -1, do: 'throw' }, ...docs.slice(2)]);
    const manager = cluster.manager([STEP], { numChunks: 1, failFast: true });
    const worker = cluster.worker();
    const [report] = await reportsOf(manager, 50_000);
    expect(report).toMatchObject({
      ...{ status: 'failed', processed: 1, failed: 1, total: 5 },
      failures: [{ key: -1, cause: 'error', error: { message: '-1 is bad' } }],
      error: { code: 'TOO_MANY_FAILURES' },
    });
    expect(report?.error?.message).toContain('the last one was -1: -1 is bad');
    expect(manager.events('ITEM_FAILED')).toHaveLength(1);
    expect(await workerReportOf(worker)).toMatchObject({ status: 'finished', done: 0, lost: 1 });
  });

  test(`${engine}: a chunk in which nothing moves is ended, the others are built`, async () => {
    await using cluster = await open();
    const docs = [...Array(60).keys()].map((k) => ({ k, a: k, ms: k < 30 ? 500 : 0 }));
    await cluster.shop.store('a', [...docs, { k: 60, a: 60, do: 'wait' }]);
    const target = await cluster.shop.store('b');
    const chunkTimeoutMs = 12_000;
    // The first chunk takes longer, but moves.
    const limits = { chunkTimeoutMs, attempts: 1 };
    const manager = cluster.manager([STEP], { numChunks: 2, ...limits });
    const worker = cluster.worker({ slots: 2 });
    const [report] = await reportsOf(manager, 120_000);
    expect(report).toMatchObject({ status: 'succeeded', failed: 1 });
    expect(report?.failures).toMatchObject([
      { key: 'chunk 1', cause: 'timeout', attempts: 1, error: { code: 'CHUNK_STALLED' } },
    ]);
    expect(report?.failures[0]?.error.message).toMatch(
      /^Nothing was fetched, processed or written for 12 s: .*--chunk-timeout/,
    );
    expect(await target.count()).toBeGreaterThanOrEqual(30);
    expect(await workerReportOf(worker)).toMatchObject({ done: 1, failed: 1 });
  }, 240_000);
}

endedEarly('tcp', () => Cluster.open());
describeWithRedis('builds that end early', (place) =>
  endedEarly('redis', () => Cluster.open(place())),
);
