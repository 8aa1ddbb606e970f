import type { FailureCause, ItemFailure } from '../../builder/build-report.js';
import type { AnyBuilder } from '../../builder/builder.js';
import { TooManyFailuresError } from '../../errors/builder-errors.js';
import { NoWorkersError } from '../../errors/distributed-errors.js';
import { dumps } from '../../msonable/dump.js';
import type { Logger } from '../../util/logger.js';
import { nextTurn } from '../../util/turn.js';
import type { BuildMonitor } from '../build-monitor.js';
import type { BuildWork } from '../build-work.js';
import { AbsenceWatch } from './absence-watch.js';
import { failuresOf } from './chunk-result.js';
import { ChunkTally } from './chunk-tally.js';
import type {
  ChunkEvent,
  DeadChunk,
  ManagerSession,
  RetryPolicy,
  Sealed,
  StageOutcome,
} from './engine.js';
import type { Sealer } from './seal.js';
import { HEADER } from './seal.js';
import { readPlanSize, withPlanSize } from './stage-header.js';
import type { StageProgress } from './stage-run.js';

/** How often the log says how it goes. */
const REPORT_MS = 10_000;

/** What chunks are given up for; else they failed. */
const CAUSES: Readonly<Record<string, FailureCause>> = {
  WORKER_LOST: 'worker-lost',
  CHUNK_STALLED: 'timeout',
};

/** What the stages of a run have in common. */
export interface RunSetup {
  readonly session: ManagerSession;
  readonly stages: StageProgress;
  readonly run: string;
  readonly sealer: Sealer;
  readonly numChunks: number;
  readonly policy: RetryPolicy;
  readonly workerTimeoutMs: number;
  readonly retryDead: boolean;
  readonly maxFailures: number;
  readonly logger: Logger;
}

/** One builder of a run, and where its stage stands. */
export interface Stage {
  readonly index: number;
  /** For the workers. */
  readonly header: string;
  /** That of the plan which an earlier manager made durable. */
  readonly planned: Sealed | undefined;
}

/** Work that is cut into chunks and done by workers. */
export class StageWork implements BuildWork {
  /** How many chunks there are; null while there is no plan. */
  chunks: number | null = null;
  readonly #builder: AnyBuilder;
  readonly #monitor: BuildMonitor;
  readonly #stage: Stage;
  readonly #setup: RunSetup;
  readonly #ending = new AbortController();
  readonly #tally = new ChunkTally();
  /** The failures that were announced. */
  readonly #told = new Set<string>();
  #telling: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #dead: readonly DeadChunk[] = [];
  #startedAt = 0;
  #reportedAt = 0;
  /** What is heard now comes too late: all is counted. */
  #isOver = false;

  constructor(builder: AnyBuilder, monitor: BuildMonitor, stage: Stage, setup: RunSetup) {
    this.#builder = builder;
    this.#monitor = monitor;
    this.#stage = stage;
    this.#setup = setup;
  }

  /** How many chunks are done, as far as was heard. */
  get done(): number {
    return this.#tally.done;
  }

  get isComplete(): boolean {
    return this.#dead.length === 0;
  }

  async run(): Promise<void> {
    const { index, planned } = this.#stage;
    await this.#setup.stages.reach(index);
    if (planned === undefined) await this.#plan();
    else await this.#goOn(planned);
    this.#monitor.started(this.#builder.total);
    const settled = await this.#settle();
    // What happened before is heard before.
    await nextTurn();
    this.#isOver = true;
    // What is known of chunks that were not waited for.
    const outcome = settled ?? { completed: this.done, dead: [], result: this.#tally.known };
    await this.#count(outcome);
    if (this.#failure) throw this.#failure.error;
  }

  /** Stops waiting: workers are told that the run is over when it ends. */
  halt(): void {
    this.#ending.abort();
  }

  async abandon(): Promise<void> {
    this.halt();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.halt();
  }

  /** Hears what happens to the chunks of this stage. */
  hear(event: ChunkEvent): void {
    const { logger } = this.#setup;
    if (this.#isOver || ('stage' in event && event.stage !== this.#stage.index)) return;
    switch (event.type) {
      case 'CHUNK_PROGRESS':
        this.#tally.advance(event.index, event.progress);
        this.#monitor.reached(this.#tally.reached);
        this.#judge(this.#tally.failed, event.progress.failures);
        break;
      case 'CHUNK_UPDATE':
        this.#monitor.updating(event.items);
        break;
      case 'CHUNK_DONE':
        if (!this.#tally.complete(event.index, event.result)) break;
        this.#monitor.reached(this.#tally.reached);
        this.#tell(event.result.failures);
        this.#judge(this.#tally.failed, event.result.failures);
        break;
      case 'CHUNK_RETRY':
        this.#tally.begunAgain(event.index);
        logger.warn(`${this.#nameOf(event.index)} is tried again: ${event.error.message}`);
        break;
      case 'CHUNK_LOST':
        this.#tally.begunAgain(event.index);
        logger.warn(`${this.#nameOf(event.index)} is tried again: ${event.worker} was lost`);
        break;
      case 'CHUNK_DEAD':
        this.#tally.begunAgain(event.index);
        logger.error(`${this.#nameOf(event.index)} is given up: ${event.error.message}`);
        break;
    }
  }

  async #plan(): Promise<void> {
    const { session, run, sealer, numChunks, policy, logger } = this.#setup;
    const stage = this.#stage.index;
    const name = this.#builder.constructor.name;
    const chunks: Sealed[] = [];
    this.#builder.total = null;
    for await (const change of this.#builder.prechunk(numChunks)) {
      if (this.#ending.signal.aborted) return;
      chunks.push(sealer.seal(dumps(change), { run, stage, index: chunks.length }));
    }
    const { total } = this.#builder;
    const header = withPlanSize(this.#stage.header, { total, chunks: chunks.length });
    const place = { run, stage, index: HEADER };
    await session.submit(stage, { header: sealer.seal(header, place), chunks }, policy);
    this.chunks = chunks.length;
    logger.info(
      `${name}: ${total ?? 'an unknown number of'} items in ${chunks.length} chunks, for workers at ${session.address}`,
    );
  }

  async #goOn(header: Sealed): Promise<void> {
    const { session, run, sealer, retryDead, logger } = this.#setup;
    const stage = this.#stage.index;
    const { total, chunks } = readPlanSize(sealer.open(header, { run, stage, index: HEADER }));
    this.#builder.total = total;
    this.chunks = chunks;
    logger.info(
      `${this.#builder.constructor.name}: goes on with the plan of an earlier manager, ${chunks} chunks`,
    );
    if (retryDead) await session.revive(stage);
  }

  /** Waits until all chunks are done or dead; undefined when told to end before. */
  async #settle(): Promise<StageOutcome | undefined> {
    const { signal } = this.#ending;
    if (signal.aborted) return undefined;
    const { session, workerTimeoutMs, logger } = this.#setup;
    this.#startedAt = this.#reportedAt = performance.now();
    const { address } = session;
    const watch = new AbsenceWatch({
      isThere: async () => {
        const workers = await session.workers();
        this.#report(workers);
        return workers.count > 0;
      },
      timeoutMs: workerTimeoutMs,
      advice: (minutes) =>
        `No worker was there for ${minutes} min: start some with \`mrun --url ${address} -n N\``,
      giveUp: () => this.#fail(new NoWorkersError(address, workerTimeoutMs)),
      logger,
    });
    try {
      return await session.settle(this.#stage.index, signal);
    } catch (error) {
      // What it says when it is told to end is its own affair.
      if (!signal.aborted) throw error;
      return undefined;
    } finally {
      watch.stop();
    }
  }

  /** Counts the truth, which the engine remembers, whatever was heard of it. */
  async #count({ dead, result }: StageOutcome): Promise<void> {
    this.#dead = dead;
    const { errors, invalid, warnings } = result;
    this.#builder.logger.count({
      errors: errors - result.failed,
      warnings: warnings - invalid,
    });
    const failed = result.failed + dead.length;
    this.#monitor.built({ ...result, failed, processed: result.processed + dead.length });
    this.#tell(result.failures);
    await this.#telling;
    for (const { index, attempts, losses, error } of dead) {
      const cause = CAUSES[error.code ?? ''] ?? 'error';
      const key = `chunk ${index}`;
      this.#monitor.itemFailed({ key, cause, attempts: attempts + losses, durationMs: 0, error });
    }
    this.#judge(failed, result.failures);
  }

  /** Announces failures, those alone that were not announced before. */
  #tell(failures: readonly ItemFailure[]): void {
    const fresh = failures.filter((failure) => !this.#told.has(nameOf(failure)));
    for (const failure of fresh) this.#told.add(nameOf(failure));
    this.#telling = this.#telling
      .then(async () => {
        for (const failure of await failuresOf(fresh)) this.#monitor.itemFailed(failure);
      })
      .catch((error: unknown) => this.#fail(error));
  }

  /** Ends the build when more items failed than is tolerated. */
  #judge(failed: number, failures: readonly ItemFailure[]): void {
    const { maxFailures } = this.#setup;
    if (failed <= maxFailures) return;
    const last = failures.at(-1) ?? this.#tally.known.failures.at(-1);
    this.#fail(new TooManyFailuresError(maxFailures, last?.key, last?.error.message ?? 'unknown'));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.halt();
  }

  #nameOf(index: number): string {
    return `Chunk ${index} of ${this.#builder.constructor.name}`;
  }

  /** Says from time to time how it goes. */
  #report(workers: { readonly count: number; readonly slots: number }): void {
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    const { processed } = this.#tally.reached;
    const { total } = this.#builder;
    const rate = processed / ((now - this.#startedAt) / 1000);
    this.#setup.logger.info(
      `${this.#builder.constructor.name}: ${this.done} of ${this.chunks ?? 'the'} chunks done, ${workers.count} workers with ${workers.slots} slots, ${processed}${total === null ? '' : ` of ${total}`} items, ${rate.toFixed(0)}/s`,
    );
  }
}

/** Tells failures apart: those of one item are told once, whatever is heard how often. */
const nameOf = ({ key, durationMs }: ItemFailure): string =>
  JSON.stringify(key === undefined || key === null ? [durationMs] : key);
