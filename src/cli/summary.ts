import type { BuildReport } from '../builder/build-report.js';
import { showValue } from '../errors/show-value.js';
import { oneLine, printable } from './printable.js';
import { formatError } from './report-error.js';

const SHOWN_FAILURES = 3;

/**
 * What a person must know when a run is over: what failed, and what was left undone. Nothing when all is well.
 *
 * @param reports - One for each builder.
 * @returns Whole lines.
 */
export function summarize(reports: readonly BuildReport[]): string {
  const lines = reports.flatMap((report) => [
    ...(report.failed + report.invalid > 0 ? [failedItems(report)] : []),
    ...(report.status === 'failed' ? [formatError(report.error, `${report.builder} failed`)] : []),
  ]);
  const cancelled = reports.filter((report) => report.status === 'cancelled');
  return [...lines, ...(cancelled.length > 0 ? [interrupted(cancelled, reports.length)] : [])].join(
    '',
  );
}

/** One line about a build, for the log: `MultiplyBuilder: 20000 succeeded, 0 failed, 0 skipped in 1.2 s`. */
export function countsOf(report: BuildReport): string {
  const { builder, succeeded, failed, skipped, invalid, durationMs } = report;
  const refused = invalid > 0 ? `, ${invalid} refused` : '';
  const seconds = (durationMs / 1000).toFixed(1);
  return `${builder}: ${succeeded} succeeded, ${failed} failed, ${skipped} skipped${refused} in ${seconds} s`;
}

function failedItems({
  builder,
  failed,
  invalid,
  processed,
  total,
  failures,
}: BuildReport): string {
  const counts = [
    ...(failed > 0 ? [`${failed} of ${total ?? processed} items failed`] : []),
    ...(invalid > 0
      ? [`${invalid} of ${total ?? processed} results were refused by the target`]
      : []),
  ];
  const shown = failures
    .slice(0, SHOWN_FAILURES)
    .map(({ key, error }) => oneLine(`${showValue(key)} (${oneLine(error.message, 80)})`));
  const others = failed - shown.length;
  const list = shown.length > 0 ? `: ${shown.join(', ')}` : '';
  const rest = shown.length > 0 && others > 0 ? ` and ${others} more` : '';
  return printable(`${builder}: ${counts.join(', ')}${list}${rest}\n`);
}

function interrupted(cancelled: readonly BuildReport[], builders: number): string {
  const started = cancelled.filter(({ total, processed }) => total !== null || processed > 0);
  const parts = started.map(({ builder, succeeded, total }) => {
    const items = total === null ? `${succeeded} items` : `${succeeded} of ${total} items`;
    return `${items}${builders > 1 ? ` of ${builder}` : ''} were built`;
  });
  const waiting = cancelled.length - started.length;
  if (waiting > 0)
    parts.push(
      waiting === 1 ? '1 builder was not started' : `${waiting} builders were not started`,
    );
  return `Interrupted: ${parts.join(', ')}; run it again to build the rest\n`;
}
