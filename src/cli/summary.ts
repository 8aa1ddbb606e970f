import type { BuildReport, ItemFailure } from '../builder/build-report.js';
import { showValue } from '../errors/show-value.js';
import type { Logger } from '../util/logger.js';
import type { Colour } from './colours.js';
import type { LogFormat } from './option-table.js';
import { oneLine, printable } from './printable.js';
import { errorFields, formatError } from './report-error.js';
import { summaryTable, wasStarted } from './summary-table.js';
import { cutTo } from './text-width.js';

const SHOWN_FAILURES = 3;

/** How a summary looks, and what it can name. */
export interface SummaryStyle {
  /** The builder files of the run, for the command that lists their failures; none when they keep no record of them. */
  readonly files: readonly string[];
  /**
   * Width of the terminal.
   *
   * @defaultValue there is none: without a table, and nothing when all is well
   */
  readonly columns?: number | undefined;
  /** @defaultValue colours nothing */
  readonly colour?: Colour;
}

/**
 * What a person must know when a run is over: what failed, and what was left undone; on a terminal also what was built.
 *
 * @param reports - One for each builder.
 * @returns Whole lines.
 */
export function summarize(
  reports: readonly BuildReport[],
  { files, columns, colour = (_, text) => text }: SummaryStyle,
): string {
  const failing = reports.filter(({ failed, invalid }) => failed + invalid > 0);
  const cancelled = reports.filter(({ status }) => status === 'cancelled');
  return [
    ...(columns === undefined ? [] : [results(reports, columns, colour)]),
    ...reports.flatMap((report) => [
      ...(failing.includes(report) ? [failedItems(report, columns)] : []),
      ...(report.status === 'failed' ? [failedBuild(report, colour)] : []),
    ]),
    ...(failing.length > 0 && files.length > 0 ? [hint(files)] : []),
    ...(cancelled.length > 0 ? [interrupted(cancelled, reports.length)] : []),
  ].join('');
}

/**
 * Logs the counts of a build. Whoever reads JSON has no summary, so there they come as seriously as the build ended.
 */
export function logCounts(logger: Logger, report: BuildReport, format: LogFormat = 'text'): void {
  const { builder, buildId, status, total, processed, succeeded, failed, skipped, invalid } =
    report;
  const { errors, warnings, durationMs, stageMs } = report;
  const error = report.error === undefined ? {} : { error: errorFields(report.error) };
  const counts = { total, processed, succeeded, failed, skipped, invalid, errors, warnings };
  const level = format === 'text' ? 'info' : levelOf(report);
  const properties = { builder, buildId, status, ...counts, durationMs, stageMs, ...error };
  logger[level](countsOf(report), properties);
}

/** One line about a build, for the log: `MultiplyBuilder: 20000 succeeded, 0 failed, 0 skipped in 1.2 s`. */
export function countsOf(report: BuildReport): string {
  const { builder, succeeded, failed, skipped, invalid, durationMs } = report;
  const refused = invalid > 0 ? `, ${invalid} refused` : '';
  const seconds = (durationMs / 1000).toFixed(1);
  return `${builder}: ${succeeded} succeeded, ${failed} failed, ${skipped} skipped${refused} in ${seconds} s`;
}

function levelOf({ status, failed, invalid }: BuildReport): 'info' | 'warn' | 'error' {
  if (status === 'failed' || failed + invalid > 0) return 'error';
  return status === 'succeeded' ? 'info' : 'warn';
}

/** What was built; for a run with nothing to do, just that. */
function results(reports: readonly BuildReport[], columns: number, colour: Colour): string {
  const isIdle = reports.every(({ status, processed }) => status === 'succeeded' && !processed);
  if (!isIdle) return summaryTable(reports, { columns, colour });
  return reports.map(({ builder }) => printable(`${builder}: everything is up to date\n`)).join('');
}

function failedItems(report: BuildReport, columns: number | undefined): string {
  const { builder, failed, invalid, processed, total, failures } = report;
  const counts = [
    ...(failed > 0 ? [`${failed} of ${total ?? processed} items failed`] : []),
    ...(invalid > 0
      ? [`${invalid} of ${total ?? processed} results were refused by the target`]
      : []),
  ];
  const heading = `${builder}: ${counts.join(', ')}`;
  const shown = failures.slice(0, SHOWN_FAILURES);
  const others = failed - shown.length;
  const rest = shown.length > 0 && others > 0 ? [`and ${others} more`] : [];
  if (columns === undefined) {
    const list = shown.map((failure) => oneLine(`${keyOf(failure)} (${causeOf(failure, 80)})`));
    const items = [list.join(', '), ...rest].filter((text) => text !== '').join(' ');
    return printable(items === '' ? `${heading}\n` : `${heading}: ${items}\n`);
  }
  const list = shown.map((failure) => `${keyOf(failure)}: ${causeOf(failure)}`);
  const lines = [oneLine(heading), ...[...list, ...rest].map((line) => `  ${oneLine(line)}`)];
  return lines.map((line) => `${cutTo(line, columns)}\n`).join('');
}

const keyOf = ({ key }: ItemFailure): string => showValue(key);

const causeOf = ({ error }: ItemFailure, length?: number): string => oneLine(error.message, length);

function failedBuild({ builder, error }: BuildReport, colour: Colour): string {
  return formatError(error, { context: `${builder} failed`, colour });
}

/** Names the command that shows all of it. */
function hint(files: readonly string[]): string {
  const names = files.map((file) => (/^[\w./@:+=,-]+$/.test(file) ? file : quoted(file)));
  return oneLine(`See all failures: mrun failures ${names.join(' ')}`).concat('\n');
}

const quoted = (file: string): string => `'${file.replaceAll("'", `'\\''`)}'`;

function interrupted(cancelled: readonly BuildReport[], builders: number): string {
  const started = cancelled.filter(wasStarted);
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
