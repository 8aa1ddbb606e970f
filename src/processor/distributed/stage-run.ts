import { BuildFailedError } from '../../builder/build-errors.js';
import type { BuildReport, BuildStatus } from '../../builder/build-report.js';
import type { PortableError } from '../../errors/error-transfer.js';
import type { Logger } from '../../util/logger.js';
import type { BuildMonitor } from '../build-monitor.js';
import type { Run } from '../processor.js';
import { failuresOf, resultOf } from './chunk-result.js';
import type { ChunkResult, ManagerSession } from './engine.js';

/** What is remembered of a stage that is over, for a manager that takes over the run. */
interface StageNote {
  readonly status: BuildStatus;
  readonly total: number | null;
  readonly result: ChunkResult;
  readonly error?: PortableError;
}

/** Which stages of a run are over. */
export class StageProgress {
  readonly #session: ManagerSession;
  readonly #logger: Logger;
  #finished: number;

  /** @param finished - How many were finished by an earlier manager. */
  constructor(session: ManagerSession, finished: number, logger: Logger) {
    this.#session = session;
    this.#finished = finished;
    this.#logger = logger;
  }

  /** All stages before this one are over; those that were skipped left nothing to remember. */
  async reach(stage: number): Promise<void> {
    while (this.#finished < stage) await this.#session.finish(this.#finished++, '');
  }

  /** A stage is over. */
  async finish(stage: number, report: BuildReport): Promise<void> {
    const { status, total, error } = report;
    const note: StageNote = { status, total, result: resultOf(report), ...(error && { error }) };
    try {
      await this.reach(stage);
      await this.#session.finish(stage, JSON.stringify(note));
      this.#finished = stage + 1;
    } catch (error) {
      // What was built is built; a manager that takes over would look at it once more.
      this.#logger.error(`${report.builder}: its end could not be recorded: ${String(error)}`);
    }
  }
}

/** The run of a builder whose turn did not come. */
export class CancelledStage implements Run {
  readonly #monitor: BuildMonitor;

  constructor(monitor: BuildMonitor) {
    this.#monitor = monitor;
  }

  async execute(): Promise<BuildReport> {
    return this.#monitor.ended('cancelled');
  }

  stop(): void {}
}

/** The run of a builder whose end is remembered. */
export class StageRun implements Run {
  readonly #run: Run;
  readonly #stage: number;
  readonly #progress: StageProgress;

  constructor(run: Run, stage: number, progress: StageProgress) {
    this.#run = run;
    this.#stage = stage;
    this.#progress = progress;
  }

  stop(): void {
    this.#run.stop();
  }

  async execute(): Promise<BuildReport> {
    try {
      const report = await this.#run.execute();
      if (report.status !== 'cancelled') await this.#progress.finish(this.#stage, report);
      return report;
    } catch (error) {
      if (error instanceof BuildFailedError) await this.#progress.finish(this.#stage, error.report);
      throw error;
    }
  }
}

/** A stage that an earlier manager finished: what came of it is told again. */
export class FinishedStage implements Run {
  readonly #note: string;
  readonly #monitor: BuildMonitor;

  /** @param note - As {@link StageProgress.finish} wrote it. */
  constructor(note: string, monitor: BuildMonitor) {
    this.#note = note;
    this.#monitor = monitor;
  }

  stop(): void {}

  async execute(): Promise<BuildReport> {
    const { status, total, result, error } = JSON.parse(this.#note) as StageNote;
    this.#monitor.started(total);
    this.#monitor.built(result);
    for (const failure of await failuresOf(result.failures)) this.#monitor.itemFailed(failure);
    const report = this.#monitor.ended(status, error);
    if (status === 'failed') throw new BuildFailedError(report, error);
    return report;
  }
}
