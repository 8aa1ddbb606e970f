import { EventEmitter } from 'eventemitter3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type {
  BuildEndedEvent,
  BuildEvents,
  ItemFailedEvent,
} from '../../src/builder/build-events.js';
import { PlainProgress } from '../../src/cli/plain-progress.js';
import { Screen } from '../../src/cli/screen.js';
import { showProgress } from '../../src/cli/show-progress.js';
import { Builder, logTo, MemoryStore, SerialProcessor } from '../../src/index.js';
import type { Logger } from '../../src/util/logger.js';

/** A logger that keeps what it is told. */
function listener() {
  const lines: string[] = [];
  const fields: unknown[] = [];
  const info = (message: string, properties?: unknown) => {
    lines.push(message);
    fields.push(properties);
  };
  return { lines, fields, logger: { info } as unknown as Logger };
}

/** The processor that a progress follows; builds have their names for ids. */
function follow(details?: () => string[]) {
  const { lines, fields, logger } = listener();
  const source = new EventEmitter<BuildEvents>();
  const unfollow = new PlainProgress(logger, {
    ...(details && { details }),
    now: () => Date.now(),
  }).follow(source);
  const start = (builder: string, total: number | null) =>
    source.emit('BUILD_STARTED', {
      ...{ builder, buildId: builder, total },
      ...{ sources: [], targets: [], version: 1 },
    });
  const progress = (builder: string, written: number, total: number | null) => {
    const counts = { fetched: written + 5, processed: written + 2, written, total };
    source.emit('PROGRESS', { builder, buildId: builder, ...counts });
  };
  const fail = (builder: string) =>
    source.emit('ITEM_FAILED', { builder, buildId: builder } as ItemFailedEvent);
  const end = (builder: string) =>
    source.emit('BUILD_ENDED', { builder, buildId: builder } as BuildEndedEvent);
  return { lines, fields, source, unfollow, start, progress, fail, end };
}

describe('progress without bars', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is a line every 30 seconds', () => {
    const { lines, fields, start, progress, fail } = follow();
    start('MultiplyBuilder', 20_000);
    vi.advanceTimersByTime(29_000);
    for (let i = 0; i < 3; i++) fail('MultiplyBuilder');
    progress('MultiplyBuilder', 4200, 20_000);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(1000);
    vi.advanceTimersByTime(30_000);
    expect(lines).toEqual([
      'MultiplyBuilder: 4200 of 20000 items (21 %), 140 items/s, 1 min 53 s left, 3 failed',
      'MultiplyBuilder: 4200 of 20000 items (21 %), 70 items/s, 3 min 46 s left, 3 failed',
    ]);
    expect(fields[0]).toEqual({
      builder: 'MultiplyBuilder',
      items: 4200,
      total: 20_000,
      rate: 140,
      leftMs: expect.closeTo(112_857, 0),
      failed: 3,
    });
  });

  test('does without what nobody knows', () => {
    const { lines, start, progress } = follow();
    start('A', null);
    vi.advanceTimersByTime(30_000);
    progress('A', 300, null);
    vi.advanceTimersByTime(30_000);
    // More than were announced.
    progress('A', 900, 600);
    vi.advanceTimersByTime(30_000);
    expect(lines).toEqual(['A: 0 items', 'A: 300 items, 5.0 items/s', 'A: 900 items, 10 items/s']);
  });

  test('ends with what else there is to tell', () => {
    const { lines, start, progress } = follow(() => ['12/50 chunks', '3 workers (24 slots)']);
    start('A', 600);
    progress('A', 300, 600);
    vi.advanceTimersByTime(30_000);
    expect(lines).toEqual([
      'A: 300 of 600 items (50 %), 10 items/s, 30.0 s left, 12/50 chunks, 3 workers (24 slots)',
    ]);
  });

  test('is a line for each of the builds that run', () => {
    const { lines, start, progress, end } = follow();
    start('A', 100);
    vi.advanceTimersByTime(20_000);
    start('B', 10);
    progress('A', 50, 100);
    progress('B', 1, 10);
    vi.advanceTimersByTime(10_000);
    end('A');
    vi.advanceTimersByTime(30_000);
    end('B');
    vi.advanceTimersByTime(90_000);
    expect(lines).toEqual([
      'A: 50 of 100 items (50 %), 1.7 items/s, 30.0 s left',
      'B: 1 of 10 items (10 %), 0.1 items/s, 1 min 30 s left',
      'B: 1 of 10 items (10 %), 0.03 items/s, 6 min 0 s left',
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('begins to wait anew with the next build', () => {
    const { lines, start, progress, end } = follow();
    start('A', 100);
    vi.advanceTimersByTime(20_000);
    end('A');
    vi.advanceTimersByTime(20_000);
    start('B', 100);
    progress('B', 1, 100);
    vi.advanceTimersByTime(29_000);
    expect(lines).toEqual([]);
  });

  test.each([
    [0, []],
    [1, ['A: 5 of 10 items (50 %), 0.2 items/s, 30.0 s left']],
  ])('is logged by mrun where no bars are wanted, with -v (%i)', (verbosity, expected) => {
    const lines: string[] = [];
    const end = logTo(({ logger, message }) => {
      if (logger === 'mrun') lines.push(message);
    });
    const source = new EventEmitter<BuildEvents>();
    const screen = new Screen(Object.assign(new EventEmitter(), { write: () => true }));
    const endProgress = showProgress(screen, source, { bars: false, headings: false, verbosity });
    const build = { builder: 'A', buildId: 'A', total: 10 };
    source.emit('BUILD_STARTED', { ...build, sources: [], targets: [], version: 1 });
    source.emit('PROGRESS', { ...build, fetched: 5, processed: 5, written: 5 });
    vi.advanceTimersByTime(30_000);
    endProgress();
    end();
    expect(lines).toEqual(expected);
  });

  test('ends when nobody follows any more', () => {
    const { lines, source, unfollow, start } = follow();
    start('A', 100);
    unfollow();
    vi.advanceTimersByTime(90_000);
    expect(lines).toEqual([]);
    expect(source.eventNames()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('progress without bars is shown also of a builder that leaves timers no chance', async () => {
  class Computing extends Builder<number> {
    *getItems() {
      this.total = 60;
      for (let i = 0; i < 60; i++) yield i;
    }
    override processItem() {
      const end = performance.now() + 10;
      while (performance.now() < end);
      return null;
    }
    async updateTargets() {}
  }
  const { lines, logger } = listener();
  const processor = new SerialProcessor();
  const unfollow = new PlainProgress(logger, { intervalMs: 200 }).follow(processor);
  await new Computing(new MemoryStore(), new MemoryStore()).run({ processor });
  unfollow();
  expect(lines.length).toBeGreaterThanOrEqual(2);
  for (const line of lines)
    expect(line).toMatch(/^Computing: \d+ of 60 items \(\d+ %\), \d+ items\/s, [\d.]+ m?s left$/);
});
