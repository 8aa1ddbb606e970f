import { describe, expect, test } from 'vitest';
import { formatTable } from '../../src/cli/table.js';
import { cutTo, widthOf } from '../../src/cli/text-width.js';

const ROWS = [
  ['builder', 'built', 'why'],
  ['MultiplyBuilder', '4200', 'first'],
  ['X', '7', ''],
];
const ALIGN = ['left', 'right', 'left'] as const;

/** The lines of a table. */
const lines = (...args: Parameters<typeof formatTable>) => {
  const text = formatTable(...args);
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text.split('\n').slice(0, -1);
};

describe('a table', () => {
  test('has its columns below each other, numbers to the right', () => {
    expect(lines(ROWS, { align: ALIGN })).toEqual([
      'builder          built  why',
      'MultiplyBuilder   4200  first',
      'X                    7',
    ]);
  });

  test('of no rows is nothing', () => {
    expect(formatTable([])).toBe('');
  });

  test('is cut in its widest column where the terminal is narrow, never in a number', () => {
    expect(lines(ROWS, { align: ALIGN, columns: 24 })).toEqual([
      'builder     built  why',
      'MultiplyB…   4200  first',
      'X               7',
    ]);
  });

  test.each([40, 29, 20, 19, 12, 5, 1, 0])('fits %i columns, whatever it takes', (columns) => {
    for (const line of lines(ROWS, { align: ALIGN, columns }))
      expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });

  test('takes from several wide columns in turn', () => {
    expect(lines([['a'.repeat(20), 'b'.repeat(16)]], { columns: 22 })).toEqual([
      `${'a'.repeat(9)}…  ${'b'.repeat(9)}…`,
    ]);
  });

  test('is not broken by what stands in a cell', () => {
    const cells = ['a\nb\tc', '\x1b[2J\x07', 'mongodb://me:hunter2@host'];
    expect(lines(cells.map((cell) => ['x', cell]))).toEqual([
      'x  a b c',
      'x  \\x1b[2J\\x07',
      'x  mongodb://me:***@host',
    ]);
  });

  test('counts the columns that characters take, not their codes', () => {
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('👩‍👩‍👧')).toBe(2);
    expect(widthOf('e\u0301')).toBe(1);
    expect(
      lines([
        ['日本', 'x'],
        ['abcd', 'x'],
      ]),
    ).toEqual(['日本  x', 'abcd  x']);
    expect(cutTo('日本語', 5)).toBe('日本…');
    expect(cutTo('日本語', 4)).toBe('日…');
  });

  test('can be coloured without losing its shape', () => {
    const paint = (cell: string, row: number, column: number) =>
      row === 1 && column === 0 ? `\x1b[31m${cell}\x1b[39m` : cell;
    expect(lines(ROWS, { align: ALIGN, paint })[1]).toBe(
      '\x1b[31mMultiplyBuilder\x1b[39m   4200  first',
    );
    // Where lines must be cut, there is no colour that could be cut in half.
    expect(formatTable(ROWS, { align: ALIGN, paint, columns: 12 })).not.toContain('\x1b');
  });
});
