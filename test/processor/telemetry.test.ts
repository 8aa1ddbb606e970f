import { setImmediate } from 'node:timers/promises';
import { configure, reset } from '@logtape/logtape';
import type { Attributes } from '@opentelemetry/api';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { Doc, Processor, Store } from 'maggma';
import {
  Builder,
  BuildFailedError,
  CopyBuilder,
  JSONSchemaValidator,
  MemoryStore,
  MultiProcessor,
  SerialProcessor,
} from 'maggma';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RemainderBuilder } from '../fixtures/remainder-builder.js';
import { storeWith } from '../fixtures/stores.js';
import { Sdk } from '../fixtures/telemetry.js';

let sdk: Sdk;
beforeEach(() => {
  sdk = new Sdk();
});
afterEach(() => sdk[Symbol.dispose]());

const numbers = (n: number): Doc[] => Array.from({ length: n }, (_, i) => ({ k: i, a: i }));

/** Refuses the result of one number. */
const refusing = (a: number) =>
  new JSONSchemaValidator({ properties: { tenfold: { not: { const: a * 10 } } } });

/** Copies, and lets a test do something on the way. */
class WatchedBuilder extends Builder {
  readonly source: Store;
  readonly target: Store;
  watch: (where: string) => unknown = () => {};

  constructor(source: Store, target: Store) {
    super(source, target);
    this.source = source;
    this.target = target;
  }

  override async connect() {
    await super.connect();
    this.watch('connect');
  }

  async *getItems() {
    this.watch('getItems');
    for await (const doc of this.source.query()) {
      await setImmediate();
      this.watch('getItems, later');
      yield doc;
    }
  }

  override async processItem(doc: Doc) {
    this.watch('processItem');
    await setImmediate();
    this.watch('processItem, later');
    return doc;
  }

  async updateTargets(docs: readonly Doc[]) {
    this.watch('updateTargets');
    const result = await this.target.update(docs);
    this.watch('updateTargets, later');
    return result;
  }

  override async finalize() {
    this.watch('finalize');
  }
}

const watched = async (n = 3) =>
  new WatchedBuilder(await storeWith(numbers(n)), new MemoryStore({ key: 'k' }));

const idOf = (span: ReadableSpan) => span.spanContext().spanId;
const ms = ([s, ns]: readonly [number, number]) => s * 1000 + ns / 1e6;
const counts = ({ attributes }: ReadableSpan): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => name.includes('items')));

describe.each<[string, () => Processor]>([
  ['a SerialProcessor', () => new SerialProcessor()],
  ['a MultiProcessor', () => new MultiProcessor({ numWorkers: 2 })],
])('a build of %s', (_, create) => {
  test('is a span with one for each stage in it, and is counted', async () => {
    const source = await storeWith(numbers(14));
    const target = new MemoryStore({ key: 'k', validator: refusing(8) });
    const report = await create().run(new RemainderBuilder(source, target));

    const build = sdk.span('build RemainderBuilder');
    expect(build.attributes).toMatchObject({
      'maggma.builder': 'RemainderBuilder',
      'maggma.build.id': report.buildId,
      'maggma.sources': [source.name],
      'maggma.targets': [target.name],
      'maggma.status': 'succeeded',
      'maggma.errors': 2,
      'maggma.warnings': 1,
    });
    expect(counts(build)).toEqual({
      'maggma.items.total': 14,
      'maggma.items.processed': 14,
      'maggma.items.succeeded': 9,
      'maggma.items.failed': 2,
      'maggma.items.skipped': 2,
      'maggma.items.invalid': 1,
    });
    expect(build.status.code).toBe(SpanStatusCode.UNSET);
    expect(build.parentSpanContext).toBeUndefined();
    expect(build.instrumentationScope).toMatchObject({
      name: 'maggma',
      version: expect.any(String),
    });

    expect(sdk.spans).toHaveLength(4);
    for (const stage of ['get', 'process', 'update'] as const) {
      const span = sdk.span(stage);
      expect(span.parentSpanContext?.spanId).toBe(idOf(build));
      expect(span.attributes['maggma.stage.busy_ms']).toBe(report.stageMs[stage]);
      expect(ms(span.startTime)).toBeGreaterThanOrEqual(ms(build.startTime));
      expect(ms(span.endTime)).toBeGreaterThan(ms(span.startTime));
      expect(ms(span.endTime)).toBeLessThanOrEqual(ms(build.endTime));
    }

    expect(await sdk.metric('maggma.items')).toEqual({
      'RemainderBuilder succeeded': 9,
      'RemainderBuilder failed': 2,
      'RemainderBuilder skipped': 2,
      'RemainderBuilder invalid': 1,
    });
    expect(await sdk.metric('maggma.builds')).toEqual({ 'RemainderBuilder succeeded': 1 });
    expect(await sdk.metric('maggma.build.duration')).toMatchObject({
      'RemainderBuilder succeeded': { count: 1, sum: report.durationMs / 1000 },
    });
  });
});

test('items are counted while a build is under way', async () => {
  const builder = await watched(4);
  let seen: unknown;
  builder.watch = async (where) => {
    if (where === 'finalize') seen = sdk.metric('maggma.items');
  };
  await builder.run();
  expect(await seen).toEqual({ 'WatchedBuilder succeeded': 4 });
});

test('a build lies in the span of whoever runs it', async () => {
  const builder = await watched();
  await trace.getTracer('app').startActiveSpan('request', async (request) => {
    await builder.run();
    request.end();
  });
  expect(sdk.span('build WatchedBuilder').parentSpanContext?.spanId).toBe(
    idOf(sdk.span('request')),
  );
});

test('the span of a build is the active one wherever its builder works', async () => {
  const builders = [await watched(), await watched()];
  const seen = builders.map((builder) => {
    const spans = new Map<string, Set<string | undefined>>();
    builder.watch = (where) => {
      const ids = spans.get(where) ?? new Set();
      spans.set(where, ids.add(trace.getActiveSpan()?.spanContext().spanId));
    };
    return spans;
  });
  const reports = await Promise.all(builders.map((builder) => builder.run()));
  for (const [i, { buildId }] of reports.entries()) {
    const span = sdk.spans.find(({ attributes }) => attributes['maggma.build.id'] === buildId);
    expect([...(seen[i]?.keys() ?? [])].sort()).toEqual([
      'connect',
      'finalize',
      'getItems',
      'getItems, later',
      'processItem',
      'processItem, later',
      'updateTargets',
      'updateTargets, later',
    ]);
    for (const [where, ids] of seen[i] ?? [])
      expect([where, ...ids]).toEqual([where, span && idOf(span)]);
  }
  expect(trace.getActiveSpan()).toBeUndefined();
});

test('a build that fails has the error, with the password masked', async () => {
  const builder = await watched();
  builder.watch = (where) => {
    if (where === 'updateTargets') throw new RangeError('mongodb://me:geheim@host/ is down');
  };
  await expect(builder.run()).rejects.toThrow(BuildFailedError);
  const build = sdk.span('build WatchedBuilder');
  const message = 'mongodb://me:***@host/ is down';
  expect(build.attributes['maggma.status']).toBe('failed');
  expect(build.status).toEqual({ code: SpanStatusCode.ERROR, message });
  expect(build.events).toMatchObject([
    {
      name: 'exception',
      attributes: {
        'exception.type': 'RangeError',
        'exception.message': message,
        'exception.stacktrace': expect.stringContaining('telemetry.test.ts'),
      },
    },
  ]);
  expect(JSON.stringify([build.attributes, build.events, build.status])).not.toContain('geheim');
  expect(await sdk.metric('maggma.builds')).toEqual({ 'WatchedBuilder failed': 1 });
  expect(await sdk.metric('maggma.items')).toEqual({});
});

test('a build that cannot open its stores has no stages', async () => {
  const builder = await watched();
  builder.watch = (where) => {
    if (where === 'connect') throw new RangeError('no way');
  };
  await expect(builder.run()).rejects.toThrow('no way');
  expect(sdk.spans.map(({ name }) => name)).toEqual(['build WatchedBuilder']);
});

test.each(['stop', 'abort'])(
  'a build that is ended by %s is cancelled, and no error',
  async (by) => {
    const processor = new SerialProcessor();
    const controller = new AbortController();
    const builder = await watched();
    builder.watch = (where) => {
      if (where !== 'processItem') return;
      if (by === 'stop') processor.stop();
      else controller.abort();
    };
    await processor.run(builder, { signal: controller.signal }).catch(() => undefined);
    const build = sdk.span('build WatchedBuilder');
    expect(build.attributes['maggma.status']).toBe('cancelled');
    expect(build.status.code).toBe(SpanStatusCode.UNSET);
    expect(build.events).toEqual([]);
    expect(await sdk.metric('maggma.builds')).toEqual({ 'WatchedBuilder cancelled': 1 });
  },
);

test('a build that is skipped is a span, too', async () => {
  const first = await watched();
  first.watch = (where) => {
    if (where === 'finalize') throw new RangeError('no');
  };
  const second = new CopyBuilder(first.target, new MemoryStore());
  await new SerialProcessor().runAll([first, second]);
  expect(sdk.span('build CopyBuilder').attributes['maggma.status']).toBe('skipped');
  expect(await sdk.metric('maggma.builds')).toEqual({
    'WatchedBuilder failed': 1,
    'CopyBuilder skipped': 1,
  });
});

describe('an SDK that throws', () => {
  const broken = () => {
    throw new RangeError('the SDK is broken');
  };
  const BROKEN: Record<string, () => void> = {
    'when a span is made': () => {
      trace.disable();
      trace.setGlobalTracerProvider({ getTracer: broken });
    },
    'before it runs what it was given': () => {
      context.disable();
      context.setGlobalContextManager({ ...managerOf(), with: broken });
    },
    'after it ran what it was given': () => {
      context.disable();
      const manager = managerOf();
      context.setGlobalContextManager({
        ...manager,
        with: (active, run, thisArg, ...args) => {
          manager.with(active, run, thisArg, ...args);
          return broken();
        },
      });
    },
  };

  test.each(Object.keys(BROKEN))('breaks no build: %s', async (when) => {
    const lines: string[] = [];
    await configure({
      sinks: { lines: ({ message }) => lines.push(message.join('')) },
      loggers: [
        { category: ['maggma', 'OpenTelemetry'], sinks: ['lines'], lowestLevel: 'debug' },
        { category: ['logtape', 'meta'], lowestLevel: 'error' },
      ],
    });
    try {
      BROKEN[when]?.();
      const builder = await watched();
      let runs = 0;
      builder.watch = (where) => where === 'getItems' && runs++;
      expect(await builder.run()).toMatchObject({ status: 'succeeded', succeeded: 3 });
      expect(runs).toBe(1);
      expect(lines).toEqual(['OpenTelemetry failed: the SDK is broken']);
    } finally {
      await reset();
    }
  });
});

/** A context manager that knows nothing. */
function managerOf(): Parameters<typeof context.setGlobalContextManager>[0] {
  const root = context.active();
  return {
    active: () => root,
    with: (_, run, thisArg, ...args) => run.apply(thisArg, args),
    bind: (_, target) => target,
    enable: managerOf,
    disable: managerOf,
  };
}
