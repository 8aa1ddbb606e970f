import { setTimeout } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { BuildAbortedError, BuildFailedError } from '../../src/builder/build-errors.js';
import type { BuildEvents } from '../../src/builder/build-events.js';
import type { BuilderOptions } from '../../src/builder/builder.js';
import { Builder } from '../../src/builder/builder.js';
import { CopyBuilder } from '../../src/builder/copy-builder.js';
import { BuilderBusyError, TooManyFailuresError } from '../../src/errors/builder-errors.js';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { SerialProcessor } from '../../src/processor/serial/serial-processor.js';
import type { Doc } from '../../src/query/document.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import type { Store } from '../../src/store/store.js';
import { contents, storeWith } from '../fixtures/stores.js';

interface Parts {
  items?: () => AsyncIterable<Doc> | Iterable<Doc>;
  process?: (item: Doc) => unknown;
  update?: (results: readonly Doc[]) => Promise<void>;
  finalize?: () => Promise<void>;
}

/** A builder put together from functions; by default it copies the numbers 0 to 9. */
class PartsBuilder extends Builder<Doc, Doc> {
  readonly written: Doc[][] = [];
  finalized: string[] = [];
  readonly parts: Parts;
  readonly target: Store;

  constructor(parts: Parts = {}, options: BuilderOptions = {}) {
    const target = new MemoryStore({ key: 'k' });
    super(new MemoryStore({ key: 'k' }), target, options);
    this.target = target;
    this.parts = parts;
  }

  getItems() {
    return this.parts.items?.() ?? numbers(10);
  }

  override processItem(item: Doc) {
    return (this.parts.process ?? ((x: Doc) => x))(item) as Doc;
  }

  async updateTargets(results: readonly Doc[]) {
    await this.parts.update?.(results);
    this.written.push([...results]);
    await this.target.update(results);
  }

  override async finalize({ status }: { status: string }) {
    this.finalized.push(status);
    await this.parts.finalize?.();
  }

  get keys(): unknown[] {
    return this.written.flat().map((doc) => doc['k']);
  }
}

const numbers = (n: number): Doc[] => Array.from({ length: n }, (_, k) => ({ k }));

function record(processor: SerialProcessor): [string, unknown][] {
  const log: [string, unknown][] = [];
  const names = {
    BUILD_STARTED: true,
    PROGRESS: true,
    ITEM_FAILED: true,
    UPDATE: true,
    BUILD_ENDED: true,
  } satisfies Record<keyof BuildEvents, true>;
  for (const name of Object.keys(names) as (keyof BuildEvents)[])
    processor.on(name, (event) => log.push([name, event]));
  return log;
}

const essence = (log: [string, unknown][]) =>
  log.filter(([name]) => name !== 'PROGRESS').map(([name]) => name);

async function rejection(run: Promise<unknown>): Promise<BuildFailedError> {
  const error = await run.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(BuildFailedError);
  return error as BuildFailedError;
}

describe('a run', () => {
  test('announces its start, each write and its end, and reports the counts', async () => {
    const builder = new PartsBuilder({}, { chunkSize: 4 });
    const processor = new SerialProcessor();
    const log = record(processor);
    const report = await processor.run(builder);
    expect(essence(log)).toEqual(['BUILD_STARTED', 'UPDATE', 'UPDATE', 'UPDATE', 'BUILD_ENDED']);
    const last = log.filter(([name]) => name === 'PROGRESS').at(-1)?.[1];
    expect(last).toMatchObject({ fetched: 10, processed: 10, written: 10, total: 10 });
    expect(report).toMatchObject({
      builder: 'PartsBuilder',
      status: 'succeeded',
      total: 10,
      processed: 10,
      succeeded: 10,
      failed: 0,
      errors: 0,
    });
    expect(new Set(log.map(([, event]) => (event as { buildId: string }).buildId))).toEqual(
      new Set([report.buildId]),
    );
    expect(builder.written.map((chunk) => chunk.length)).toEqual([4, 4, 2]);
    expect(builder.finalized).toEqual(['succeeded']);
    expect(builder.target.connected).toBe(false);
  });

  test('keeps the order of items, also with asynchronous ones', async () => {
    const builder = new PartsBuilder({
      process: async (item) => {
        await setTimeout(item['k'] % 3);
        return item;
      },
    });
    await builder.run();
    expect(builder.keys).toEqual(numbers(10).map(({ k }) => k));
  });

  test.each([
    ['an array', () => numbers(25)],
    [
      'a generator',
      function* () {
        yield* numbers(25);
      },
    ],
    [
      'an async generator',
      async function* () {
        yield* numbers(25);
      },
    ],
  ])('takes items from %s', async (_, items) => {
    const builder = new PartsBuilder({ items }, { chunkSize: 10 });
    expect(await builder.run()).toMatchObject({ succeeded: 25 });
    expect(builder.written.map((chunk) => chunk.length)).toEqual([10, 10, 5]);
  });

  test('reads the total that getItems sets before its first item', async () => {
    const builder: PartsBuilder = new PartsBuilder({
      items: async function* () {
        builder.total = 3;
        yield* numbers(3);
      },
    });
    const processor = new SerialProcessor();
    const log = record(processor);
    await processor.run(builder);
    expect(log[0]?.[1]).toMatchObject({ total: 3 });
  });

  test('without items starts and ends, writes nothing and is finalized', async () => {
    const builder = new PartsBuilder({ items: () => [] });
    const processor = new SerialProcessor();
    const log = record(processor);
    expect(await processor.run(builder)).toMatchObject({ total: 0, processed: 0 });
    expect(essence(log)).toEqual(['BUILD_STARTED', 'BUILD_ENDED']);
    expect(builder.finalized).toEqual(['succeeded']);
  });

  test('processes while it fetches and writes', async () => {
    const active = { get: 0, update: 0 };
    let overlap = 0;
    const builder = new PartsBuilder(
      {
        items: async function* () {
          for (const item of numbers(40)) {
            active.get++;
            await setTimeout(1);
            active.get--;
            yield item;
          }
        },
        process: (item) => {
          if (active.get > 0 && active.update > 0) overlap++;
          return item;
        },
        update: async () => {
          active.update++;
          await setTimeout(10);
          active.update--;
        },
      },
      { chunkSize: 4 },
    );
    await builder.run();
    expect(overlap).toBeGreaterThan(5);
  });

  test('a slow target holds the source back', async () => {
    let fetched = 0;
    let most = 0;
    const builder = new PartsBuilder(
      {
        items: async function* () {
          for (const item of numbers(500)) {
            fetched++;
            yield item;
          }
        },
        update: async () => {
          most = Math.max(most, fetched - builder.keys.length);
          await setTimeout(1);
        },
      },
      { chunkSize: 10 },
    );
    await builder.run();
    // Two queues of one chunk each, the chunk being written, and a batch on its way between them.
    expect(most).toBeLessThanOrEqual(60);
  });

  test('closes the stores that it opened, and only those', async () => {
    const builder = new PartsBuilder();
    await builder.target.connect();
    await builder.run();
    expect(builder.target.connected).toBe(true);
    expect(builder.sources[0]?.connected).toBe(false);
  });

  test('of a builder that is running is refused', async () => {
    const builder = new PartsBuilder();
    const first = builder.run();
    await expect(builder.run()).rejects.toThrow(BuilderBusyError);
    await first;
    await builder.run();
  });

  test('counts what the builder logs', async () => {
    const builder: PartsBuilder = new PartsBuilder({
      process: (item) => {
        if (item['k'] === 1) builder.logger.warn('hm');
        if (item['k'] === 2) builder.logger.error('oh');
        return item;
      },
    });
    expect(await builder.run()).toMatchObject({ errors: 1, warnings: 1, failed: 0 });
    expect(await builder.run()).toMatchObject({ errors: 1, warnings: 1 });
  });
});

describe('failing items', () => {
  const picky = (item: Doc) => {
    if (item['k'] % 2 === 1) throw new Error(`odd ${item['k']}`);
    return item;
  };

  test('are announced and counted, and the others are built', async () => {
    const builder = new PartsBuilder({ process: picky });
    const processor = new SerialProcessor();
    const log = record(processor);
    const report = await processor.run(builder);
    expect(report).toMatchObject({ status: 'succeeded', succeeded: 5, failed: 5, errors: 5 });
    expect(log.filter(([name]) => name === 'ITEM_FAILED')).toHaveLength(5);
    expect(report.failures[0]).toMatchObject({ key: 1, error: { message: 'odd 1' } });
    expect(builder.keys).toEqual([0, 2, 4, 6, 8]);
  });

  test.each([
    [{ failFast: true }, 1],
    [{ maxFailures: 2 }, 3],
  ])('end the run with %o, and what was built is written', async (options, failed) => {
    const builder = new PartsBuilder({ process: picky });
    const error = await rejection(new SerialProcessor(options).run(builder));
    expect(error.cause).toBeInstanceOf(TooManyFailuresError);
    expect(error.report.status).toBe('failed');
    expect(error.report.failures).toHaveLength(failed);
    expect(builder.keys).toContain(0);
    expect(builder.finalized).toEqual(['failed']);
  });

  test.each(['a string', undefined, null])('may throw %s', async (thrown) => {
    const builder = new PartsBuilder({
      process: () => {
        throw thrown;
      },
    });
    expect(await builder.run()).toMatchObject({ failed: 10 });
  });

  test('null and undefined skip', async () => {
    const builder = new PartsBuilder({ process: (item) => (item['k'] < 3 ? null : undefined) });
    expect(await builder.run()).toMatchObject({ processed: 10, skipped: 10, succeeded: 0 });
    expect(builder.written).toEqual([]);
  });
});

describe('a run ends, whatever fails', () => {
  const ends = async (parts: Parts, message: RegExp) => {
    const builder = new PartsBuilder(parts, { chunkSize: 4 });
    const processor = new SerialProcessor();
    const log = record(processor);
    const error = await rejection(processor.run(builder));
    expect(error.message).toMatch(message);
    expect(essence(log)[0]).toBe('BUILD_STARTED');
    expect(essence(log).filter((name) => name === 'BUILD_ENDED')).toHaveLength(1);
    expect(log.at(-1)?.[0]).toBe('BUILD_ENDED');
    expect(log.at(-1)?.[1]).toMatchObject({
      status: 'failed',
      error: { message: expect.anything() },
    });
    expect(builder.stores().some((store) => store.connected)).toBe(false);
    return { builder, error };
  };

  test('the source: what it gave is written', async () => {
    const { builder } = await ends(
      {
        items: async function* () {
          yield* numbers(6);
          throw new Error('source broke');
        },
      },
      /PartsBuilder failed: source broke/,
    );
    expect(builder.keys).toEqual([0, 1, 2, 3, 4, 5]);
    expect(builder.finalized).toEqual(['failed']);
  });

  test('getItems itself', async () => {
    await ends(
      {
        items: () => {
          throw new Error('no items');
        },
      },
      /no items/,
    );
  });

  test('getItems that returns no iterable', async () => {
    await ends({ items: () => 5 as never }, /must return an iterable/);
  });

  test('the target: nothing counts that was not written', async () => {
    let calls = 0;
    const { error } = await ends(
      {
        update: async () => {
          if (++calls === 2) throw new Error('target broke');
        },
      },
      /target broke/,
    );
    expect(error.report.succeeded).toBe(4);
  });

  test('finalize', async () => {
    await ends({ finalize: () => Promise.reject(new Error('finalize broke')) }, /finalize broke/);
  });

  test('the first failure is the one that is reported', async () => {
    await ends(
      {
        update: () => Promise.reject(new Error('target broke')),
        finalize: () => Promise.reject(new Error('finalize broke')),
      },
      /target broke/,
    );
  });

  test('connecting: it is not finalized, and what was opened is closed', async () => {
    const builder = new PartsBuilder();
    vi.spyOn(builder.target, 'connect').mockRejectedValue(new Error('cannot connect'));
    const processor = new SerialProcessor();
    const log = record(processor);
    await rejection(processor.run(builder));
    expect(essence(log)).toEqual(['BUILD_STARTED', 'BUILD_ENDED']);
    expect(log[0]?.[1]).toMatchObject({ total: null });
    expect(builder.finalized).toEqual([]);
    expect(builder.sources[0]?.connected).toBe(false);
  });

  test('a listener that throws or rejects: it is warned of, the others are told', async () => {
    const warnings: string[] = [];
    const heard = (warning: Error) => warnings.push(warning.message);
    process.on('warning', heard);
    const processor = new SerialProcessor();
    let told = 0;
    processor.on('UPDATE', () => {
      throw new Error('listener broke');
    });
    processor.on('UPDATE', async () => {
      throw new Error('async listener broke');
    });
    processor.once('UPDATE', () => told++);
    const removed = () => told++;
    processor.on('UPDATE', removed).off('UPDATE', removed);
    await processor.run(new PartsBuilder({}, { chunkSize: 5 }));
    await vi.waitFor(() => expect(warnings.length).toBe(4));
    process.off('warning', heard);
    expect(told).toBe(1);
    expect(warnings.join()).toMatch(/UPDATE threw: Error: listener broke.*async listener broke/s);
  });
});

describe('stopping', () => {
  test('stop() finishes what is in flight, writes it, and ends as cancelled', async () => {
    const processor = new SerialProcessor();
    const builder = new PartsBuilder(
      {
        items: async function* () {
          for (let k = 0; ; k++) yield { k };
        },
        process: async (item) => {
          await setTimeout(1);
          if (item['k'] === 20) processor.stop();
          return item;
        },
      },
      { chunkSize: 7 },
    );
    const report = await processor.run(builder);
    expect(report.status).toBe('cancelled');
    expect(builder.keys).toEqual(numbers(21).map(({ k }) => k));
    expect(report.processed).toBe(21);
    expect(builder.finalized).toEqual(['cancelled']);
  });

  test('stop() does not wait for a source that hangs', async () => {
    const processor = new SerialProcessor();
    const builder = new PartsBuilder({
      items: async function* () {
        yield { k: 0 };
        await new Promise(() => {});
      },
      process: (item) => {
        setImmediate(() => processor.stop());
        return item;
      },
    });
    const report = await processor.run(builder);
    expect(report).toMatchObject({ status: 'cancelled', succeeded: 1 });
  });

  test('a signal ends the run at once, with BuildAbortedError and the report', async () => {
    const controller = new AbortController();
    const builder = new PartsBuilder({
      process: (item) => {
        if (item['k'] === 3) {
          setImmediate(() => controller.abort(new Error('enough')));
          return new Promise(() => {});
        }
        return item;
      },
    });
    const processor = new SerialProcessor();
    const log = record(processor);
    const run = processor.run(builder, { signal: controller.signal });
    await expect(run).rejects.toThrow(BuildAbortedError);
    await expect(run).rejects.toMatchObject({ report: { status: 'cancelled' } });
    expect(log.at(-1)?.[0]).toBe('BUILD_ENDED');
    expect(builder.finalized).toEqual(['cancelled']);
    expect(builder.target.connected).toBe(false);
  });

  test('a signal that fired before starts nothing', async () => {
    const builder = new PartsBuilder();
    await expect(builder.run({ signal: AbortSignal.abort() })).rejects.toThrow(BuildAbortedError);
    expect(builder.written).toEqual([]);
    expect(builder.finalized).toEqual([]);
  });
});

describe('several builders', () => {
  test('run in order, and one that fails skips only those that read what it writes', async () => {
    const [a, b, c] = [
      await storeWith([{ k: 1 }]),
      new MemoryStore({ key: 'k' }),
      new MemoryStore({ key: 'k' }),
    ];
    const broken = new PartsBuilder({ update: () => Promise.reject(new Error('broke')) });
    const dependant = new CopyBuilder(broken.target, b);
    const second = new CopyBuilder(b, new MemoryStore());
    const free = new CopyBuilder(a, c);
    const processor = new SerialProcessor();
    const log = record(processor);
    const reports = await processor.runAll([broken, dependant, second, free]);
    expect(reports.map((report) => report.status)).toEqual([
      'failed',
      'skipped',
      'skipped',
      'succeeded',
    ]);
    expect(essence(log).filter((name) => name === 'BUILD_ENDED')).toHaveLength(4);
    await c.connect();
    expect(await contents(c, 'last_updated')).toEqual([{ k: 1, state: 'successful' }]);
  });

  test('are not started after stop()', async () => {
    const processor = new SerialProcessor();
    const first = new PartsBuilder({ finalize: async () => processor.stop() });
    const second = new PartsBuilder();
    const reports = await processor.runAll([first, second]);
    expect(reports.map((report) => report.status)).toEqual(['cancelled', 'cancelled']);
    expect(second.written).toEqual([]);
    expect((await processor.runAll([second]))[0]?.status).toBe('succeeded');
  });
});

describe('retries', () => {
  const flaky = (failures: number, message = 'flaky') => {
    const calls = new Map<unknown, number>();
    return (item: Doc) => {
      const call = (calls.get(item['k']) ?? 0) + 1;
      calls.set(item['k'], call);
      if (item['k'] % 3 === 0 && call <= failures) throw new RangeError(message);
      return { ...item, call };
    };
  };

  test('try an item again until it succeeds', async () => {
    const builder = new PartsBuilder({ process: flaky(2) });
    const processor = new SerialProcessor({ retry: { attempts: 3, delayMs: 5 } });
    expect(await processor.run(builder)).toMatchObject({ succeeded: 10, failed: 0 });
    expect(builder.written.flat().find(({ k }) => k === 3)).toMatchObject({ call: 3 });
  });

  test('give up after a number of attempts, and record the item once', async () => {
    const builder = new PartsBuilder({ process: flaky(9) });
    const processor = new SerialProcessor({ retry: { attempts: 3, delayMs: 0 } });
    const log = record(processor);
    const report = await processor.run(builder);
    expect(report).toMatchObject({ succeeded: 6, failed: 4, processed: 10 });
    expect(report.failures.map(({ attempts }) => attempts)).toEqual([3, 3, 3, 3]);
    expect(log.filter(([name]) => name === 'ITEM_FAILED')).toHaveLength(4);
  });

  test('are for the errors that are worth it', async () => {
    const builder = new PartsBuilder({ process: flaky(1) });
    const retry = { delayMs: 0, on: (error: { name: string }) => error.name === 'TypeError' };
    expect(await new SerialProcessor({ retry }).run(builder)).toMatchObject({ failed: 4 });
  });

  test('do not hold up the other items', async () => {
    const builder = new PartsBuilder({ process: flaky(1) });
    const processor = new SerialProcessor({ retry: { attempts: 2, delayMs: 50 } });
    await processor.run(builder);
    expect(builder.keys.slice(-4)).toEqual([0, 3, 6, 9]);
  });

  test('are given up when the run is stopped', async () => {
    const processor = new SerialProcessor({ retry: { attempts: 2, delayMs: 60_000 } });
    const builder = new PartsBuilder({ process: flaky(1) }, { chunkSize: 3 });
    processor.once('UPDATE', () => processor.stop());
    const report = await processor.run(builder);
    expect(report).toMatchObject({ status: 'cancelled', failed: 0 });
  }, 30_000);
});

test.each([
  Object.create(null),
  {
    toString() {
      throw new Error('no');
    },
  },
  Object.assign(new Error('x'), { message: Symbol('odd') }),
])('an item may throw what cannot be shown (%#)', async (thrown) => {
  const builder = new PartsBuilder({
    process: (item) => {
      if (item['k'] === 1) throw thrown;
      return item;
    },
  });
  expect(await builder.run()).toMatchObject({ succeeded: 9, failed: 1 });
});

test('a result that is awaitable but no promise is awaited', async () => {
  const builder = new PartsBuilder({
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
    process: (item) => ({ then: (resolve: (value: unknown) => void) => resolve(item) }),
  });
  expect(await builder.run()).toMatchObject({ succeeded: 10 });
});

test('a signal ends a run whose finalize never does', async () => {
  const controller = new AbortController();
  const builder = new PartsBuilder({
    finalize: () => {
      controller.abort(new Error('enough'));
      return new Promise(() => {});
    },
  });
  await expect(builder.run({ signal: controller.signal })).rejects.toThrow(BuildAbortedError);
});

test('stop() is for the builders under way, whatever is started meanwhile', async () => {
  const processor = new SerialProcessor();
  const other = new PartsBuilder();
  let third: Promise<unknown> | undefined;
  const first = new PartsBuilder({
    finalize: async () => {
      processor.stop();
      third = processor.run(other);
    },
  });
  const reports = await processor.runAll([first, new PartsBuilder()]);
  expect(reports.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  expect(await third).toMatchObject({ status: 'succeeded' });
});

test('a builder that runs elsewhere fails alone', async () => {
  const gate = new AbortController();
  const busy = new PartsBuilder({ process: () => new Promise(() => {}) });
  const elsewhere = new SerialProcessor().run(busy, { signal: gate.signal }).catch(() => undefined);
  const reports = await new SerialProcessor().runAll([busy, new PartsBuilder()]);
  expect(reports.map(({ status }) => status)).toEqual(['failed', 'succeeded']);
  expect(reports[0]?.error?.message).toMatch(/already running/);
  gate.abort();
  await elsewhere;
});

test.each([
  [{ retry: { attempts: 0 } }, /`retry\.attempts`/],
  [{ retry: { delayMs: -1 } }, /`retry\.delayMs`/],
  [{ retry: { on: 1 as never } }, /`retry\.on`/],
  [{ maxFailures: -1 }, /`maxFailures`/],
  [{ failFast: 1 as never }, /`failFast`/],
])('refuses the options %o', (options, message) => {
  expect(() => new SerialProcessor(options)).toThrow(InvalidOptionError);
  expect(() => new SerialProcessor(options)).toThrow(message);
});
