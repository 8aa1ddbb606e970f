import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AbsenceWatch } from '../../../src/processor/distributed/absence-watch.js';
import { StallWatch } from '../../../src/processor/distributed/stall-watch.js';
import type { Logger } from '../../../src/util/logger.js';

const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('that nobody is there', () => {
  const watch = (isThere: () => boolean, timeoutMs: number) => {
    const said: string[] = [];
    const logger: Logger = {
      debug() {},
      info() {},
      warn: (text) => void said.push(text),
      error() {},
    };
    const absence = new AbsenceWatch({
      ...{ isThere, timeoutMs, logger },
      advice: (minutes) => `nobody for ${minutes} min`,
      giveUp: () => void said.push('given up'),
    });
    return { absence, said };
  };

  test('is said each minute, for ever, and not while somebody is', async () => {
    let isThere = false;
    const { absence, said } = watch(() => isThere, Number.POSITIVE_INFINITY);
    await vi.advanceTimersByTimeAsync(2.5 * MINUTE);
    expect(said).toEqual(['nobody for 1 min', 'nobody for 2 min']);
    expect(absence.hasSeen).toBe(false);
    isThere = true;
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    isThere = false;
    await vi.advanceTimersByTimeAsync(0.9 * MINUTE);
    expect([said.length, absence.hasSeen]).toEqual([2, true]);
    await vi.advanceTimersByTimeAsync(0.2 * MINUTE);
    expect(said.slice(2)).toEqual(['nobody for 1 min']);
    absence.stop();
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(said).toHaveLength(3);
  });

  test('is the end when it lasts too long, once', async () => {
    const { said } = watch(() => false, 90_000);
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(said).toEqual(['nobody for 1 min', 'given up']);
  });
});

describe('that nothing moves in a chunk', () => {
  const watch = (limitMs: number) => {
    const said: unknown[] = [];
    const stall = new StallWatch({
      limitMs,
      warn: (minutes) => void said.push(minutes),
      giveUp: () => void said.push('given up'),
    });
    return { stall, said };
  };

  test('is said less and less often, and anew when something moved', async () => {
    const { stall, said } = watch(Number.POSITIVE_INFINITY);
    await vi.advanceTimersByTimeAsync(45 * MINUTE);
    expect(said).toEqual([5, 10, 20, 40]);
    stall.moved();
    await vi.advanceTimersByTimeAsync(4.9 * MINUTE);
    expect(said).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(0.2 * MINUTE);
    expect(said.slice(4)).toEqual([5]);
    stall.stop();
    await vi.advanceTimersByTimeAsync(90 * MINUTE);
    expect(said).toHaveLength(5);
  });

  test('ends it after its limit, not while it waits for us', async () => {
    const { stall, said } = watch(2000);
    await vi.advanceTimersByTimeAsync(1900);
    let answer = (_: boolean) => {};
    const waiting = stall.paused(new Promise<boolean>((resolve) => (answer = resolve)));
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    answer(true);
    expect(await waiting).toBe(true);
    await vi.advanceTimersByTimeAsync(1900);
    expect(said).toEqual([]);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(said).toEqual(['given up']);
  });
});
