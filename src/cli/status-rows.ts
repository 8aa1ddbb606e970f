import type { RecordedBuild } from '../reporting/build-history.js';
import type { Colour, Style } from './colours.js';
import { formatDuration, formatRate } from './figures.js';
import { formatTime } from './format-log.js';
import type { Droppable } from './table.js';
import { fittingColumns, formatTable } from './table.js';

interface Column extends Droppable {
  readonly heading: string;
  readonly cell: (build: RecordedBuild) => string;
  readonly align: 'left' | 'right';
}

const STATE = 'state';

/** A column is left out before less than this is left of a builder's name. */
const NAME_WIDTH = 12;

const COLUMNS: readonly Column[] = [
  { heading: 'builder', cell: ({ builder }) => builder, align: 'left' },
  { heading: STATE, cell: stateOf, align: 'left' },
  { heading: 'done', cell: progressOf, align: 'right', dropped: 7 },
  { heading: 'failed', cell: failuresOf, align: 'right', dropped: 6 },
  {
    heading: 'items/s',
    cell: ({ itemsPerSecond: rate }) => (rate ? formatRate(rate) : ''),
    align: 'right',
    dropped: 3,
  },
  {
    heading: 'time',
    cell: ({ durationMs }) => formatDuration(durationMs),
    align: 'right',
    dropped: 4,
  },
  {
    heading: 'remaining',
    cell: ({ remainingMs: ms }) => (ms === null ? '' : formatDuration(ms)),
    align: 'right',
    dropped: 5,
  },
  {
    heading: 'started',
    cell: ({ startedAt }) => formatTime(startedAt).slice(0, -',000'.length),
    align: 'left',
    dropped: 2,
  },
  {
    heading: 'machine',
    cell: ({ machine }) => (machine ?? '').slice(0, 8),
    align: 'left',
    dropped: 1,
  },
];

const STYLES: Readonly<Record<string, Style>> = {
  running: 'cyan',
  succeeded: 'green',
  failed: 'red',
  dead: 'red',
  cancelled: 'yellow',
  skipped: 'yellow',
};

/**
 * Writes builds as a table. On a narrow terminal columns are left out, and then names are cut, until it fits.
 *
 * @param width - Of the terminal; undefined when there is none.
 * @returns Whole lines.
 */
export function statusTable(
  builds: readonly RecordedBuild[],
  width: number | undefined,
  colour: Colour,
): string {
  const rowsOf = (shown: readonly Column[]) => [
    shown.map(({ heading }) => heading),
    ...builds.map((build) => shown.map(({ cell }) => cell(build))),
  ];
  const shown = fittingColumns(COLUMNS, rowsOf, {
    width: width ?? Infinity,
    nameWidth: NAME_WIDTH,
  });
  return formatTable(rowsOf(shown), {
    columns: width,
    align: shown.map(({ align }) => align),
    paint(cell, row, column) {
      if (row === 0) return colour('dim', cell);
      const style = shown[column]?.heading === STATE ? STYLES[cell.trim()] : undefined;
      return style === undefined ? cell : colour(style, cell);
    },
  });
}

/** What is known of a build, under the names that its documents have. */
export function buildFields(build: RecordedBuild): Record<string, unknown> {
  return {
    build_id: build.buildId,
    builder: build.builder,
    state: build.state,
    status: build.status,
    started_at: build.startedAt,
    ended_at: build.endedAt,
    seen_at: build.seenAt,
    duration_ms: build.durationMs,
    total: build.total,
    processed: build.processed,
    succeeded: build.succeeded,
    failed: build.failed,
    skipped: build.skipped,
    invalid: build.invalid,
    errors: build.errors,
    warnings: build.warnings,
    items_per_second: build.itemsPerSecond,
    remaining_ms: build.remainingMs,
    error: build.error,
    machine: build.machine,
    sources: build.sources,
    targets: build.targets,
  };
}

/** Of a build that ended: how. */
function stateOf({ state, status }: RecordedBuild): string {
  return status ?? state;
}

/** `120 of 400 (30%)`. */
function progressOf({ processed, total, state }: RecordedBuild): string {
  if (total === null || total === 0) return String(processed);
  const percent = state === 'ended' ? '' : ` (${Math.floor((processed / total) * 100)}%)`;
  return `${processed} of ${total}${percent}`;
}

/** What failed, and what a target refused. */
function failuresOf({ failed, invalid }: RecordedBuild): string {
  return failed === null ? '' : String(failed + (invalid ?? 0));
}
