import { BuildAbortedError, BuildFailedError } from '../builder/build-errors.js';
import type { BuildEvents } from '../builder/build-events.js';
import type { BuildReport, BuildStatus } from '../builder/build-report.js';
import type { AnyBuilder, Builder, BuildRunner } from '../builder/builder.js';
import { BuilderBusyError } from '../errors/builder-errors.js';
import { NestedRunError } from '../errors/processor-errors.js';
import type { Store } from '../store/store.js';
import { assertBoolean } from '../util/assert-option.js';
import { workerState } from '../util/inside-worker.js';
import type { Logger } from '../util/logger.js';
import { createLogger } from '../util/logger.js';
import { BuildMonitor } from './build-monitor.js';
import { BuildRun } from './build-run.js';
import type { Executor } from './executor.js';
import { GuardedEmitter } from './guarded-emitter.js';
import { PipelineWork } from './pipeline-work.js';
import type { ProcessorOptions, ResolvedProcessorOptions } from './processor-options.js';
import { resolveProcessorOptions } from './processor-options.js';
import { observed } from './telemetry.js';

/** Options of {@link Processor.runAll}. */
export interface RunAllOptions extends RunOptions {
  /**
   * Runs builders that share no store at the same time.
   * @defaultValue `false`
   */
  readonly parallel?: boolean | undefined;
}

/** Options of a run. */
export interface RunOptions {
  /** Stops the run at once when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** One build, from its start to its end. */
export interface Run {
  /** @throws {@link BuildFailedError} or {@link BuildAbortedError}, with the report. */
  execute(): Promise<BuildReport>;
  /** Finishes what is in flight and ends as cancelled. */
  stop(): void;
}

/** What the builds of one call of `runAll` share. */
interface Sequence {
  stopped: boolean;
  /** Collections that were not brought up to date. */
  readonly spoilt: Set<string>;
  readonly signal: AbortSignal | undefined;
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
  /** @internal */
  protected readonly processorOptions: ResolvedProcessorOptions;
  /** Where it says what it does, under the name of its class. */
  protected readonly logger: Logger = createLogger(this.constructor.name);
  readonly #runs = new Set<Run>();
  /** The calls of `runAll` that are under way. */
  readonly #sequences = new Set<Sequence>();

  constructor(options: ProcessorOptions = {}) {
    super();
    this.processorOptions = resolveProcessorOptions(options);
  }

  /**
   * Runs one builder.
   *
   * @returns The report: `succeeded`, though items may have failed, or `cancelled` after {@link stop}.
   * @throws {@link BuildFailedError} when a store or `finalize` failed or too many items did, {@link BuildAbortedError} when
   * the signal fired; both carry the report. {@link BuilderBusyError} when the builder is running already.
   */
  async run(builder: AnyBuilder, options: RunOptions = {}): Promise<BuildReport> {
    return this.#run(builder, options.signal);
  }

  /**
   * Runs builders one after the other, or those that share no store at the same time.
   *
   * A build that fails does not end the others, but those that read what it writes are `skipped`; after {@link stop} or
   * the signal, those that were not started are `cancelled`.
   *
   * @returns A report for each builder, in their order.
   */
  async runAll(
    builders: readonly AnyBuilder[],
    options: RunAllOptions = {},
  ): Promise<BuildReport[]> {
    const { parallel = false, signal } = options;
    assertBoolean('parallel', parallel);
    const sequence: Sequence = { stopped: false, spoilt: new Set(), signal };
    this.#sequences.add(sequence);
    const runs: Promise<BuildReport>[] = [];
    for (const builder of builders) {
      const before = runs.filter((_, j) => !parallel || shareStore(builders[j], builder));
      runs.push(Promise.all(before).then(() => this.#runNext(builder, sequence)));
    }
    try {
      return await Promise.all(runs);
    } finally {
      this.#sequences.delete(sequence);
    }
  }

  /** Takes no more items, finishes and writes what is in flight, and ends as `cancelled`. */
  stop(): void {
    for (const sequence of this.#sequences) sequence.stopped = true;
    for (const run of this.#runs) run.stop();
  }

  /** Makes the place where a builder's items are processed. */
  protected abstract createExecutor<Item, Result>(
    builder: Builder<Item, Result>,
  ): Executor<Item, Result>;

  /** @internal Makes the run of a builder. */
  protected createRun(
    builder: AnyBuilder,
    monitor: BuildMonitor,
    signal: AbortSignal | undefined,
  ): Run {
    const { logger, processorOptions } = this;
    const createWork = () =>
      new PipelineWork(builder, this.createExecutor(builder), monitor, {
        logger,
        ...processorOptions,
      });
    return new BuildRun(builder, monitor, {
      ...{ createWork, logger, signal },
      targetLease: processorOptions.targetLease,
    });
  }

  async #runNext(builder: AnyBuilder, sequence: Sequence): Promise<BuildReport> {
    const { stopped, spoilt, signal } = sequence;
    if (stopped || signal?.aborted) return this.#unrun(builder, 'cancelled');
    const missing = builder.sources.find(({ collections }) =>
      collections.some((collection) => spoilt.has(collection)),
    );
    const report =
      missing === undefined
        ? await this.#reported(builder, signal)
        : await this.#skipped(builder, missing.name);
    if (report.status !== 'succeeded')
      for (const collection of collectionsOf(builder.targets)) spoilt.add(collection);
    return report;
  }

  #skipped(builder: AnyBuilder, missing: string): Promise<BuildReport> {
    const name = builder.constructor.name;
    this.logger.warn(`${name} was skipped: ${missing}, which it reads, was not built`);
    return this.#unrun(builder, 'skipped');
  }

  /** Reports a build that is not run. */
  #unrun(builder: AnyBuilder, status: BuildStatus, cause?: unknown): Promise<BuildReport> {
    const monitor = this.#monitor(builder);
    return observed(monitor, async () => monitor.ended(status, cause));
  }

  async #reported(builder: AnyBuilder, signal: AbortSignal | undefined): Promise<BuildReport> {
    try {
      return await this.#run(builder, signal);
    } catch (error) {
      if (error instanceof BuildFailedError || error instanceof BuildAbortedError)
        return error.report;
      if (error instanceof BuilderBusyError) return this.#unrun(builder, 'failed', error);
      throw error;
    }
  }

  async #run(builder: AnyBuilder, signal: AbortSignal | undefined): Promise<BuildReport> {
    // A worker imports scripts for their classes; what else they do at the top must not happen again.
    if (workerState() === 'starting') throw new NestedRunError(builder.constructor.name);
    if (running.has(builder)) throw new BuilderBusyError(builder.constructor.name);
    const monitor = this.#monitor(builder);
    running.add(builder);
    const run = this.createRun(builder, monitor, signal);
    this.#runs.add(run);
    try {
      return await observed(monitor, () => run.execute());
    } finally {
      this.#runs.delete(run);
      running.delete(builder);
    }
  }

  #monitor(builder: AnyBuilder): BuildMonitor {
    // One that runs elsewhere goes on counting.
    if (!running.has(builder)) builder.logger.reset();
    return new BuildMonitor(builder, (event, payload) => {
      (this.emit as (name: string, payload: unknown) => boolean).call(this, event, payload);
    });
  }
}

const collectionsOf = (stores: readonly Store[]): string[] =>
  stores.flatMap((store) => store.collections);

/** Whether both read or write the same collection: what runs at once has nothing in common. */
function shareStore(a: AnyBuilder | undefined, b: AnyBuilder): boolean {
  const taken = new Set(a === undefined ? [] : collectionsOf(a.stores()));
  return collectionsOf(b.stores()).some((collection) => taken.has(collection));
}
