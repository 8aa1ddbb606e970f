import type { Doc } from 'maggma';
import { describe, expect, test } from 'vitest';
import { describeWithRedis } from '../../describe-redis.js';
import { contents } from '../../fixtures/stores.js';
import type { Step } from './cluster.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';
import { until } from './support.js';

const ITEMS = 120;
const DOCS: Doc[] = Array.from({ length: ITEMS }, (_, k) => ({ k, a: k, ms: 20 }));
const done = (program: { events(name: string): Doc[] }) =>
  Number(program.events('PROGRESS').at(-1)?.['written'] ?? 0);

describe('over tcp', () => chains(() => undefined));
describeWithRedis('over redis', chains);

/** @param place - Where manager and workers meet; undefined for a free port. */
function chains(place: () => URL | undefined): void {
  test('three builders in a chain, one with nothing to do, while workers come and go', async () => {
    await using cluster = await Cluster.open(place());
    const { shop } = cluster;
    await shop.store('a', DOCS);
    await (await shop.store('c')).update({ k: 'orphan', a: 1 });
    const orphans = { deleteOrphans: true, maxOrphanShare: 1 };
    const steps: Step[] = [
      ['a', 'b'],
      ['b', 'none', { query: { a: -1 } }],
      ['b', 'c', orphans],
    ];
    // A worker may be there before its manager.
    const early = cluster.worker({ slots: 2, drainMs: 30_000 });
    const manager = cluster.manager(steps, { numChunks: 12 });
    await until('something is built', 60_000, () => done(manager) > 10);
    const late = cluster.worker({ slots: 1 });
    early.kill('SIGTERM');
    const reports = await reportsOf(manager, 120_000);
    expect(reports).toMatchObject([
      { status: 'succeeded', total: ITEMS, succeeded: ITEMS },
      { status: 'succeeded', total: 0, processed: 0 },
      { status: 'succeeded', total: ITEMS, succeeded: ITEMS },
    ]);
    const [first, second] = [await workerReportOf(early), await workerReportOf(late)];
    expect(first).toMatchObject({ status: 'stopped', failed: 0, lost: 0, released: 0 });
    expect(second).toMatchObject({ status: 'finished', failed: 0, lost: 0 });
    expect(first.done).toBeGreaterThan(0);
    expect(first.done + second.done).toBe(24);
    expect(
      (await contents(await shop.store('c'), 'last_updated')).map(({ k, a }) => [k, a]),
    ).toEqual(DOCS.map(({ k, a }) => [k, a + 2]));
    expect(manager.events('BUILD_ENDED').map(({ total }) => total)).toEqual([ITEMS, 0, ITEMS]);
    for (const name of [first, second].map(({ worker }) => worker))
      expect(manager.logged.join('\n')).toContain(`${name} joined`);
    expect(manager.logged.join('\n')).toContain(`${first.worker} left`);
    const clusters = manager.lines.flatMap(({ cluster: seen }) => (seen ? [seen as Doc] : []));
    expect(clusters).toContainEqual(expect.objectContaining({ workers: 1, slots: 2, chunks: 12 }));
  }, 300_000);

  test('what depends on a failed builder is skipped, and the rest is built', async () => {
    await using cluster = await Cluster.open(place());
    const { shop } = cluster;
    await shop.store('a', DOCS.slice(0, 10));
    await shop.store('x', DOCS.slice(0, 10));
    // Deleting everything is refused, so that finalize fails.
    await (await shop.store('b')).update(
      [...Array(50).keys()].map((k) => ({ k: `old ${k}`, a: 1 })),
    );
    const steps: Step[] = [
      ['a', 'b', { deleteOrphans: true, maxOrphanShare: 0.1 }],
      ['b', 'c'],
      ['x', 'y'],
    ];
    const manager = cluster.manager(steps, { numChunks: 2 });
    const worker = cluster.worker();
    expect(await reportsOf(manager, 120_000)).toMatchObject([
      { status: 'failed', succeeded: 10, error: { code: 'ORPHAN_GUARD' } },
      { status: 'skipped', processed: 0 },
      { status: 'succeeded', succeeded: 10 },
    ]);
    expect(await workerReportOf(worker)).toMatchObject({ status: 'finished', done: 4 });
  }, 300_000);

  test('a run of nothing at all needs no worker', async () => {
    await using cluster = await Cluster.open(place());
    const manager = cluster.manager([['a', 'b']], { numChunks: 5 });
    expect(await reportsOf(manager)).toMatchObject([{ status: 'succeeded', total: 0 }]);
  });
}
