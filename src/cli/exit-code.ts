import type { BuildReport } from '../builder/build-report.js';

/** What `mrun` tells its caller. */
export const ExitCode = {
  /** All items were built. */
  Ok: 0,
  /** A build could not go on, or could not start: a store does not answer. */
  BuildFailed: 1,
  /** Something was wrong before any store was opened: options, files, classes, arguments. */
  Usage: 2,
  /** The builds finished, but items failed or were refused. */
  ItemsFailed: 3,
  Interrupted: 130,
  Terminated: 143,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The signals that stop a run. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

// The first that applies to a run is what the run exits with.
const PRECEDENCE: readonly ExitCode[] = [
  ExitCode.Interrupted,
  ExitCode.Terminated,
  ExitCode.Usage,
  ExitCode.BuildFailed,
  ExitCode.ItemsFailed,
];

/** The code that a process ended by the signal has. */
export function exitCodeOfSignal(signal: StopSignal): ExitCode {
  return signal === 'SIGINT' ? ExitCode.Interrupted : ExitCode.Terminated;
}

/**
 * The code of a whole run.
 *
 * @param reports - One for each builder.
 * @param signal - The signal that stopped the run. One that came when everything was built anyway does not count.
 */
export function exitCodeOf(reports: readonly BuildReport[], signal?: StopSignal): ExitCode {
  const codes = new Set(reports.map((report) => exitCodeOfReport(report, signal)));
  return PRECEDENCE.find((code) => codes.has(code)) ?? ExitCode.Ok;
}

function exitCodeOfReport(report: BuildReport, signal: StopSignal | undefined): ExitCode {
  if (report.status !== 'succeeded')
    return signal === undefined ? ExitCode.BuildFailed : exitCodeOfSignal(signal);
  return report.failed + report.invalid > 0 ? ExitCode.ItemsFailed : ExitCode.Ok;
}
