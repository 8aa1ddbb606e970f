import { chmodSync } from 'node:fs';
import type { DistributedProcessorOptions, DistributedWorkerOptions } from 'maggma';
import { DistributedProcessor, DistributedWorker } from 'maggma';
import { describe, expect, test, vi } from 'vitest';
import { SuiteBuilder } from '../../../src/testing/suite-builder.js';
import { ChunkedMapBuilder } from '../../fixtures/chunked-builder.js';
import { storeWith } from '../../fixtures/stores.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';
import { until, Workshop } from './support.js';

const URL = 'tcp://127.0.0.1:1';
const options = { url: URL, numChunks: 2 };

describe('what cannot be is refused at once:', () => {
  test.each<[Partial<DistributedProcessorOptions>, RegExp]>([
    [{ url: 'amqp://broker' }, /`url`.*amqp:\/\/ is not offered/],
    [{ url: 'nonsense' }, /`url`.*tcp:\/\/host:port/],
    [{ numChunks: 0 }, /`numChunks` to be a positive whole number/],
    [{ numChunks: 2e6 }, /`numChunks` to be at most/],
    [{ leaseMs: 5 }, /`leaseMs` to be at least 100/],
    [{ attempts: 0 }, /`attempts`/],
    [{ losses: 1.5 }, /`losses`/],
    [{ backoffMs: -1 }, /`backoffMs`/],
    [{ workerTimeoutMs: 0 }, /`workerTimeoutMs`/],
    [{ chunkTimeoutMs: 0.5 }, /`chunkTimeoutMs`/],
    [{ stateFolder: '' }, /`stateFolder`/],
    [{ retry: { on: () => true } }, /`retry.on` to be left out/],
    [{ targetLease: 'yes' as never }, /`targetLease` to be one of true, false, "steal"/],
  ])('a manager with %o', (change, problem) => {
    expect(() => new DistributedProcessor({ ...options, ...change })).toThrow(problem);
  });

  test.each<[Partial<DistributedWorkerOptions>, RegExp]>([
    [{ url: 'zmq://x' }, /`url`/],
    [{ slots: 0 }, /`slots`/],
    [{ slots: 5000 }, /`slots` to be at most/],
    [{ allow: 'folder' as never }, /`allow` to be a list of folders/],
    [{ drainMs: -1 }, /`drainMs`/],
    [{ managerTimeoutMs: 0 }, /`managerTimeoutMs`/],
    [{ isolation: 'vm' as never }, /`isolation`/],
  ])('a worker with %o', (change, problem) => {
    expect(() => new DistributedWorker({ url: URL, ...change })).toThrow(problem);
  });

  test('a place that others reach without a secret, or with one that they can read', async () => {
    vi.stubEnv('MAGGMA_SECRET_FILE', '');
    await using shop = new Workshop();
    const builder = new ChunkedMapBuilder(await shop.store('a'), await shop.store('b'));
    const url = 'tcp://0.0.0.0:0';
    const missing = { code: 'SECRET', message: expect.stringMatching(/`mrun keygen FILE`/) };
    await expect(new DistributedProcessor({ ...options, url }).run(builder)).rejects.toMatchObject(
      missing,
    );
    await expect(new DistributedWorker({ url }).run()).rejects.toMatchObject(missing);
    const { secretFile } = shop;
    chmodSync(secretFile, 0o644);
    await expect(new DistributedProcessor({ ...options, secretFile }).run(builder)).rejects.toThrow(
      /others can read this secret \(mode 644\)/,
    );
    vi.unstubAllEnvs();
  });

  test('builders of which nothing can be cut, or seen elsewhere, before anything is opened', async () => {
    const [source, target] = [await storeWith([{ k: 1 }]), await storeWith([])];
    const processor = new DistributedProcessor(options);
    const events: string[] = [];
    processor.on('BUILD_STARTED', () => events.push('started'));
    const whole = new SuiteBuilder(source, target);
    await expect(processor.run(whole)).rejects.toThrow(/implement prechunk/);
    await expect(processor.runAll([new ChunkedMapBuilder(source, target)])).rejects.toMatchObject({
      code: 'INVALID_BUILDER',
      message: expect.stringMatching(/cannot be shared with other processes/),
    });
    expect(() => processor.runAll([], { parallel: true })).toThrow(/`parallel` to be false/);
    expect(events).toEqual([]);
  });
});

test('a second run of a processor at the same time is refused, a later one is not', async () => {
  await using shop = new Workshop();
  const builder = new ChunkedMapBuilder(await shop.store('a'), await shop.store('b'));
  const { secretFile } = shop;
  const processor = new DistributedProcessor({
    ...{ url: 'tcp://127.0.0.1:0', numChunks: 1, secretFile },
    stateFolder: shop.file('state'),
  });
  const first = processor.run(builder);
  await expect(processor.run(builder)).rejects.toMatchObject({ code: 'MANAGER_BUSY' });
  expect(await first).toMatchObject({ status: 'succeeded', total: 0 });
  expect(await processor.run(builder)).toMatchObject({ status: 'succeeded', total: 0 });
  // Also before there is anything to stop.
  const stopped = processor.runAll([builder]);
  processor.stop();
  expect(await stopped).toMatchObject([{ status: 'cancelled' }]);
});

test('a worker that stays serves one run after the other, until it is stopped', async () => {
  await using cluster = await Cluster.open();
  await cluster.shop.store('a', [{ k: 1, a: 1 }]);
  const worker = cluster.worker({ keepAlive: true });
  for (const target of ['b', 'c'])
    expect(
      await reportsOf(cluster.manager([['a', target]], { numChunks: 1 }), 120_000),
    ).toMatchObject([{ succeeded: 1 }]);
  expect(worker.isOver).toBe(false);
  worker.kill('SIGTERM');
  expect(await workerReportOf(worker)).toMatchObject({ status: 'stopped', done: 2 });
}, 300_000);

test('a build ends when more items failed than is borne', async () => {
  await using cluster = await Cluster.open();
  const docs = [...Array(40).keys()].map((k) => ({
    k,
    a: k,
    do: k < 20 ? 'throw' : '',
    ms: k < 20 ? 0 : 200,
  }));
  await cluster.shop.store('a', docs);
  const manager = cluster.manager([['a', 'b']], { numChunks: 10, maxFailures: 5 });
  const worker = cluster.worker();
  const [report] = await reportsOf(manager, 120_000);
  expect(report).toMatchObject({ status: 'failed', error: { code: 'TOO_MANY_FAILURES' } });
  expect(report?.failed).toBeGreaterThan(5);
  expect(report?.processed).toBeLessThan(40);
  expect((await workerReportOf(worker)).status).toBe('finished');
}, 300_000);

test('a worker that is stopped hands back what it cannot finish in time', async () => {
  await using cluster = await Cluster.open();
  await cluster.shop.store('a', [{ k: 1, a: 1, ms: 5000 }]);
  const manager = cluster.manager([['a', 'b']], { numChunks: 1, attempts: 1, losses: 1 });
  const hasty = cluster.worker({ drainMs: 200 });
  await until('the chunk is at work', 60_000, () =>
    manager.events('PROGRESS').some(({ fetched }) => fetched === 1),
  );
  hasty.kill('SIGTERM');
  expect(await workerReportOf(hasty)).toMatchObject({ status: 'stopped', done: 0, released: 1 });
  // Neither an attempt nor a loss was counted.
  const other = cluster.worker();
  expect(await reportsOf(manager, 120_000)).toMatchObject([{ succeeded: 1, failed: 0 }]);
  expect(await workerReportOf(other)).toMatchObject({ done: 1 });
}, 300_000);
