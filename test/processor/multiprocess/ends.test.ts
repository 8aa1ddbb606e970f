import { setTimeout } from 'node:timers/promises';
import type { BuildEvents, Builder, BuildReport, Doc } from 'maggma';
import {
  BuildAbortedError,
  BuildFailedError,
  InvalidBuilderError,
  MemoryStore,
  MultiProcessor,
  NestedRunError,
  SerializationError,
  WorkerStartError,
} from 'maggma';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  GoneBuilder,
  PrivateBuilder,
  RefusingBuilder,
  StoreReadingBuilder,
  UnsendableBuilder,
} from '../../fixtures/bad-builders.js';
import { storeWith } from '../../fixtures/stores.js';
import { TroubleBuilder } from '../../fixtures/trouble.js';
import { childrenOf } from './support.js';

const ISOLATIONS = ['thread', 'process'] as const;

async function troubles(docs: readonly Doc[], options = {}): Promise<TroubleBuilder> {
  return new TroubleBuilder(await storeWith(docs), new MemoryStore({ key: 'k' }), options);
}

const numbers = (n: number, fields: Doc = {}): Doc[] =>
  Array.from({ length: n }, (_, k) => ({ k, ...fields }));

/** Runs a builder and checks what holds however a run ends. */
async function end(
  builder: Builder<Doc, Doc>,
  processor: MultiProcessor,
  signal?: AbortSignal,
): Promise<{ report: BuildReport; error: unknown }> {
  const events: (keyof BuildEvents)[] = [];
  for (const name of ['BUILD_STARTED', 'UPDATE', 'BUILD_ENDED'] as const)
    processor.on(name, () => events.push(name));
  const finalize = vi.spyOn(builder, 'finalize');
  const opened = builder.stores().filter((store) => !store.connected);
  let error: unknown;
  const report = await processor.run(builder, { signal }).catch((thrown: unknown) => {
    error = thrown;
    return (thrown as BuildFailedError).report;
  });
  expect(events[0]).toBe('BUILD_STARTED');
  expect(events.at(-1)).toBe('BUILD_ENDED');
  expect(events.filter((name) => name === 'BUILD_ENDED')).toHaveLength(1);
  expect(finalize).toHaveBeenCalledTimes(1);
  expect(opened.some((store) => store.connected)).toBe(false);
  return { report, error };
}

const before = childrenOf(process.pid);
afterEach(async () => {
  const left = childrenOf(process.pid).filter((child) => !before.includes(child));
  expect(left).toEqual([]);
});

describe.each(ISOLATIONS)('a run in workers of isolation "%s" ends', (isolation) => {
  const create = (options = {}) => new MultiProcessor({ numWorkers: 2, isolation, ...options });

  test('when the source throws, and what it gave is written', async () => {
    const builder = await troubles(numbers(30));
    const target = builder.target;
    await target.connect();
    vi.spyOn(builder, 'getItems').mockImplementation(async function* () {
      yield* numbers(30);
      throw new RangeError('source broke');
    } as never);
    const { report, error } = await end(builder, create());
    expect(error).toBeInstanceOf(BuildFailedError);
    expect(report).toMatchObject({ status: 'failed', succeeded: 30 });
    expect(await target.count()).toBe(30);
  });

  test('when the target throws', async () => {
    const builder = await troubles(numbers(3000), { chunkSize: 100 });
    vi.spyOn(builder, 'updateTargets').mockRejectedValue(new RangeError('target broke'));
    const { report, error } = await end(builder, create());
    expect(error).toMatchObject({ message: expect.stringContaining('target broke') });
    expect(report).toMatchObject({ status: 'failed', succeeded: 0 });
  });

  test('when the signal fires while every worker is in an endless loop', async () => {
    const controller = new AbortController();
    const builder = await troubles(numbers(10, { do: 'loop' }));
    const processor = create();
    processor.once('BUILD_STARTED', async () => {
      await setTimeout(1000);
      controller.abort(new Error('enough'));
    });
    const started = performance.now();
    const { report, error } = await end(builder, processor, controller.signal);
    console.log(
      `${isolation}: ended ${Math.round(performance.now() - started)} ms after its start`,
    );
    expect(error).toBeInstanceOf(BuildAbortedError);
    expect(report.status).toBe('cancelled');
  });

  test('after stop(), and what is in flight is written', async () => {
    const builder = await troubles(numbers(100_000, { ms: 1 }), { chunkSize: 10 });
    const processor = create();
    processor.once('UPDATE', () => processor.stop());
    const { report } = await end(builder, processor);
    expect(report.status).toBe('cancelled');
    expect(report.succeeded).toBeGreaterThan(0);
    expect(report.succeeded).toBeLessThan(100_000);
  });

  test('when an item needs more memory than a worker may have', async () => {
    const builder = await troubles([{ k: 0 }, { k: 1, do: 'memory' }, { k: 2 }]);
    const processor = create({
      maxWorkerMemoryMb: isolation === 'thread' ? 64 : 300,
      maxAttempts: 1,
    });
    const { report } = await end(builder, processor);
    expect(report).toMatchObject({ status: 'succeeded', succeeded: 2, failed: 1 });
    expect(report.failures[0]?.error.message).toMatch(/out of memory: its limit is \d+ MB/);
  });

  test('when an item fails and none may', async () => {
    const builder = await troubles([...numbers(20), { k: 20, do: 'throw' }, { k: 21 }]);
    const { report, error } = await end(builder, create({ failFast: true }));
    expect(error).toMatchObject({ message: expect.stringMatching(/an item failed.*20/) });
    expect(report.failed).toBe(1);
  });

  test('when the constructor throws in workers only', async () => {
    const builder = new RefusingBuilder(await storeWith(numbers(5)), new MemoryStore());
    const { error } = await end(builder, create());
    expect((error as BuildFailedError).cause).toBeInstanceOf(WorkerStartError);
    expect(String(error)).toMatch(/not in a worker/);
  });

  test('when workers die while they start', async () => {
    const builder = new GoneBuilder(await storeWith(numbers(5)), new MemoryStore());
    const { error } = await end(builder, create());
    expect((error as BuildFailedError).cause).toBeInstanceOf(WorkerStartError);
    expect(String(error)).toMatch(/exited with code 5 while it started/);
  });

  test('when the class cannot be imported', async () => {
    const builder = new PrivateBuilder(await storeWith(numbers(5)), new MemoryStore());
    const { error } = await end(builder, create());
    expect((error as BuildFailedError).cause).toBeInstanceOf(WorkerStartError);
    expect(String(error)).toMatch(/no-such-module/);
  });
});

test('a builder that cannot be written is refused with the name of the field', async () => {
  const builder = new UnsendableBuilder(await storeWith(numbers(5)), new MemoryStore(), {
    callback: () => 1,
  });
  const { error } = await end(builder, new MultiProcessor());
  expect((error as BuildFailedError).cause).toBeInstanceOf(SerializationError);
  expect(String(error)).toMatch(/callback/);
});

test('a builder that uses a MemoryStore in processItem is refused', async () => {
  const builder = new StoreReadingBuilder(await storeWith(numbers(5)), new MemoryStore());
  const { error } = await end(builder, new MultiProcessor());
  expect((error as BuildFailedError).cause).toBeInstanceOf(InvalidBuilderError);
  expect(String(error)).toMatch(/cannot be seen from workers/);
});

test('a script that runs its builder when a worker imports it is told so', async () => {
  const { RunningBuilder } = await import('../../fixtures/running-builder.js');
  const builder = new RunningBuilder(await storeWith(numbers(5)), new MemoryStore());
  const { error } = await end(builder, new MultiProcessor({ numWorkers: 1 }));
  expect(String(error)).toMatch(/isMain\(import\.meta\.url\)/);
  expect(new NestedRunError('X').message).toMatch(/isMain/);
});

test('results of 20 MB pass, and it is the target that decides', async () => {
  const builder = await troubles([{ k: 0, do: 'large' }, { k: 1 }]);
  await builder.target.connect();
  const report = await new MultiProcessor({ numWorkers: 1 }).run(builder);
  expect(report).toMatchObject({ succeeded: 2, failed: 0 });
  expect((await builder.target.queryOne({ k: 0 }))?.['text']).toHaveLength(20_000_000);
});
