import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Doc, Processor } from '../../src/index.js';
import {
  Builder,
  CopyBuilder,
  InvalidOptionError,
  JSONSchemaValidator,
  JSONStore,
  MapBuilder,
  MemoryStore,
  MultiProcessor,
  ObjectId,
  Reporter,
  SerialProcessor,
} from '../../src/index.js';
import { at, storeWith } from '../fixtures/stores.js';
import { TroubleBuilder } from '../fixtures/trouble.js';
import { essenceOf, eventsOf, Setting, until } from './support.js';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

interface GoldenValue {
  readonly type: string;
  readonly repr: string;
}
const golden = JSON.parse(
  readFileSync(new URL('../golden/reporting.json', import.meta.url), 'utf8'),
) as { docs: Record<string, GoldenValue>[] };

/** The fields that a document of that event has in Python. */
const pythonFields = (event: string): string[] =>
  Object.keys(golden.docs.find((doc) => doc['event']?.repr === `'${event}'`) ?? {});

/** Says of a value what the golden data say of Python's. */
function describeValue(value: unknown): GoldenValue {
  const vary = '<varies>';
  if (value instanceof ObjectId) return { type: 'bson.objectid.ObjectId', repr: vary };
  if (value instanceof Date) return { type: 'datetime.datetime', repr: vary };
  if (typeof value === 'number') return { type: 'builtins.int', repr: String(value) };
  if (typeof value === 'string')
    return { type: 'builtins.str', repr: UUID.test(value) ? vary : `'${value}'` };
  const texts = (value as string[]).map((text) => `'${text}'`);
  return { type: 'builtins.list', repr: `[${texts.join(', ')}]` };
}

const numbers = (count: number): Doc[] =>
  Array.from({ length: count }, (_, k) => ({ k, a: k, last_updated: at(k) }));

/** Writes what it reads in chunks of one, with a pause before each item. */
class PausingBuilder extends Builder {
  pauseMs = 5;

  getItems() {
    return (this.sources[0] as MemoryStore).query();
  }

  override async processItem(doc: Doc) {
    await setTimeout(this.pauseMs);
    return doc;
  }

  updateTargets(docs: readonly Doc[]) {
    return (this.targets[0] as MemoryStore).update(docs);
  }
}

async function run(
  reporter: Reporter,
  builder: Builder,
  processor: Processor = new SerialProcessor(),
) {
  reporter.follow(processor);
  await processor.runAll([builder]);
  await reporter.close();
}

describe('the documents of a build', () => {
  test('have the fields and the meaning of those that Python writes', async () => {
    using setting = new Setting();
    const [source, store] = [new MemoryStore({ collectionName: 'ra' }), new MemoryStore()];
    await store.connect();
    await source.connect();
    await source.update(numbers(3).map(({ k, ...doc }) => ({ task_id: k, ...doc })));
    const target = new MemoryStore({ collectionName: 'rb' });
    const reporter = new Reporter(store, { spoolFolder: setting.spoolFolder });
    await run(reporter, new CopyBuilder(source, target, { chunkSize: 2 }));
    const docs = await eventsOf(store);
    expect(docs).toHaveLength(golden.docs.length);
    docs.forEach((doc, i) => {
      const expected = golden.docs[i] ?? {};
      const known = Object.keys(expected).map((field) => [field, describeValue(doc[field])]);
      expect(Object.fromEntries(known)).toEqual(expected);
    });
    expect(new Set(docs.map(({ build_id }) => build_id)).size).toBe(1);
    expect(new Set(docs.map(({ machine }) => machine)).size).toBe(1);
    for (const { last_updated } of docs)
      expect(Math.abs(Date.now() - last_updated.getTime())).toBeLessThan(10_000);
    expect(setting.said).toEqual([]);
  });

  test('say more than those of Python', async () => {
    using setting = new Setting();
    const store = new MemoryStore();
    await store.connect();
    class VersionedBuilder extends MapBuilder {
      override get version() {
        return '2.1';
      }
      unaryFunction({ a }: Doc) {
        if (a === 3) throw new RangeError('not 3');
        return a === 4 ? null : { b: a };
      }
    }
    const builder = new VersionedBuilder(await storeWith(numbers(10)), await storeWith([]));
    await run(new Reporter(store, { spoolFolder: setting.spoolFolder }), builder);
    const docs = await eventsOf(store);
    const extra = (event: string) => {
      const doc = docs.find((each) => each['event'] === event) ?? {};
      const known = pythonFields(event);
      return Object.fromEntries(Object.entries(doc).filter(([name]) => !known.includes(name)));
    };
    expect(extra('BUILD_STARTED')).toEqual({
      builder_version: '2.1',
      processed: 0,
      failed: 0,
      heartbeat: expect.any(Date),
      heartbeat_ms: 10_000,
      pid: process.pid,
      pid_scope: expect.stringMatching(/^[\da-f]{16}-[\da-f]{16}$/),
    });
    expect(extra('UPDATE')).toEqual({});
    const { duration_ms, items_per_second, stage_ms, ...counts } = extra('BUILD_ENDED');
    expect(counts).toEqual({
      status: 'succeeded',
      total: 10,
      ...{ processed: 10, succeeded: 8, failed: 1, skipped: 1, invalid: 0 },
    });
    expect(items_per_second).toBeGreaterThan(0);
    expect(duration_ms).toBeGreaterThanOrEqual(0);
    expect(Object.keys(stage_ms)).toEqual(['get', 'process', 'update']);
    expect(docs.at(-1)).toMatchObject({ errors: 1, warnings: 0 });
  });

  test('are the same in this thread and in workers', async () => {
    using setting = new Setting();
    const deeds = ['throw', 'skip', undefined, 'refused', undefined, 'cycle'];
    const docs = Array.from({ length: 60 }, (_, k) => ({ k, do: deeds[k % deeds.length] }));
    const validator = new JSONSchemaValidator({
      properties: { do: { not: { const: 'refused' } } },
    });
    const records: unknown[] = [];
    for (const processor of [new SerialProcessor(), new MultiProcessor({ numWorkers: 2 })]) {
      const store = new MemoryStore();
      await store.connect();
      const [source, target] = [await storeWith(docs), await storeWith([], { validator })];
      const builder = new TroubleBuilder(source, target, { chunkSize: 7 });
      await run(new Reporter(store, { spoolFolder: setting.spoolFolder }), builder, processor);
      const events = await eventsOf(store);
      const [started, ended] = [events[0] ?? {}, events.at(-1) ?? {}];
      const updated = events
        .filter(({ event }) => event === 'UPDATE')
        .reduce((sum, { items }) => sum + items, 0);
      const { _id, build_id, last_updated, duration_ms, items_per_second, stage_ms, ...end } =
        ended;
      const { event, total, builder: name, machine, builder_version } = started;
      records.push([{ event, total, name, machine, builder_version }, updated, end]);
    }
    expect(records[1]).toEqual(records[0]);
    expect(records[0]).toMatchObject([
      { event: 'BUILD_STARTED', name: 'TroubleBuilder' },
      30,
      {
        event: 'BUILD_ENDED',
        status: 'succeeded',
        ...{ processed: 60, succeeded: 20, failed: 20, skipped: 10, invalid: 10 },
        ...{ errors: 20, warnings: 10 },
      },
    ]);
  });

  test('tell of a build that failed, without its secrets', async () => {
    using setting = new Setting();
    const store = new MemoryStore();
    await store.connect();
    class Leaky extends MemoryStore {
      override get name() {
        return 'mongodb://me:hunter2@host/db';
      }
    }
    class FailingBuilder extends CopyBuilder {
      override async updateTargets(): Promise<never> {
        throw new TypeError('mongodb://me:hunter2@host?token=hunter3 is gone '.repeat(100));
      }
    }
    const source = new Leaky({ key: 'k' });
    await source.connect();
    await source.update(numbers(3));
    const builder = new FailingBuilder(source, await storeWith([]));
    await run(new Reporter(store, { spoolFolder: setting.spoolFolder }), builder);
    const docs = await eventsOf(store);
    expect(JSON.stringify(docs)).not.toMatch(/hunter/);
    expect(docs[0]).toMatchObject({ sources: ['mongodb://me:***@host/db'] });
    expect(docs.at(-1)).toMatchObject({ event: 'BUILD_ENDED', status: 'failed' });
    const { error } = docs.at(-1) ?? {};
    expect(error.name).toBe('TypeError');
    expect(error.message).toMatch(/^mongodb:\/\/me:\*\*\*@host\?token=\*\*\* is gone/);
    expect(error.message.length).toBeLessThanOrEqual(2000);
  });

  test('tell of builds that were not run, and of one that cannot connect', async () => {
    using setting = new Setting();
    const store = new MemoryStore();
    const lost = new JSONStore('/no-such-folder/x.json', { key: 'k' });
    const between = await storeWith([]);
    const reporter = new Reporter(store, { spoolFolder: setting.spoolFolder });
    const processor = new SerialProcessor();
    reporter.follow(processor);
    await processor.runAll([
      new CopyBuilder(lost, between),
      new CopyBuilder(between, await storeWith([])),
    ]);
    await until('all events', async () => (await eventsOf(store)).length === 4);
    expect(await essenceOf(store)).toEqual([
      'BUILD_STARTED',
      'BUILD_ENDED failed',
      'BUILD_STARTED',
      'BUILD_ENDED skipped',
    ]);
    expect((await eventsOf(store))[1]).toMatchObject({
      error: { name: 'StoreConnectionError', code: 'STORE_CONNECTION' },
    });
    await reporter.close();
  });
});

describe('UPDATE documents', () => {
  interface Built {
    readonly items: number[];
    readonly durationMs: number;
  }

  async function build(updateIntervalMs: number): Promise<Built> {
    using setting = new Setting();
    const store = new MemoryStore();
    await store.connect();
    const builder = new PausingBuilder(await storeWith(numbers(60)), await storeWith([]), {
      chunkSize: 1,
    });
    await run(new Reporter(store, { updateIntervalMs, spoolFolder: setting.spoolFolder }), builder);
    const events = await eventsOf(store);
    const ended = events.at(-1);
    expect(ended?.['event']).toBe('BUILD_ENDED');
    return {
      items: events.filter(({ event }) => event === 'UPDATE').map(({ items }) => items),
      durationMs: ended?.['duration_ms'],
    };
  }

  test('are few, and lose no count', async () => {
    const { items, durationMs } = await build(100);
    expect(items.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(items[0]).toBe(1);
    expect(items.length).toBeGreaterThan(2);
    // One at once, one at the end.
    expect(items.length).toBeLessThanOrEqual(Math.floor(durationMs / 100) + 2);
  });

  test('come once, and once more at the end, when the build is shorter than the interval', async () => {
    expect((await build(60_000)).items).toEqual([1, 59]);
  });

  test('can come for each write', async () => {
    expect((await build(0)).items).toEqual(Array.from({ length: 60 }, () => 1));
  });
});

describe('the heartbeat', () => {
  test('writes BUILD_STARTED again, with what was done, and nothing after the end', async () => {
    using setting = new Setting();
    const store = new MemoryStore();
    await store.connect();
    const builder = new PausingBuilder(await storeWith(numbers(100)), await storeWith([]), {
      chunkSize: 1,
    });
    const reporter = new Reporter(store, { heartbeatMs: 20, spoolFolder: setting.spoolFolder });
    const processor = new SerialProcessor();
    reporter.follow(processor);
    const running = processor.run(builder);
    const started = () => store.queryOne({ event: 'BUILD_STARTED' });
    await until('progress', async () => ((await started())?.['processed'] ?? 0) > 5);
    const first = await started();
    expect(first?.['heartbeat'].getTime()).toBeGreaterThan(first?.['last_updated'].getTime());
    expect(first?.['processed']).toBeLessThan(100);
    await until(
      'the next heartbeat',
      async () => (await started())?.['heartbeat'] > first?.['heartbeat'],
    );
    expect(await store.count({ event: 'BUILD_STARTED' })).toBe(1);
    expect((await started())?.['last_updated']).toEqual(first?.['last_updated']);
    await running;
    await until('the end', async () => (await store.count({ event: 'BUILD_ENDED' })) === 1);
    const last = await started();
    // Several heartbeats.
    await setTimeout(200);
    expect(await started()).toEqual(last);
    await reporter.close();
  });

  test('ends when nobody listens any more', async () => {
    using setting = new Setting();
    const store = new MemoryStore();
    await store.connect();
    const reporter = new Reporter(store, { heartbeatMs: 10, spoolFolder: setting.spoolFolder });
    const processor = new SerialProcessor();
    const unfollow = reporter.follow(processor);
    expect(reporter.follow(processor), 'following twice is following once').toBe(unfollow);
    const running = processor.run(
      new PausingBuilder(await storeWith(numbers(60)), await storeWith([]), { chunkSize: 1 }),
    );
    await until('the start', async () => (await store.count()) > 0);
    unfollow();
    const before = await eventsOf(store);
    await running;
    expect(before.filter(({ event }) => event === 'BUILD_STARTED')).toHaveLength(1);
    expect(await store.count({ event: 'BUILD_ENDED' })).toBe(0);
    await reporter.close();
  });
});

describe('the store', () => {
  test('is opened when it is closed, and closed again; left open when it was', async () => {
    using setting = new Setting();
    for (const wasOpen of [false, true]) {
      const store = new JSONStore(`${setting.folder}/builds-${wasOpen}.json`, {
        key: '_id',
        readOnly: false,
      });
      if (wasOpen) await store.connect();
      const builder = new CopyBuilder(await storeWith(numbers(3)), await storeWith([]));
      await run(new Reporter(store, { spoolFolder: setting.spoolFolder }), builder);
      expect(store.connected).toBe(wasOpen);
      expect(await essenceOf(store)).toEqual([
        'BUILD_STARTED',
        'UPDATE 3',
        'BUILD_ENDED succeeded',
      ]);
      await store.close();
    }
    expect(setting.said).toEqual([]);
  });

  test('may be one of the stores of the build, which closes it', async () => {
    using setting = new Setting();
    const make = () => new JSONStore(`${setting.folder}/all.json`, { key: '_id', readOnly: false });
    const shared = make();
    const source = await storeWith(numbers(3));
    await run(
      new Reporter(shared, { spoolFolder: setting.spoolFolder }),
      new CopyBuilder(source, shared),
    );
    expect(shared.connected).toBe(false);
    await using other = make();
    await other.connect();
    const events = (await eventsOf(other)).filter(({ event }) => event !== undefined);
    expect(events.map(({ event }) => event)).toEqual(['BUILD_STARTED', 'UPDATE', 'BUILD_ENDED']);
    expect(await other.count({ _id: { $type: 'number' } })).toBe(3);
    expect(setting.said).toEqual([]);
  });

  test('may be a file that another process writes, too', async () => {
    using setting = new Setting();
    const make = () => new JSONStore(`${setting.folder}/b.json`, { key: '_id', readOnly: false });
    const reporters = [make(), make()].map(
      (store) => new Reporter(store, { spoolFolder: setting.spoolFolder }),
    );
    const processors = [new SerialProcessor(), new SerialProcessor()];
    await Promise.all(
      processors.map(async (processor, i) => {
        reporters[i]?.follow(processor);
        await processor.run(
          new PausingBuilder(await storeWith(numbers(20)), await storeWith([]), { chunkSize: 1 }),
        );
      }),
    );
    for (const reporter of reporters) await reporter.close();
    await using store = make();
    await store.connect();
    expect(await store.count({ event: 'BUILD_STARTED' })).toBe(2);
    expect(await store.count({ event: 'BUILD_ENDED' })).toBe(2);
  });

  test('that refuses events costs them, and says so', async () => {
    using setting = new Setting();
    const validator = {
      strict: true,
      isValid: ({ event }: Doc) => event !== 'UPDATE',
      validationErrors: () => ['no UPDATE here'],
    };
    const store = new MemoryStore({ validator });
    await store.connect();
    const builder = new CopyBuilder(await storeWith(numbers(3)), await storeWith([]));
    await run(new Reporter(store, { spoolFolder: setting.spoolFolder }), builder);
    expect(await essenceOf(store)).toEqual(['BUILD_STARTED', 'BUILD_ENDED succeeded']);
    expect(setting.said).toEqual([
      expect.stringMatching(/^warning: mem:.* refuses an event: .*no UPDATE here/),
      expect.stringMatching(/^error: 1 event is lost, /),
    ]);
  });

  test.each([
    ['no store', {}, 'store'],
    ['a read-only one', new JSONStore('x.json'), 'store'],
  ] as const)('is refused at once when it is %s', (_, store, option) => {
    expect(() => new Reporter(store as MemoryStore)).toThrow(InvalidOptionError);
    expect(() => new Reporter(store as MemoryStore)).toThrow(expect.objectContaining({ option }));
  });
});

test.each([
  ['updateIntervalMs', -1],
  ['updateIntervalMs', Number.NaN],
  ['heartbeatMs', 0],
  ['heartbeatMs', 2 ** 31],
  ['closeTimeoutMs', '5'],
  ['spoolFolder', ''],
] as const)('refuses %s: %s', (option, value) => {
  const make = () => new Reporter(new MemoryStore(), { [option]: value });
  expect(make).toThrow(InvalidOptionError);
  expect(make).toThrow(expect.objectContaining({ option }));
});
