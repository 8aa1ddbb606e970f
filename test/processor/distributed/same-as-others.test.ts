import type { BuildReport, Doc } from 'maggma';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithRedis } from '../../describe-redis.js';
import { SCALE } from '../../effort.js';
import { contents } from '../../fixtures/stores.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';

const ITEMS = Math.max(400, Math.round(5000 * SCALE));
const TIMEOUT_S = 4;
const OPTIONS = { timeout: TIMEOUT_S };
const WITHIN_MS = 240_000;

/** What an item does: cheap troubles are many, those that cost a worker or time are few. */
function deedOf(k: number): string | undefined {
  if (k % 10 === 3) return k % 20 === 3 ? 'throw' : 'skip';
  return { 17: 'kill', 77: 'wait', 177: 'kill', 277: 'wait' }[k];
}

const DOCS: Doc[] = Array.from({ length: ITEMS }, (_, k) => {
  const deed = deedOf(k);
  return { k, a: k, ...(deed && { do: deed }), last_updated: new Date(1.6e12 + k) };
});
const KILLS = DOCS.filter((doc) => doc['do'] === 'kill').length;

const countsOf = ({ total, processed, succeeded, failed, skipped, errors }: BuildReport) => ({
  ...{ total, processed, succeeded, failed, skipped, errors },
});
const told = ({ key, cause, attempts, error }: Doc) =>
  [key, cause, attempts, (error as { message: string }).message] as const;
/** A chunk tells its first failures, and a report has no more. */
const KEPT = 100;

describe(`${ITEMS} items come to the same ends`, () => {
  let cluster: Cluster;
  /** What comes of them with `-n 2`. */
  let report: BuildReport;
  let failures: Map<unknown, unknown>;
  let built: Doc[];

  beforeAll(async () => {
    cluster = await Cluster.open();
    await cluster.shop.store('source', DOCS);
    const options = { numWorkers: 2, isolation: 'process' };
    const multi = cluster.run('multi', [['source', 'multi', OPTIONS]], options);
    [report] = (await reportsOf(multi, WITHIN_MS)) as [BuildReport];
    failures = new Map(multi.events('ITEM_FAILED').map((each) => [each['key'], told(each)]));
    built = await contents(await cluster.shop.store('multi'));
    expect(failures.size).toBe(report.failed);
    expect(built).toHaveLength(ITEMS);
  }, WITHIN_MS);
  afterAll(() => cluster[Symbol.asyncDispose]());

  test('in serial', async () => {
    // An item that kills its process cannot be borne by the only one.
    const noKill = { ...OPTIONS, query: { do: { $ne: 'kill' } } };
    const serial = cluster.run('serial', [['source', 'serial', noKill]]);
    expect(await reportsOf(serial, WITHIN_MS)).toMatchObject([
      {
        ...{ total: ITEMS - KILLS, succeeded: report.succeeded, skipped: report.skipped },
        failed: report.failed - KILLS,
      },
    ]);
    const survivors = built.filter(({ error }) => !String(error).includes('was killed'));
    expect(survivors).toHaveLength(ITEMS - KILLS);
    expect(await contents(await cluster.shop.store('serial'))).toEqual(survivors);
  }, 300_000);

  test('distributed over tcp', () => sameOver('tcp', cluster.url), 300_000);

  describeWithRedis('by way of a Redis', (place) => {
    test('distributed over redis', () => sameOver('redis', place().href), 300_000);
  });

  async function sameOver(target: string, url: string): Promise<void> {
    const manager = cluster.manager([['source', target, OPTIONS]], { url, numChunks: 6 });
    const workers = [0, 1].map(() => cluster.worker({ url, isolation: 'process' }));
    const [inChunks] = (await reportsOf(manager, WITHIN_MS)) as [BuildReport];
    const done = (await Promise.all(workers.map(workerReportOf))).map((each) => each.done);
    expect(done[0] as number).toBeGreaterThan(0);
    expect((done[0] as number) + (done[1] as number)).toBe(6);

    expect(countsOf(inChunks)).toEqual(countsOf(report));
    const kept = Math.min(KEPT, report.failed);
    expect(inChunks.failures.map(told)).toEqual(
      inChunks.failures.map(({ key }) => failures.get(key)),
    );
    expect(new Set(inChunks.failures.map(({ key }) => key)).size).toBe(kept);
    expect(await contents(await cluster.shop.store(target))).toEqual(built);

    expect(manager.events('BUILD_STARTED')).toMatchObject([{ total: ITEMS }]);
    expect(manager.events('BUILD_ENDED')).toHaveLength(1);
    expect(manager.events('PROGRESS').at(-1)).toMatchObject({
      ...{ fetched: ITEMS, processed: ITEMS, written: ITEMS, total: ITEMS },
    });
    // MapBuilder writes something for each item.
    const written = manager.events('UPDATE').reduce((sum, { items }) => sum + Number(items), 0);
    expect(written).toBe(ITEMS);
    expect(manager.events('ITEM_FAILED')).toHaveLength(inChunks.failed);
    // What workers log arrives.
    expect(manager.logged.filter((line) => line.includes('is bad ('))).not.toEqual([]);
  }
});
