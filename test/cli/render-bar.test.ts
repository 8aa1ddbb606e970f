import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bar } from '../../src/cli/render-bar.js';
import { renderBars } from '../../src/cli/render-bar.js';

const LABELS = [
  ['Get', 'Get', 'Get'],
  ['Process Items', 'Process', 'Pro'],
  ['Update Targets', 'Update', 'Upd'],
] as const;

/** The three bars of a build. */
function bars(done: readonly number[], total: number | null, elapsedMs: number): Bar[] {
  return LABELS.map((labels, i) => ({ labels, done: done[i] ?? 0, total, elapsedMs }));
}

const one = (done: number, total: number | null, elapsedMs: number, columns = 80): string =>
  renderBars([{ labels: LABELS[0], done, total, elapsedMs }], columns)[0]!;

describe('a bar', () => {
  test('shows percent, count, elapsed and remaining time, and rate', () => {
    expect(one(100, 100, 6.5, 62)).toBe(
      'Get: 100%|██████████████| 100/100 [00:00<00:00, 15384.62it/s]',
    );
    expect(one(25, 100, 5000, 62)).toBe(
      'Get:  25%|████▌             |  25/100 [00:05<00:15, 5.00it/s]',
    );
  });

  test('shows seconds per item when an item takes longer than one', () => {
    expect(one(2, 10, 9000)).toContain(' 2/10 [00:09<00:36, 4.50s/it]');
  });

  test('shows hours', () => {
    expect(one(1, 4, 3_723_000)).toContain('[1:02:03<3:06:09, 3723.00s/it]');
  });

  test('knows no rate and no end before the first item', () => {
    expect(one(0, 10, 3000)).toContain('|  0/10 [00:03<?, ?it/s]');
    expect(one(0, 10, 3000)).toMatch(/^Get: {3}0%\| +\|/);
  });

  test('counts when the total is unknown', () => {
    expect(one(123, null, 4087)).toBe('Get: 123it [00:04, 30.10it/s]');
    expect(one(0, null, 0)).toBe('Get: 0it [00:00, ?it/s]');
  });

  test('is full when there is nothing to do', () => {
    expect(one(0, 0, 12, 50)).toMatch(/^Get: 100%\|█+\| 0\/0 \[00:00<00:00, \?it\/s]$/);
  });

  test('does not believe a total that has been passed', () => {
    expect(one(12, 10, 1000)).toBe('Get: 12it [00:01, 12.00it/s]');
  });

  test('is never full before the last item', () => {
    expect(one(99_999, 100_000, 1000)).toMatch(/^Get: {2}99%\|█+[▏▎▍▌▋▊▉]\|/);
  });
});

describe('three bars', () => {
  test('are aligned', () => {
    expect(renderBars(bars([450, 40, 0], 1000, 4000), 80)).toEqual([
      '           Get:  45%|█████████▍           |  450/1000 [00:04<00:04, 112.50it/s]',
      ' Process Items:   4%|▊                    |   40/1000 [00:04<01:36, 10.00it/s]',
      'Update Targets:   0%|                     |    0/1000 [00:04<?, ?it/s]',
    ]);
  });

  test('leave out names and rates at 60 columns', () => {
    expect(renderBars(bars([45_000, 4000, 3900], 100_000, 4000), 60)).toEqual([
      '    Get:  45%|███████▏        |  45000/100000 [00:04<00:04]',
      'Process:   4%|▋               |   4000/100000 [00:04<01:36]',
      ' Update:   3%|▌               |   3900/100000 [00:04<01:38]',
    ]);
  });

  test('leave out times at 40 columns', () => {
    expect(renderBars(bars([45_000, 4000, 3900], 100_000, 4000), 40)).toEqual([
      '    Get:  45%|████▌     |  45000/100000',
      'Process:   4%|▍         |   4000/100000',
      ' Update:   3%|▍         |   3900/100000',
    ]);
  });

  test('leave out counts at 20 columns', () => {
    expect(renderBars(bars([450, 40, 0], 1000, 4000), 20)).toEqual([
      '    Get:  45%|█▊  |',
      'Process:   4%|▏   |',
      ' Update:   0%|    |',
    ]);
  });

  test('are only numbers at 10 columns', () => {
    expect(renderBars(bars([45_000, 100_000, 0], 100_000, 4000), 10)).toEqual([
      'Get  45%',
      'Pro 100%',
      'Upd   0%',
    ]);
    expect(renderBars(bars([1_234_567, 999, 0], null, 4000), 10)).toEqual([
      'Get 1.2M',
      'Pro 999',
      'Upd 0',
    ]);
  });

  test('can be drawn beside bars of unknown length', () => {
    const [get, process] = renderBars(
      [
        { labels: LABELS[0], done: 30, total: 10, elapsedMs: 1000 },
        { labels: LABELS[1], done: 5, total: 10, elapsedMs: 1000 },
      ],
      80,
    );
    expect(get).toBe('          Get: 30it [00:01, 30.00it/s]');
    expect(process).toMatch(/^Process Items: {2}50%\|█+ +\| {2}5\/10 \[00:01<00:01, 5\.00it\/s]$/);
  });

  test('fit into any width, with any numbers', () => {
    const count = fc.oneof(fc.nat(1000), fc.maxSafeNat());
    fc.assert(
      fc.property(
        fc.array(count, { minLength: 3, maxLength: 3 }),
        fc.option(count),
        fc.double({ min: 0, max: 1e11, noNaN: true }),
        fc.integer({ min: 10, max: 200 }),
        (done, total, elapsedMs, columns) => {
          const lines = renderBars(bars(done, total, elapsedMs), columns);
          expect(lines).toHaveLength(3);
          for (const line of lines) {
            expect(line.length).toBeLessThan(columns);
            expect(line).not.toMatch(/NaN|undefined|Infinity|\p{Cc}/u);
          }
        },
      ),
    );
  });
});
