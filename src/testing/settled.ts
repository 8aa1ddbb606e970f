import { BuildAbortedError, BuildFailedError } from '../builder/build-errors.js';
import type { BuildReport } from '../builder/build-report.js';

/** What came of a run, however it ended. */
export interface SettledRun {
  readonly report: BuildReport;
  /** What the run rejected with. */
  readonly error: BuildFailedError | BuildAbortedError | null;
}

/** Waits for a run; throws only what is no end of a build. */
export async function settled(run: Promise<BuildReport>): Promise<SettledRun> {
  try {
    return { report: await run, error: null };
  } catch (error) {
    if (error instanceof BuildFailedError || error instanceof BuildAbortedError)
      return { report: error.report, error };
    throw error;
  }
}
