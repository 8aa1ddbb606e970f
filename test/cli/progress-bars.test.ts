import { EventEmitter } from 'eventemitter3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BuildEndedEvent, BuildEvents } from '../../src/builder/build-events.js';
import { ProgressBars } from '../../src/cli/progress-bars.js';
import { Screen } from '../../src/cli/screen.js';
import { VirtualScreen } from './virtual-screen.js';

const BUILD = { builder: 'TestBuilder', buildId: '1' };

/** A screen with bars on it, and the processor that they follow. Its clock stands still unless told. */
function follow(headings = false) {
  const seen = new VirtualScreen(80, 24);
  const stream = Object.assign(new EventEmitter(), {
    write: (text: string) => seen.writeLines(text),
  });
  const screen = new Screen(stream);
  const source = new EventEmitter<BuildEvents>();
  const unfollow = new ProgressBars(screen, { headings, now: () => Date.now() }).follow(source);
  const start = (total: number | null, builder = BUILD.builder) =>
    source.emit('BUILD_STARTED', { ...BUILD, builder, sources: [], targets: [], total });
  const progress = (fetched: number, processed: number, written: number, total: number | null) =>
    source.emit('PROGRESS', { ...BUILD, fetched, processed, written, total });
  const end = () => source.emit('BUILD_ENDED', { ...BUILD } as BuildEndedEvent);
  return { seen, screen, source, unfollow, start, progress, end };
}

const labels = (lines: readonly string[]) => lines.map((line) => line.trim().split(':')[0]);

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

  test('have the name of the builder above them when there are several', () => {
    const { seen, start, progress, end } = follow(true);
    for (const builder of ['FirstBuilder', 'SecondBuilder']) {
      start(1, builder);
      progress(1, 1, 1, 1);
      end();
    }
    const stages = ['Get', 'Process Items', 'Update Targets'];
    expect(labels(seen.lines)).toEqual(['FirstBuilder', ...stages, 'SecondBuilder', ...stages]);
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
