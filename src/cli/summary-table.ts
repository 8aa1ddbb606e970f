import type { BuildReport, BuildStatus } from '../builder/build-report.js';
import type { Colour, Style } from './colours.js';
import { formatDuration, formatRate } from './figures.js';
import type { Droppable } from './table.js';
import { fittingColumns, formatTable } from './table.js';

/** What a terminal shows. */
export interface SummaryTableStyle {
  /** Width of the terminal. */
  readonly columns: number;
  readonly colour: Colour;
}

interface Column extends Droppable {
  readonly heading: string;
  readonly cell: (report: BuildReport) => string;
  readonly align: 'left' | 'right';
  /** Left out where no build has anything in it. */
  readonly count?: (report: BuildReport) => number;
  readonly style?: Style;
}

/** A column is left out before less than this is left of a builder's name. */
const NAME_WIDTH = 12;

const STATUS_STYLES: Readonly<Record<BuildStatus, Style>> = {
  succeeded: 'green',
  failed: 'red',
  cancelled: 'yellow',
  skipped: 'yellow',
};
const STAGES = { get: 'Get', process: 'Process Items', update: 'Update Targets' } as const;

const COLUMNS: readonly Column[] = [
  { heading: 'builder', cell: ({ builder }) => builder, align: 'left' },
  { heading: 'status', cell: ({ status }) => status, align: 'left', dropped: 6 },
  { heading: 'built', cell: ({ succeeded }) => String(succeeded), align: 'right' },
  { ...counted('failed', ({ failed }) => failed), style: 'red' },
  { ...counted('skipped', ({ skipped }) => skipped), dropped: 3 },
  { ...counted('refused', ({ invalid }) => invalid), dropped: 5, style: 'red' },
  { heading: 'time', cell: timeOf, align: 'right', dropped: 4 },
  { heading: 'items/s', cell: rateOf, align: 'right', dropped: 2 },
  {
    ...{ heading: 'slowest stage', cell: slowestStageOf, align: 'left', dropped: 1 },
    // A manager does not know it.
    count: ({ stageMs }) => Math.max(stageMs.get, stageMs.process, stageMs.update),
  },
];

/**
 * Writes what came of each build as a table that fits a terminal: columns are left out, and then names are cut, until it
 * does.
 *
 * @returns Whole lines.
 */
export function summaryTable(
  reports: readonly BuildReport[],
  { columns: width, colour }: SummaryTableStyle,
): string {
  const filled = COLUMNS.filter(({ count }) => count === undefined || reports.some(count));
  const rows = (columns: readonly Column[]) => rowsOf(columns, reports);
  const columns = fittingColumns(filled, rows, { width, nameWidth: NAME_WIDTH });
  return formatTable(rows(columns), {
    columns: width,
    align: columns.map(({ align }) => align),
    paint: (cell, row, column) => {
      const report = reports[row - 1];
      if (report === undefined) return colour('dim', cell);
      const style = styleOf(columns[column], report);
      return style === undefined ? cell : colour(style, cell);
    },
  });
}

function rowsOf(columns: readonly Column[], reports: readonly BuildReport[]): string[][] {
  return [
    columns.map(({ heading }) => heading),
    ...reports.map((report) => columns.map(({ cell }) => cell(report))),
  ];
}

function styleOf(column: Column | undefined, report: BuildReport): Style | undefined {
  if (column?.heading === 'status') return STATUS_STYLES[report.status];
  return column?.count?.(report) ? column.style : undefined;
}

function counted(heading: string, count: (report: BuildReport) => number): Column {
  return { heading, cell: (report) => String(count(report)), align: 'right', count };
}

function timeOf(report: BuildReport): string {
  return wasStarted(report) ? formatDuration(report.durationMs) : '';
}

function rateOf({ processed, durationMs }: BuildReport): string {
  return processed > 0 && durationMs > 0 ? formatRate((processed * 1000) / durationMs) : '';
}

function slowestStageOf({ stageMs, processed }: BuildReport): string {
  if (processed === 0) return '';
  const stages = ['get', 'process', 'update'] as const;
  return STAGES[stages.reduce((a, b) => (stageMs[b] > stageMs[a] ? b : a))];
}

/** Tells whether a build was more than announced. */
export function wasStarted({ status, total, processed }: BuildReport): boolean {
  return status === 'succeeded' || status === 'failed' || total !== null || processed > 0;
}
