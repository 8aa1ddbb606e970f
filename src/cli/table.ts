import { oneLine } from './printable.js';
import { cutTo, widthOf } from './text-width.js';

const GAP = '  ';
/** A column is not cut to less. */
const NARROWEST = 4;

/** How a table looks. */
export interface TableOptions {
  /**
   * Width of the terminal. Left-aligned columns are cut until the table fits, the widest first.
   *
   * @defaultValue as wide as it needs to be
   */
  readonly columns?: number | undefined;
  /**
   * For each column; text to the left, numbers to the right.
   *
   * @defaultValue `'left'` for all
   */
  readonly align?: readonly ('left' | 'right')[];
  /**
   * Colours a cell, which has its final width already; the heading is row 0.
   *
   * @defaultValue leaves it as it is
   */
  readonly paint?: (cell: string, row: number, column: number) => string;
}

/**
 * Writes a table, columns below each other. Cells are made safe to show.
 *
 * @param rows - The first one is the heading.
 * @returns Whole lines.
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  { columns = Infinity, align = [], paint = (cell) => cell }: TableOptions = {},
): string {
  const table = rows.map((row) => row.map((cell) => oneLine(cell).replaceAll('\t', ' ')));
  const needed = widthsOf(table);
  const widths = fitted(needed, align, columns);
  // Not even the narrowest columns fit: only whole lines can be cut, and an escape sequence is no place for that.
  const isCut = widthOfLine(widths) > columns;
  const lines = table.map((row, r) => {
    const cells = row.map((cell, c) => {
      const padded = pad(cutTo(cell, widths[c] ?? 0), widths[c] ?? 0, align[c]);
      const last = c === row.length - 1 ? padded.trimEnd() : padded;
      return isCut ? last : paint(last, r, c);
    });
    const line = cells.join(GAP);
    return isCut ? cutTo(line, columns) : line;
  });
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Where a column of a table goes first when there is no room. */
export interface Droppable {
  /** The column with the lowest number goes first; those without stay. */
  readonly dropped?: number;
}

/**
 * Leaves columns out until a table fits a terminal.
 *
 * @param rowsOf - Makes the table of some of the columns.
 * @param width - Of the terminal.
 * @param nameWidth - The first column may be cut to so much before another one goes.
 */
export function fittingColumns<C extends Droppable>(
  columns: readonly C[],
  rowsOf: (columns: readonly C[]) => readonly (readonly string[])[],
  { width, nameWidth }: { readonly width: number; readonly nameWidth: number },
): readonly C[] {
  const rows = rowsOf(columns).map(([name = '', ...cells]) => [cutTo(name, nameWidth), ...cells]);
  const isFitting = formatTable(rows)
    .split('\n')
    .every((line) => widthOf(line) <= width);
  const next = Math.min(...columns.map(({ dropped = Infinity }) => dropped));
  if (isFitting || next === Infinity) return columns;
  const rest = columns.filter(({ dropped }) => dropped !== next);
  return fittingColumns(rest, rowsOf, { width, nameWidth });
}

function widthsOf(table: readonly (readonly string[])[]): number[] {
  const count = Math.max(0, ...table.map((row) => row.length));
  return Array.from({ length: count }, (_, c) =>
    Math.max(...table.map((row) => widthOf(row[c] ?? ''))),
  );
}

/** Takes from the widest left-aligned column until the line fits or there is nothing to take. */
function fitted(
  needed: readonly number[],
  align: TableOptions['align'],
  columns: number,
): number[] {
  const widths = [...needed];
  for (let excess = widthOfLine(widths) - columns; excess > 0; excess--) {
    const widest = widths.reduce(
      (best, width, c) =>
        align?.[c] !== 'right' && width > (widths[best] ?? NARROWEST) ? c : best,
      -1,
    );
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function widthOfLine(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

function pad(cell: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return align === 'right' ? spaces + cell : cell + spaces;
}
