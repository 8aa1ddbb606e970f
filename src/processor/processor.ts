import { BuildAbortedError, BuildFailedError } from '../builder/build-errors.js';
import type { BuildEvents } from '../builder/build-events.js';
import type { BuildReport } from '../builder/build-report.js';
import type { AnyBuilder, Builder, BuildRunner } from '../builder/builder.js';
import { BuilderBusyError } from '../errors/builder-errors.js';
import type { Logger } from '../util/logger.js';
import { createLogger } from '../util/logger.js';
import { BuildMonitor } from './build-monitor.js';
import { BuildRun } from './build-run.js';
import type { Executor } from './executor.js';
import { GuardedEmitter } from './guarded-emitter.js';
import type { ProcessorOptions } from './processor-options.js';
import { resolveProcessorOptions } from './processor-options.js';

/** Options of a run. */
export interface RunOptions {
  /** Stops the run at once when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** Builders that are running, in any processor of this process. */
const running = new WeakSet<AnyBuilder>();

/**
 * How builders are run, and who is told of it. An emitter of {@link BuildEvents}; a listener that throws never breaks a
 * run.
 *
 * A run always ends: with `BUILD_ENDED` once, the builder finalized, and the stores closed that the run opened.
 */
export abstract class Processor extends GuardedEmitter<BuildEvents> implements BuildRunner {
  readonly #maxFailures: number;
  readonly #logger: Logger = createLogger(this.constructor.name);
  readonly #runs = new Set<BuildRun>();
  #stopped = false;

  constructor(options: ProcessorOptions = {}) {
    super();
    this.#maxFailures = resolveProcessorOptions(options).maxFailures;
  }

  /**
   * Runs one builder.
   *
   * @returns The report: `succeeded`, though items may have failed, or `cancelled` after {@link stop}.
   * @throws {@link BuildFailedError} when a store or `finalize` failed or too many items did, {@link BuildAbortedError} when
   * the signal fired; both carry the report. {@link BuilderBusyError} when the builder is running already.
   */
  async run(builder: AnyBuilder, options: RunOptions = {}): Promise<BuildReport> {
    this.#stopped = false;
    return this.#run(builder, options.signal);
  }

  /**
   * Runs builders one after the other.
   *
   * A build that fails does not end the others, but those that read what it writes are `skipped`; after {@link stop} or
   * the signal, those that were not started are `cancelled`.
   *
   * @returns A report for each builder, in their order.
   */
  async runAll(builders: readonly AnyBuilder[], options: RunOptions = {}): Promise<BuildReport[]> {
    this.#stopped = false;
    const spoilt = new Set<string>();
    const reports: BuildReport[] = [];
    for (const builder of builders) {
      const report = await this.#runNext(builder, spoilt, options.signal);
      reports.push(report);
      if (report.status !== 'succeeded')
        for (const target of builder.targets) spoilt.add(target.identity);
    }
    return reports;
  }

  /** Takes no more items, finishes and writes what is in flight, and ends as `cancelled`. */
  stop(): void {
    this.#stopped = true;
    for (const run of this.#runs) run.stop();
  }

  /** Makes the place where a builder's items are processed. */
  protected abstract createExecutor<Item, Result>(
    builder: Builder<Item, Result>,
  ): Executor<Item, Result>;

  async #runNext(
    builder: AnyBuilder,
    spoilt: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ): Promise<BuildReport> {
    if (this.#stopped || signal?.aborted) return this.#monitor(builder).ended('cancelled');
    const missing = builder.sources.find((source) => spoilt.has(source.identity));
    if (missing !== undefined) {
      const name = builder.constructor.name;
      this.#logger.warn(`${name} was skipped: ${missing.name}, which it reads, was not built`);
      return this.#monitor(builder).ended('skipped');
    }
    try {
      return await this.#run(builder, signal);
    } catch (error) {
      if (error instanceof BuildFailedError || error instanceof BuildAbortedError)
        return error.report;
      throw error;
    }
  }

  async #run(builder: AnyBuilder, signal: AbortSignal | undefined): Promise<BuildReport> {
    if (running.has(builder)) throw new BuilderBusyError(builder.constructor.name);
    running.add(builder);
    const run = new BuildRun(builder, this.#monitor(builder), {
      createExecutor: () => this.createExecutor(builder),
      logger: this.#logger,
      maxFailures: this.#maxFailures,
      signal,
    });
    this.#runs.add(run);
    try {
      return await run.execute();
    } finally {
      this.#runs.delete(run);
      running.delete(builder);
    }
  }

  #monitor(builder: AnyBuilder): BuildMonitor {
    builder.logger.reset();
    return new BuildMonitor(builder, (event, payload) => {
      (this.emit as (name: string, payload: unknown) => boolean).call(this, event, payload);
    });
  }
}
