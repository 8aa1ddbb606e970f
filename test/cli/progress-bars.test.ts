import { EventEmitter } from 'eventemitter3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BuildEndedEvent, BuildEvents } from '../../src/builder/build-events.js';
import { clusterParts } from '../../src/cli/cluster-text.js';
import { ProgressBars } from '../../src/cli/progress-bars.js';
import { Screen } from '../../src/cli/screen.js';
import type { ClusterState } from '../../src/processor/distributed/distributed-processor.js';
import { VirtualScreen } from './virtual-screen.js';

const BUILD = { builder: 'TestBuilder', buildId: '1' };

/** A screen with bars on it, and the processor that they follow. Its clock stands still unless told. */
function follow(headings = false, rows = 24, details?: () => readonly string[]) {
  const seen = new VirtualScreen(80, rows);
  const stream = Object.assign(new EventEmitter(), {
    write: (text: string) => seen.writeLines(text),
    rows,
  });
  const screen = new Screen(stream);
  const source = new EventEmitter<BuildEvents>();
  const unfollow = new ProgressBars(screen, {
    headings,
    ...(details && { details }),
    now: () => Date.now(),
  }).follow(source);
  const start = (total: number | null, builder = BUILD.builder) =>
    source.emit('BUILD_STARTED', {
      ...BUILD,
      builder,
      sources: [],
      targets: [],
      total,
      version: 1,
    });
  const progress = (fetched: number, processed: number, written: number, total: number | null) =>
    source.emit('PROGRESS', { ...BUILD, fetched, processed, written, total });
  const end = () => source.emit('BUILD_ENDED', { ...BUILD } as BuildEndedEvent);
  return { seen, screen, source, unfollow, start, progress, end };
}

/** The same for builds that run at the same time; each has its name for an id. */
function followSeveral(rows?: number) {
  const { seen, source, unfollow } = follow(true, rows);
  return {
    seen,
    unfollow,
    start: (...builders: readonly string[]) => {
      for (const builder of builders) {
        const build = { builder, buildId: builder };
        source.emit('BUILD_STARTED', { ...build, sources: [], targets: [], total: 2, version: 1 });
      }
    },
    progress: (builder: string, done: number) => {
      const counts = { fetched: done, processed: done, written: done, total: 2 };
      source.emit('PROGRESS', { builder, buildId: builder, ...counts });
    },
    end: (builder: string) =>
      source.emit('BUILD_ENDED', { builder, buildId: builder } as BuildEndedEvent),
  };
}

const STAGES = ['Get', 'Process Items', 'Update Targets'];
const labels = (lines: readonly string[]) => lines.map((line) => line.trim().split(':')[0]);
/** How far each build is, by the first of its bars. */
const percents = (lines: readonly string[]) =>
  lines.flatMap((line) => / Get: +(\d+)%/.exec(line)?.[1] ?? []).map(Number);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progress bars', () => {
  test('show the three stages, and stay when the build ends', () => {
    const { seen, start, progress, end } = follow();
    start(200);
    vi.advanceTimersByTime(1000);
    progress(200, 100, 50, 200);
    vi.advanceTimersByTime(1000);
    expect(seen.lines).toEqual([
      expect.stringMatching(/^ +Get: 100%\|█+\| 200\/200 \[00:01<00:00, 200\.00it\/s]$/),
      expect.stringMatching(
        /^ Process Items: {2}50%\|█+.? +\| 100\/200 \[00:02<00:02, 50\.00it\/s]$/,
      ),
      expect.stringMatching(
        /^Update Targets: {2}25%\|█+.? +\| {2}50\/200 \[00:02<00:06, 25\.00it\/s]$/,
      ),
    ]);
    progress(200, 200, 200, 200);
    end();
    expect(seen.lines.map((line) => line.slice(15, 20))).toEqual([' 100%', ' 100%', ' 100%']);
    expect(seen.cursorVisible).toBe(true);
  });

  test('are drawn at most ten times a second', () => {
    const { seen, start, progress, end } = follow();
    start(1000);
    for (let i = 1; i <= 1000; i++) {
      progress(i, i, i, 1000);
      vi.advanceTimersByTime(2);
    }
    end();
    expect(seen.draws).toBeGreaterThan(15);
    expect(seen.draws).toBeLessThanOrEqual(22);
  });

  test('go on while nothing happens', () => {
    const { seen, start, progress } = follow();
    start(10);
    progress(1, 1, 1, 10);
    vi.advanceTimersByTime(61_000);
    expect(seen.lines[0]).toContain('[01:01<');
  });

  test('have what helps a manager behind the name of the builder', () => {
    let state: ClusterState = {
      ...{ address: 'tcp://127.0.0.1:7417', workers: 0, slots: 0, chunks: null, done: 0 },
    };
    const { seen, start, progress, end } = follow(true, 24, () => clusterParts(state));
    start(100);
    progress(0, 0, 0, 100);
    expect(seen.lines[0]).toBe('TestBuilder · 0 chunks · no workers at tcp://127.0.0.1:7417 yet');
    expect(seen.lines).toHaveLength(4);
    state = { ...state, workers: 1, slots: 1, chunks: 50, done: 12 };
    vi.advanceTimersByTime(100);
    expect(seen.lines[0]).toBe('TestBuilder · 12/50 chunks · 1 worker (1 slot)');
    state = { ...state, workers: 3, slots: 24, done: 50 };
    end();
    expect(seen.lines[0]).toBe('TestBuilder · 50/50 chunks · 3 workers (24 slots)');
    expect(clusterParts(null)).toEqual([]);
  });

  test('have the name of the builder above them when there are several', () => {
    const { seen, start, progress, end } = follow(true);
    for (const builder of ['FirstBuilder', 'SecondBuilder']) {
      start(1, builder);
      progress(1, 1, 1, 1);
      end();
    }
    expect(labels(seen.lines)).toEqual(['FirstBuilder', ...STAGES, 'SecondBuilder', ...STAGES]);
  });

  test('are not shown for a build that never began', () => {
    const { seen, start, progress, end } = follow(true);
    start(null);
    progress(0, 0, 0, null);
    end();
    expect(seen.lines).toEqual([]);
  });

  test('leave nothing behind when they are no longer wanted', () => {
    const { seen, source, start, progress, unfollow } = follow();
    start(10);
    progress(1, 1, 1, 10);
    unfollow();
    expect(seen.cursorVisible).toBe(true);
    expect(seen.lines).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
    expect(source.eventNames()).toEqual([]);
  });
});

describe('progress bars of several builds at once', () => {
  test('stand below each other, and leave upwards as builds end', () => {
    const { seen, start, progress, end } = followSeveral();
    start('A', 'B', 'C');
    progress('B', 1);
    vi.advanceTimersByTime(100);
    expect(labels(seen.lines)).toEqual(['A', ...STAGES, 'B', ...STAGES, 'C', ...STAGES]);
    expect(percents(seen.lines)).toEqual([0, 50, 0]);
    progress('B', 2);
    end('B');
    expect(labels(seen.lines)).toEqual(['B', ...STAGES, 'A', ...STAGES, 'C', ...STAGES]);
    expect(percents(seen.lines)).toEqual([100, 0, 0]);
    expect(seen.cursorVisible).toBe(false);
    progress('C', 1);
    end('C');
    progress('A', 2);
    end('A');
    expect(labels(seen.lines)).toEqual(['B', ...STAGES, 'C', ...STAGES, 'A', ...STAGES]);
    expect(percents(seen.lines)).toEqual([100, 50, 100]);
    expect(seen.cursorVisible).toBe(true);
    expect(seen.cursorAtStart).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('are drawn at most ten times a second in all', () => {
    const { seen, start, progress } = followSeveral();
    start('A', 'B', 'C');
    for (let i = 0; i < 300; i++) {
      for (const builder of ['A', 'B', 'C']) progress(builder, i % 2);
      vi.advanceTimersByTime(10);
    }
    expect(seen.draws).toBeGreaterThan(20);
    expect(seen.draws).toBeLessThanOrEqual(31);
  });

  test.each([
    [24, 5, 'and 0 more', 5],
    [20, 5, 'and 1 more build', 4],
    [14, 5, 'and 2 more builds', 3],
    [10, 5, 'and 3 more builds', 2],
    [4, 3, 'and 2 more builds', 1],
    [2, 3, 'and 2 more builds', 0],
  ])(
    'never need more than the %i rows of the terminal, for %i builds',
    (...[rows, builds, more, names]) => {
      const { seen, start, progress, end } = followSeveral(rows);
      const builders = ['A', 'B', 'C', 'D', 'E'].slice(0, builds);
      start(...builders);
      vi.advanceTimersByTime(1000);
      expect(seen.lines.length).toBeLessThan(rows);
      expect(seen.lines.filter((line) => line.length === 1)).toEqual(builders.slice(0, names));
      expect(seen.lines.at(-1)).toMatch(names === builds ? / 0\/2 / : new RegExp(`^${more}$`));
      for (const builder of builders) {
        progress(builder, 2);
        end(builder);
      }
      expect(labels(seen.lines).slice(0, 4)).toEqual(['A', ...STAGES]);
      expect(percents(seen.lines).slice(0, builds - 1)).toEqual(Array(builds - 1).fill(100));
    },
  );

  test('keep a build that ends while the others have nothing to show yet', () => {
    const { seen, start, progress, end } = followSeveral();
    start('A', 'B');
    progress('A', 2);
    end('A');
    progress('B', 1);
    end('B');
    expect(labels(seen.lines)).toEqual(['A', ...STAGES, 'B', ...STAGES]);
  });

  test('stay when they are no longer wanted', () => {
    const { seen, start, progress, unfollow } = followSeveral();
    start('A', 'B');
    progress('A', 1);
    progress('B', 1);
    unfollow();
    expect(labels(seen.lines)).toEqual(['A', ...STAGES, 'B', ...STAGES]);
    expect(seen.cursorVisible).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
