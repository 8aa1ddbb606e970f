import { ChunkStalledError, UnfitWorkerError } from '../../errors/distributed-errors.js';
import { toPortable } from '../../errors/error-transfer.js';
import { WorkerLostError } from '../../errors/processor-errors.js';
import type { Logger } from '../../util/logger.js';
import { settledWithin } from '../../util/turn.js';
import type { LogLine } from '../multiprocess/log-line.js';
import { relog } from '../multiprocess/log-line.js';
import type { ChunkEnd, ChunkJob, ChunkProcessing } from './chunk-process.js';
import { ChunkProcess } from './chunk-process.js';
import type { CodePlaces } from './code-versions.js';
import type { Lease, WorkerSession } from './engine.js';
import type { Sealer } from './seal.js';
import { HEADER } from './seal.js';
import type { StageHeader } from './stage-header.js';
import { readChunk, readHeader } from './stage-header.js';
import { StallWatch } from './stall-watch.js';

/** How long the other side may take to hear that a lease is handed back. */
const RELEASE_MS = 1000;

/** What the slots of a worker have in common. */
export interface ChunkSlotSetup {
  readonly session: WorkerSession;
  readonly sealer: Sealer;
  readonly places: CodePlaces;
  readonly allow: readonly string[];
  readonly processing: ChunkProcessing;
  readonly logger: Logger;
}

/** What became of a lease. */
export type LeaseEnd = 'done' | 'failed' | 'lost' | 'released';

/** A place of a worker in which one chunk at a time is built, by a process that is kept for further chunks of the stage. */
export class ChunkSlot implements AsyncDisposable {
  readonly #setup: ChunkSlotSetup;
  #process: ChunkProcess | undefined;
  /** What {@link #process} was started for, as it came. */
  #sealedHeader: string | undefined;
  #header: StageHeader | undefined;

  /** @param process - One that was started ahead, for the first chunk. */
  constructor(setup: ChunkSlotSetup, process?: ChunkProcess) {
    this.#setup = setup;
    this.#process = process;
  }

  /**
   * Builds the chunk of a lease, and says what came of it.
   *
   * @param handBack - Ends the work at once when it fires; the lease is released.
   * @throws {@link UnfitWorkerError} when the chunk cannot be built here; the lease was released.
   */
  async work(lease: Lease, handBack: AbortSignal): Promise<LeaseEnd> {
    const { index, stage } = lease.id;
    let job: ChunkJob;
    try {
      job = await this.#open(lease);
    } catch (error) {
      if (error instanceof UnfitWorkerError) {
        await handedBack(lease);
        throw error;
      }
      await lease.nack(toPortable(error), { fatal: true });
      return 'failed';
    }
    const end = await this.#build(job, lease, handBack);
    if (end.kind !== 'done') await this.#drop();
    if (lease.lost.aborted) return 'lost';
    if (handBack.aborted) {
      await handedBack(lease);
      return 'released';
    }
    if (end.kind === 'done') {
      await unless(handBack, lease.ack(end.result));
      return lease.lost.aborted ? 'lost' : 'done';
    }
    const error = end.kind === 'failed' ? end.error : toPortable(new WorkerLostError(end.problem));
    this.#setup.logger.warn(`Chunk ${index} of stage ${stage} failed: ${error.message}`);
    await unless(handBack, lease.nack(error, { fatal: end.kind === 'failed' && end.isFatal }));
    return 'failed';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  /** Reads what came; the process of another stage is ended. */
  async #open({ id, header: sealed, payload }: Lease): Promise<ChunkJob> {
    const { sealer, places, allow, processing } = this.#setup;
    if (sealed !== this.#sealedHeader || this.#header === undefined) {
      if (this.#header !== undefined) await this.#drop();
      const header = readHeader(sealer.open(sealed, { ...id, index: HEADER }));
      places.assertSame(header.versions);
      this.#header = header;
      this.#sealedHeader = sealed;
    }
    const change = readChunk(sealer.open(payload, id));
    return { header: this.#header, change, allow, processing };
  }

  async #build(job: ChunkJob, lease: Lease, handBack: AbortSignal): Promise<ChunkEnd> {
    // What died while it waited cost no chunk.
    if (this.#process?.isOver) this.#process = undefined;
    this.#process ??= new ChunkProcess();
    const building = this.#process;
    const end = () => void building.end();
    // Not `AbortSignal.any`: a worker lives for many chunks.
    for (const signal of [lease.lost, handBack]) signal.addEventListener('abort', end);
    if (lease.lost.aborted || handBack.aborted) end();
    let stall: ChunkStalledError | undefined;
    const limitMs = job.header.chunkTimeoutMs ?? Number.POSITIVE_INFINITY;
    const watch = new StallWatch({
      limitMs,
      warn: (minutes) => this.#warnOfStall(job, lease, minutes),
      giveUp: () => {
        stall = new ChunkStalledError(limitMs);
        end();
      },
    });
    try {
      const ended = await building.run(job, {
        onProgress: (progress) => {
          watch.moved();
          lease.progress(progress);
        },
        onUpdating: (items) => {
          watch.moved();
          lease.updating(items);
        },
        onLog: (line) => this.#passOn(line),
        isHeld: () => watch.paused(lease.held()),
      });
      return stall ? { kind: 'failed', error: toPortable(stall), isFatal: false } : ended;
    } finally {
      watch.stop();
      for (const signal of [lease.lost, handBack]) signal.removeEventListener('abort', end);
    }
  }

  #warnOfStall({ header }: ChunkJob, { id }: Lease, minutes: number): void {
    const { session, logger } = this.#setup;
    const message = `Chunk ${id.index} of ${header.builder['@class']}: nothing was fetched, processed or written for ${minutes} min; a time limit for its items, or --chunk-timeout, would end that`;
    logger.warn(message);
    session.log({ logger: this.constructor.name, level: 'warning', message });
  }

  #passOn(line: LogLine): void {
    relog(line);
    const { category, level, message } = line;
    if (level === 'warning' || level === 'error' || level === 'fatal')
      this.#setup.session.log({ logger: category.at(-1) ?? 'maggma', level, message });
  }

  async #drop(): Promise<void> {
    const building = this.#process;
    this.#process = undefined;
    await building?.end();
  }
}

/** Hands a lease back, which need not be heard: it goes back anyway when the worker leaves. */
async function handedBack(lease: Lease): Promise<void> {
  await settledWithin(
    lease.release().catch(() => undefined),
    RELEASE_MS,
  );
}

/** Waits for an answer that may never come, but not when the signal fires. */
async function unless(signal: AbortSignal, answer: Promise<void>): Promise<void> {
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
  });
  // Once nobody waits any more, an answer that fails is nobody's concern.
  answer.catch(() => undefined);
  try {
    if (!signal.aborted) await Promise.race([answer, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
