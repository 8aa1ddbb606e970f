import type { BuildReport } from '../../builder/build-report.js';
import type { AnyBuilder } from '../../builder/builder.js';
import { ManagerBusyError } from '../../errors/distributed-errors.js';
import { InvalidOptionError } from '../../errors/option-errors.js';
import { UnsupportedOperationError } from '../../errors/store-errors.js';
import { createLogger } from '../../util/logger.js';
import type { BuildMonitor } from '../build-monitor.js';
import { BuildRun } from '../build-run.js';
import type { Run, RunAllOptions, RunOptions } from '../processor.js';
import { Processor } from '../processor.js';
import { OWN_VERSION } from './code-versions.js';
import type { DistributedProcessorOptions, ResolvedManagerOptions } from './distributed-options.js';
import { resolveManagerOptions } from './distributed-options.js';
import type { ChunkEvent, ManagerSession, RunState } from './engine.js';
import { engineOf } from './engines.js';
import { Sealer } from './seal.js';
import { findSecret } from './secret-file.js';
import { digestOfRun, writeHeader } from './stage-header.js';
import { CancelledStage, FinishedStage, StageProgress, StageRun } from './stage-run.js';
import type { RunSetup, Stage } from './stage-work.js';
import { StageWork } from './stage-work.js';

/** Who is at work on what, as far as was heard. */
export interface ClusterState {
  /** Where workers find the manager. */
  readonly address: string;
  readonly workers: number;
  /** How many chunks they can build at the same time. */
  readonly slots: number;
  /** Of the builder whose turn it is; null while that is not planned. */
  readonly chunks: number | null;
  /** How many of these are done since this manager began. */
  readonly done: number;
}

/** A run that is under way. */
interface CurrentRun {
  readonly setup: RunSetup;
  readonly state: RunState;
  readonly headers: readonly string[];
  /** The builders whose turn has not come yet. */
  readonly waiting: (AnyBuilder | undefined)[];
  /** What works on the stage whose turn it is. */
  work: StageWork | undefined;
  /** With how many slots each. */
  readonly workers: Map<string, number>;
}

/**
 * Has builders built by {@link DistributedWorker}s on any number of machines: it cuts their work into chunks
 * (`prechunk`), hands these out, and finalizes.
 *
 * Each chunk is built at least once: one whose worker dies, or is not heard of for a lease, is built by another one. One
 * that fails too often is given up: it is reported as a failure with the key `chunk N`, the others are built all the same,
 * and `finalize` is told that the build failed, so that no orphan is deleted. When the manager itself dies, one that is
 * started again with the same builders goes on where it was.
 *
 * The builders of one call are worked on one after the other, and the workers stay for all of them. Their stores must be
 * reachable by all workers. `maxFailures` counts what failed in all chunks together, also in those that are not done yet;
 * `ITEM_FAILED` comes when a chunk is done.
 *
 * @example
 * ```ts
 * const processor = new DistributedProcessor({ url: 'tcp://127.0.0.1:5555', numChunks: 50 });
 * const report = await processor.run(builder);
 * ```
 */
export class DistributedProcessor extends Processor {
  readonly #options: ResolvedManagerOptions;
  #isBusy = false;
  #stopping = new AbortController();
  #current: CurrentRun | undefined;

  /** @throws {@link InvalidOptionError} for an option that is out of bounds. */
  constructor(options: DistributedProcessorOptions) {
    super(options);
    this.#options = resolveManagerOptions(options);
  }

  /** What the run under way consists of, for displays; null without one. */
  get cluster(): ClusterState | null {
    if (this.#current === undefined) return null;
    const { setup, work, workers } = this.#current;
    const slots = [...workers.values()].reduce((sum, each) => sum + each, 0);
    const { chunks = null, done = 0 } = work ?? {};
    return { address: setup.session.address, workers: workers.size, slots, chunks, done };
  }

  /**
   * Runs one builder.
   *
   * @throws {@link InvalidBuilderError} before anything is opened, for a builder that cannot be built in chunks;
   * {@link SecretError} when there is no secret that can be used; else as {@link Processor.run}.
   */
  override run(builder: AnyBuilder, options: RunOptions = {}): Promise<BuildReport> {
    return this.#alone([builder], () => super.run(builder, options));
  }

  /**
   * Runs builders one after the other.
   *
   * @throws {@link InvalidBuilderError} before anything is opened, for a builder that cannot be built in chunks;
   * {@link SecretError} when there is no secret that can be used.
   */
  override runAll(
    builders: readonly AnyBuilder[],
    options: RunAllOptions = {},
  ): Promise<BuildReport[]> {
    if (options.parallel)
      throw new InvalidOptionError('parallel', 'false for a distributed run', options.parallel);
    return this.#alone(builders, () => super.runAll(builders, options));
  }

  /** Ends the run as `cancelled`; what workers have in flight is given up, and planned again by the next run. */
  override stop(): void {
    this.#stopping.abort();
    super.stop();
  }

  /** Items are processed where the workers are. */
  protected override createExecutor(): never {
    throw new UnsupportedOperationError(this.constructor.name, 'process items itself');
  }

  /** @internal */
  protected override createRun(
    builder: AnyBuilder,
    monitor: BuildMonitor,
    signal: AbortSignal | undefined,
  ): Run {
    const { logger } = this;
    const current = this.#current;
    if (current === undefined) return new CancelledStage(monitor);
    const { state, setup, waiting } = current;
    // The same builder may come more than once.
    const index = waiting.indexOf(builder);
    waiting[index] = undefined;
    const note = state.notes[index];
    if (note) return new FinishedStage(note, monitor);
    const stage: Stage = {
      index,
      header: current.headers[index] ?? '',
      planned: index === state.stage ? state.header : undefined,
    };
    const createWork = () => {
      current.work = new StageWork(builder, monitor, stage, setup);
      return current.work;
    };
    const run = new BuildRun(builder, monitor, {
      ...{ createWork, logger, signal },
      targetLease: this.processorOptions.targetLease,
      run: state.run,
    });
    return new StageRun(run, index, setup.stages);
  }

  async #alone<T>(builders: readonly AnyBuilder[], running: () => Promise<T>): Promise<T> {
    if (this.#isBusy) throw new ManagerBusyError();
    this.#isBusy = true;
    this.#stopping = new AbortController();
    try {
      return await this.#with(builders, running);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Does something while workers are served. */
  async #with<T>(builders: readonly AnyBuilder[], running: () => Promise<T>): Promise<T> {
    const { url, secretFile, leaseMs, stateFolder, numChunks } = this.#options;
    const { itemRetries, chunkTimeoutMs } = this.#options;
    const headers = builders.map((builder) => writeHeader(builder, itemRetries, chunkTimeoutMs));
    const secret = findSecret(url, secretFile);
    const { logger } = this;
    const engine = await engineOf(url);
    await using session = await engine.manager({ url, secret, leaseMs, logger, stateFolder });
    const names = builders.map((builder) => builder.constructor.name);
    const description = {
      name: names.join(', '),
      builders: names,
      digest: digestOfRun(builders, numChunks, secret),
    };
    const { signal: stopped } = this.#stopping;
    let state: RunState;
    try {
      state = await session.begin(description, stopped);
    } catch (error) {
      if (!stopped.aborted) throw error;
      // Its turn did not come.
      return await this.#cancelled(running);
    }
    if (state.stage > 0 || state.planned)
      logger.info(
        `Goes on with a run that was left at builder ${state.stage + 1} of ${names.length}`,
      );
    else if (this.#options.retryDead)
      logger.info('No run was interrupted: what chunks that were given up left is planned anew');
    const { maxFailures } = this.processorOptions;
    const stages = new StageProgress(session, state.stage, logger);
    const setup = {
      ...{ session, stages, run: state.run, sealer: new Sealer(secret), maxFailures, logger },
      ...this.#options,
    };
    const current: CurrentRun = {
      ...{ setup, state, headers, waiting: [...builders], work: undefined },
      workers: new Map(),
    };
    this.#current = current;
    void this.#listen(session, current);
    try {
      // It may have been told so before there was anything to stop.
      return await (stopped.aborted ? this.#cancelled(running) : running());
    } finally {
      this.#current = undefined;
      await this.#end(session);
    }
  }

  #cancelled<T>(running: () => Promise<T>): Promise<T> {
    const came = running();
    super.stop();
    return came;
  }

  async #end(session: ManagerSession): Promise<void> {
    try {
      await session.end();
    } catch (error) {
      // What was built is built.
      this.logger.error(`The run could not be ended for its workers: ${String(error)}`);
    }
  }

  async #listen(session: ManagerSession, current: CurrentRun): Promise<void> {
    try {
      for await (const event of session.events()) this.#hear(event, current);
    } catch (error) {
      // Nothing is decided by events.
      this.logger.warn(`Nothing more is heard of workers: ${String(error)}`);
    }
  }

  #hear(event: ChunkEvent, { work, workers }: CurrentRun): void {
    const { logger } = this;
    switch (event.type) {
      case 'WORKER_JOINED':
        workers.set(event.worker, event.slots);
        logger.info(`${event.worker} joined, with ${event.slots} slots`);
        if (event.version !== OWN_VERSION)
          logger.warn(`${event.worker} has ${event.version}, this manager ${OWN_VERSION}`);
        break;
      case 'WORKER_LEFT':
        workers.delete(event.worker);
        logger.info(`${event.worker} left`);
        break;
      case 'WORKER_LOST':
        workers.delete(event.worker);
        logger.warn(`${event.worker} was lost`);
        break;
      case 'WORKER_LOG':
        logOf(event);
        break;
      default:
        work?.hear(event);
    }
  }
}

/** Says here what a worker said. */
function logOf({
  logger: name,
  level,
  message,
  worker,
}: ChunkEvent & { type: 'WORKER_LOG' }): void {
  const logger = createLogger(name);
  const text = `${message} (${worker})`;
  if (level === 'warning') logger.warn(text);
  else logger.error(text);
}
