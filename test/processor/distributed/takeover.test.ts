import { expect, test } from 'vitest';
import { describeWithRedis } from '../../describe-redis.js';
import type { Step } from './cluster.js';
import { Cluster, reportsOf } from './cluster.js';
import { until } from './support.js';

const LEASE_MS = 6000;
const ITEMS = 60;
const CHUNKS = 6;
const STEP: Step = ['a', 'b'];

/** What is so wherever manager and workers meet. */
function takenOver(engine: string, open: () => Promise<Cluster>): void {
  test(`${engine}: a manager that takes over tells the whole, and tries again what was given up`, async () => {
    await using cluster = await open();
    const docs = [...Array(ITEMS).keys()].map((k) => ({
      ...{ k, a: k, ms: 100 },
      ...(k === 3 && { do: 'kill' }),
    }));
    const source = await cluster.shop.store('a', docs);
    const target = await cluster.shop.store('b');
    const options = { numChunks: CHUNKS, attempts: 1, leaseMs: LEASE_MS };
    const first = cluster.manager([STEP], options);
    const worker = cluster.worker({ leaseMs: LEASE_MS });
    await until('a chunk is given up', 60_000, () =>
      first.logged.some((line) => line.includes('is given up')),
    );
    first.kill();
    await first.end();
    await source.update({ ...docs[3], do: '' });

    const second = cluster.manager([STEP], { ...options, retryDead: true });
    expect(await reportsOf(second, 120_000)).toMatchObject([
      { status: 'succeeded', total: ITEMS, processed: ITEMS, succeeded: ITEMS, failed: 0 },
    ]);
    expect(second.events('BUILD_STARTED')).toMatchObject([{ total: ITEMS }]);
    const last = second.events('PROGRESS').at(-1);
    expect(last).toMatchObject({ processed: ITEMS, total: ITEMS });
    expect(second.logged.join('\n')).toContain(`plan of an earlier manager, ${CHUNKS} chunks`);
    const state = second.lines.find(({ cluster: state }) => state?.chunks)?.['cluster'];
    expect(state).toMatchObject({ chunks: CHUNKS });
    expect(await worker.end()).toMatchObject({ done: CHUNKS, failed: 1 });
    expect(await target.count()).toBe(ITEMS);
  }, 300_000);
}

takenOver('tcp', () => Cluster.open());
describeWithRedis('a manager that takes over', (place) =>
  takenOver('redis', () => Cluster.open(place())),
);
