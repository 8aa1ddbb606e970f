import { MaggmaError } from '../errors/maggma-error.js';
import type { BuildReport } from './build-report.js';

/** A build could not go on: a store failed, `finalize` threw, or too many items failed. */
export class BuildFailedError extends MaggmaError {
  override get name() {
    return 'BuildFailedError' as const;
  }
  override get code() {
    return 'BUILD_FAILED' as const;
  }

  /** What had been done by then. */
  readonly report: BuildReport;

  constructor(report: BuildReport, cause: unknown) {
    const problem = report.error?.message ?? 'unknown reason';
    super(`${report.builder} failed: ${problem}`, { cause });
    this.report = report;
  }
}

/** A build was stopped by its signal. */
export class BuildAbortedError extends MaggmaError {
  override get name() {
    return 'BuildAbortedError' as const;
  }
  override get code() {
    return 'BUILD_ABORTED' as const;
  }

  /** What had been done by then. */
  readonly report: BuildReport;

  constructor(report: BuildReport, cause: unknown) {
    super(`${report.builder} was aborted after ${report.processed} items`, { cause });
    this.report = report;
  }
}
