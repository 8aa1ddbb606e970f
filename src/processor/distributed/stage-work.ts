import type { AnyBuilder } from '../../builder/builder.js';
import { TooManyFailuresError } from '../../errors/builder-errors.js';
import { dumps } from '../../msonable/dump.js';
import type { Logger } from '../../util/logger.js';
import { nextTurn } from '../../util/turn.js';
import type { BuildMonitor } from '../build-monitor.js';
import type { BuildWork } from '../build-work.js';
import { addResults, failuresOf, NO_RESULT } from './chunk-result.js';
import type {
  ChunkEvent,
  ChunkProgress,
  ChunkResult,
  DeadChunk,
  ManagerSession,
  RetryPolicy,
  Sealed,
  StageOutcome,
} from './engine.js';
import type { Sealer } from './seal.js';
import { HEADER } from './seal.js';
import type { StageProgress } from './stage-run.js';
import { WorkerWatch } from './worker-watch.js';

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
  /** An earlier manager made its plan durable. */
  readonly isPlanned: boolean;
}

/** Work that is cut into chunks and done by workers. */
export class StageWork implements BuildWork {
  /** How many chunks there are; null while there is no plan, or an earlier manager made it. */
  chunks: number | null = null;
  /** How many of them are done, as far as was heard. */
  done = 0;
  readonly #builder: AnyBuilder;
  readonly #monitor: BuildMonitor;
  readonly #stage: Stage;
  readonly #setup: RunSetup;
  readonly #ending = new AbortController();
  /** How far each chunk has come, at its best. */
  readonly #progress = new Map<number, ChunkProgress>();
  readonly #reached = { fetched: 0, processed: 0, written: 0 };
  /** Of the chunks of whose end was heard. */
  #heard: ChunkResult = NO_RESULT;
  #failure: { readonly error: unknown } | undefined;
  #dead: readonly DeadChunk[] = [];
  #startedAt = 0;
  /** What is heard now comes too late: all is counted. */
  #isOver = false;

  constructor(builder: AnyBuilder, monitor: BuildMonitor, stage: Stage, setup: RunSetup) {
    this.#builder = builder;
    this.#monitor = monitor;
    this.#stage = stage;
    this.#setup = setup;
  }

  get isComplete(): boolean {
    return this.#dead.length === 0;
  }

  async run(): Promise<void> {
    const { session, stages, retryDead, logger } = this.#setup;
    const { index, isPlanned } = this.#stage;
    await stages.reach(index);
    const name = this.#builder.constructor.name;
    if (isPlanned) {
      logger.info(`${name}: goes on with the plan of an earlier manager`);
      if (retryDead) await session.revive(index);
    } else await this.#plan();
    this.#monitor.started(this.#builder.total);
    const settled = await this.#settle();
    // What happened before is heard before.
    await nextTurn();
    this.#isOver = true;
    // What is known of chunks that were not waited for.
    const outcome = settled ?? { completed: this.done, dead: [], result: this.#heard };
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
        this.#advance(event.index, event.progress);
        break;
      case 'CHUNK_UPDATE':
        this.#monitor.updating(event.items);
        break;
      case 'CHUNK_DONE': {
        const { processed } = event.result;
        const all = { fetched: processed, processed, written: processed, total: processed };
        this.#advance(event.index, all);
        this.done++;
        this.#heard = addResults(this.#heard, event.result);
        this.#judge(this.#heard);
        break;
      }
      case 'CHUNK_RETRY':
        logger.warn(`${this.#nameOf(event.index)} is tried again: ${event.error.message}`);
        break;
      case 'CHUNK_LOST':
        logger.warn(`${this.#nameOf(event.index)} is tried again: ${event.worker} was lost`);
        break;
      case 'CHUNK_DEAD':
        logger.error(`${this.#nameOf(event.index)} is given up: ${event.error.message}`);
        break;
    }
  }

  async #plan(): Promise<void> {
    const { session, run, sealer, numChunks, policy, logger } = this.#setup;
    const stage = this.#stage.index;
    const name = this.#builder.constructor.name;
    const header = sealer.seal(this.#stage.header, { run, stage, index: HEADER });
    const chunks: Sealed[] = [];
    this.#builder.total = null;
    for await (const change of this.#builder.prechunk(numChunks)) {
      if (this.#ending.signal.aborted) return;
      chunks.push(sealer.seal(dumps(change), { run, stage, index: chunks.length }));
    }
    await session.submit(stage, { header, chunks }, policy);
    this.chunks = chunks.length;
    logger.info(
      `${name}: ${this.#builder.total ?? 'an unknown number of'} items in ${chunks.length} chunks, for workers at ${session.address}`,
    );
  }

  /** Waits until all chunks are done or dead; undefined when told to end before. */
  async #settle(): Promise<StageOutcome | undefined> {
    const { signal } = this.#ending;
    if (signal.aborted) return undefined;
    const { session, workerTimeoutMs, logger } = this.#setup;
    this.#startedAt = performance.now();
    const watch = new WorkerWatch(session, {
      ...{ logger, workerTimeoutMs },
      report: (workers) => this.#log(workers),
      giveUp: (error) => this.#fail(error),
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
    for (const failure of await failuresOf(result)) this.#monitor.itemFailed(failure);
    for (const { index, attempts, losses, error } of dead) {
      const cause = error.code === 'WORKER_LOST' ? ('worker-lost' as const) : ('error' as const);
      const key = `chunk ${index}`;
      this.#monitor.itemFailed({ key, cause, attempts: attempts + losses, durationMs: 0, error });
    }
    this.#judge({ ...result, failed });
  }

  #advance(index: number, { fetched, processed, written, total }: ChunkProgress): void {
    const before = this.#progress.get(index) ?? { fetched: 0, processed: 0, written: 0 };
    // A chunk that is done again begins from the start: progress stays where it was until then.
    const now = {
      fetched: Math.max(before.fetched, fetched),
      processed: Math.max(before.processed, processed),
      written: Math.max(before.written, written),
      total,
    };
    this.#progress.set(index, now);
    for (const step of ['fetched', 'processed', 'written'] as const)
      this.#reached[step] += now[step] - before[step];
    this.#monitor.reached(this.#reached);
  }

  /** Ends the build when more items failed than is tolerated. */
  #judge({ failed, failures }: ChunkResult): void {
    const { maxFailures } = this.#setup;
    if (failed <= maxFailures) return;
    const last = failures.at(-1);
    this.#fail(new TooManyFailuresError(maxFailures, last?.key, last?.error.message ?? 'unknown'));
  }

  #fail(error: Error): void {
    this.#failure ??= { error };
    this.halt();
  }

  #nameOf(index: number): string {
    return `Chunk ${index} of ${this.#builder.constructor.name}`;
  }

  #log(workers: { readonly count: number; readonly slots: number }): void {
    const { processed } = this.#reached;
    const { total } = this.#builder;
    const rate = processed / ((performance.now() - this.#startedAt) / 1000);
    this.#setup.logger.info(
      `${this.#builder.constructor.name}: ${this.done} of ${this.chunks ?? 'the'} chunks done, ${workers.count} workers with ${workers.slots} slots, ${processed}${total === null ? '' : ` of ${total}`} items, ${rate.toFixed(0)}/s`,
    );
  }
}
