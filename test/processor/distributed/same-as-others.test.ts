import type { BuildReport, Doc } from 'maggma';
import { expect, test } from 'vitest';
import { SCALE } from '../../effort.js';
import { contents } from '../../fixtures/stores.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';

const ITEMS = Math.max(400, Math.round(5000 * SCALE));
const TIMEOUT_S = 2;

/** What an item does: cheap troubles are many, those that cost a worker or time are few. */
function deedOf(k: number): string | undefined {
  if (k % 10 === 3) return k % 20 === 3 ? 'throw' : 'skip';
  return { 17: 'kill', 77: 'wait', 177: 'kill', 277: 'wait' }[k];
}

const DOCS: Doc[] = Array.from({ length: ITEMS }, (_, k) => {
  const deed = deedOf(k);
  return { k, a: k, ...(deed && { do: deed }), last_updated: new Date(1.6e12 + k) };
});

const countsOf = ({ total, processed, succeeded, failed, skipped, errors }: BuildReport) => ({
  ...{ total, processed, succeeded, failed, skipped, errors },
});
const told = ({ key, cause, attempts, error }: Doc) =>
  [key, cause, attempts, (error as { message: string }).message] as const;
/** A chunk tells its first failures, and a report has no more. */
const KEPT = 100;

test(`${ITEMS} items come to the same ends in serial, with -n 2, and distributed`, async () => {
  await using cluster = await Cluster.open();
  const { shop } = cluster;
  await shop.store('source', DOCS);
  const options = { timeout: TIMEOUT_S };
  const multi = cluster.run('multi', [['source', 'multi', options]], {
    ...{ numWorkers: 2, isolation: 'process' },
  });
  const [byMulti] = await reportsOf(multi, 120_000);
  // An item that kills its process cannot be borne by the only one.
  const noKill = { ...options, query: { do: { $ne: 'kill' } } };
  const [bySerial] = await reportsOf(
    cluster.run('serial', [['source', 'serial', noKill]]),
    120_000,
  );

  const manager = cluster.manager([['source', 'chunks', options]], { numChunks: 6 });
  const workers = [0, 1].map(() => cluster.worker({ isolation: 'process' }));
  const [report] = await reportsOf(manager, 240_000);
  const done = (await Promise.all(workers.map(workerReportOf))).map((each) => each.done);
  expect(done[0] as number).toBeGreaterThan(0);
  expect((done[0] as number) + (done[1] as number)).toBe(6);

  expect(countsOf(report as BuildReport)).toEqual(countsOf(byMulti as BuildReport));
  const kept = Math.min(KEPT, report?.failed ?? 0);
  const expected = new Map(multi.events('ITEM_FAILED').map((each) => [each['key'], told(each)]));
  expect(expected.size).toBe(report?.failed);
  expect(report?.failures.map(told)).toEqual(report?.failures.map(({ key }) => expected.get(key)));
  expect(new Set(report?.failures.map(({ key }) => key)).size).toBe(kept);
  const kills = DOCS.filter((doc) => doc['do'] === 'kill').length;
  expect(bySerial).toMatchObject({
    ...{ total: ITEMS - kills, succeeded: report?.succeeded, skipped: report?.skipped },
    failed: (report?.failed ?? 0) - kills,
  });
  const [serial, inMulti, inChunks] = await Promise.all(
    ['serial', 'multi', 'chunks'].map(async (name) => contents(await shop.store(name))),
  );
  expect(inChunks).toEqual(inMulti);
  const survivors = inChunks?.filter(({ error }) => !String(error).includes('was killed'));
  expect(survivors).toEqual(serial);
  expect(survivors).toHaveLength(ITEMS - kills);

  expect(manager.events('BUILD_STARTED')).toMatchObject([{ total: ITEMS }]);
  expect(manager.events('BUILD_ENDED')).toHaveLength(1);
  expect(manager.events('PROGRESS').at(-1)).toMatchObject({
    ...{ fetched: ITEMS, processed: ITEMS, written: ITEMS, total: ITEMS },
  });
  // MapBuilder writes something for each item.
  const written = manager.events('UPDATE').reduce((sum, { items }) => sum + Number(items), 0);
  expect(written).toBe(ITEMS);
  expect(manager.events('ITEM_FAILED')).toHaveLength(kept);
  // What workers log arrives.
  expect(manager.logged.filter((line) => line.includes('is bad ('))).not.toEqual([]);
}, 600_000);
