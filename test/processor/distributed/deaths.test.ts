import { existsSync, readFileSync } from 'node:fs';
import type { Doc } from 'maggma';
import { expect, test } from 'vitest';
import { childrenOf } from '../multiprocess/support.js';
import type { Program, Step } from './cluster.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';
import { until } from './support.js';

// Whoever is silent for so long is taken for dead; a busy machine needs more than a quiet one.
const LEASE_MS = 6000;
const ITEMS = 60;
const STEP: Step = ['a', 'b', { deleteOrphans: true, maxOrphanShare: 1 }];

const slow = (k: number): Doc => ({ k, a: k, ms: 100 });
const DOCS: Doc[] = Array.from({ length: ITEMS }, (_, k) => slow(k));

/** A source with these documents, an orphan in the target, and what must come of the source. */
async function prepare(cluster: Cluster, docs: readonly Doc[] = DOCS) {
  await cluster.shop.store('a', docs);
  const target = await cluster.shop.store('b', [{ k: 'orphan', a: 1 }]);
  const built = async () =>
    (await target.query({}, { sort: { k: 1 } }).toArray()).map(({ k, a }) => [k, a]);
  return { built, expected: docs.map(({ k, a }) => [k, a + 1]) };
}

const progress = (program: Program) => program.events('PROGRESS').at(-1);
const fetched = (program: Program) => Number(progress(program)?.['fetched'] ?? 0);
const written = (program: Program) => Number(progress(program)?.['written'] ?? 0);
const chunkOf = (program: Program) =>
  childrenOf(program.pid)
    .filter((line) => line.includes('chunk-child'))
    .map((line) => Number(line.split(' ')[0]));
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('a worker that is killed in a chunk: all is built, by another one, and counted once', async () => {
  await using cluster = await Cluster.open();
  const { built, expected } = await prepare(cluster);
  const manager = cluster.manager([STEP], { numChunks: 6, leaseMs: LEASE_MS });
  const victim = cluster.worker();
  await until('something is built', 60_000, () => written(manager) > 0);
  const children = chunkOf(victim);
  expect(children).toHaveLength(1);
  victim.kill();
  const other = cluster.worker();
  expect(await reportsOf(manager, 120_000)).toMatchObject([
    { status: 'succeeded', total: ITEMS, succeeded: ITEMS, failed: 0 },
  ]);
  expect(await built()).toEqual(expected);
  expect((await workerReportOf(other)).done).toBeGreaterThan(0);
  expect(manager.logged.join('\n')).toMatch(/Chunk \d of DeedBuilder is tried again: .* was lost/);
  await until('its child is gone', 5000, () => !children.some(isAlive));
}, 300_000);

test('a child that is killed: its chunk is tried again, and the lease was never lost', async () => {
  await using cluster = await Cluster.open();
  const { built, expected } = await prepare(cluster);
  const manager = cluster.manager([STEP], { numChunks: 6, backoffMs: 100 });
  const worker = cluster.worker();
  await until('something is built', 60_000, () => written(manager) > 0);
  await until('a chunk is at work', 30_000, () => chunkOf(worker).length === 1);
  process.kill(chunkOf(worker)[0] as number, 'SIGKILL');
  expect(await reportsOf(manager, 120_000)).toMatchObject([{ total: ITEMS, succeeded: ITEMS }]);
  expect(await workerReportOf(worker)).toMatchObject({ done: 6, failed: 1, lost: 0 });
  expect(await built()).toEqual(expected);
  expect(manager.logged.join('\n')).toMatch(/is tried again: the worker was killed by SIGKILL/);
}, 300_000);

test('a manager that is killed: the next one plans nothing and builds nothing again', async () => {
  await using cluster = await Cluster.open();
  const { built, expected } = await prepare(cluster);
  const options = { numChunks: 6, leaseMs: LEASE_MS };
  const steps: Step[] = [['b', 'none', { query: { a: -1 } }], STEP];
  const first = cluster.manager(steps, options);
  const workers = [cluster.worker(), cluster.worker()];
  await until('something is built', 60_000, () => written(first) > 5);
  first.kill();
  await first.end();
  const second = cluster.manager(steps, options);
  expect(await reportsOf(second, 120_000)).toMatchObject([
    { status: 'succeeded', processed: 0 },
    { status: 'succeeded', processed: ITEMS, succeeded: ITEMS },
  ]);
  const reports = await Promise.all(workers.map(workerReportOf));
  expect(reports.reduce((sum, { done }) => sum + done, 0)).toBe(6);
  expect(reports.map(({ lost, failed }) => lost + failed)).toEqual([0, 0]);
  expect(await built()).toEqual(expected);
  expect(second.logged.join('\n')).toContain('goes on with the plan of an earlier manager');
  expect(second.logged.join('\n')).not.toMatch(/items in \d chunks/);
}, 300_000);

test('a worker that is stopped for longer than its lease writes nothing more for it', async () => {
  await using cluster = await Cluster.open();
  const { built, expected } = await prepare(cluster);
  const manager = cluster.manager([STEP], { numChunks: 3, leaseMs: LEASE_MS });
  const sleeper = cluster.worker();
  await until('a chunk is at work', 60_000, () => fetched(manager) > 0);
  sleeper.kill('SIGSTOP');
  const other = cluster.worker();
  await until('its lease is over', 60_000, () =>
    manager.logged.some((line) => line.includes('is tried again')),
  );
  // Its child has long been waiting for the answer whether it may write.
  sleeper.kill('SIGCONT');
  expect(await reportsOf(manager, 120_000)).toMatchObject([{ succeeded: ITEMS, failed: 0 }]);
  const [late, rest] = [await workerReportOf(sleeper), await workerReportOf(other)];
  expect(late).toMatchObject({ lost: 1, failed: 0 });
  expect(late.done + rest.done).toBe(3);
  expect(await built()).toEqual(expected);
}, 300_000);

test('a chunk that always kills its process is given up, said so, and all others are built', async () => {
  await using cluster = await Cluster.open();
  const docs = DOCS.map(({ ms, ...doc }) => ({ ...doc, ...(doc['k'] === 3 && { do: 'kill' }) }));
  const { built, expected } = await prepare(cluster, docs);
  const manager = cluster.manager([STEP], { numChunks: 6, attempts: 2, backoffMs: 50 });
  const worker = cluster.worker();
  const [report] = await reportsOf(manager, 120_000);
  expect(report).toMatchObject({ status: 'succeeded', total: ITEMS, processed: 51, failed: 1 });
  expect(report?.failures).toMatchObject([
    { key: 'chunk 0', cause: 'worker-lost', attempts: 2, error: { code: 'WORKER_LOST' } },
  ]);
  expect(await workerReportOf(worker)).toMatchObject({ done: 5, failed: 2 });
  // What is missing may be due, so that nothing is taken for an orphan.
  expect(await built()).toEqual([...expected.slice(10), ['orphan', 1]]);
}, 300_000);

test('a supervisor that is killed takes a child in an endless loop with it', async () => {
  await using cluster = await Cluster.open();
  const file = cluster.shop.file('pid');
  await prepare(cluster, [{ k: 0, a: 0, file, do: 'block', ms: 1e9 }]);
  const manager = cluster.manager([STEP], { numChunks: 1, workerTimeoutMs: 10_000 });
  const worker = cluster.worker();
  await until('the child is busy', 60_000, () => existsSync(file) && readFileSync(file).length > 0);
  const pid = Number(readFileSync(file, 'utf8'));
  expect(chunkOf(worker)).toEqual([pid]);
  worker.kill();
  await until('the child is gone', 5000, () => !isAlive(pid));
  // And nobody is left.
  expect(await reportsOf(manager, 60_000)).toMatchObject([
    { status: 'failed', error: { code: 'NO_WORKERS' } },
  ]);
}, 300_000);

test('a manager that is stopped ends the run for its workers, too', async () => {
  await using cluster = await Cluster.open();
  await prepare(cluster);
  const manager = cluster.manager([STEP], { numChunks: 12 });
  const worker = cluster.worker();
  await until('something is built', 60_000, () => written(manager) > 0);
  manager.kill('SIGTERM');
  const [report] = await reportsOf(manager, 30_000);
  expect(report).toMatchObject({ status: 'cancelled' });
  expect((await workerReportOf(worker)).status).toBe('finished');
  // What was built is not planned again.
  const again = cluster.manager([STEP], { numChunks: 3 });
  const helper = cluster.worker({ slots: 2 });
  const [rest] = await reportsOf(again, 120_000);
  expect(rest?.status).toBe('succeeded');
  expect(rest?.total).toBeLessThan(ITEMS);
  expect((await workerReportOf(helper)).done).toBe(3);
}, 300_000);
