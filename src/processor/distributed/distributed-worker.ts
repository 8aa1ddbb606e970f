import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { NoManagerError, UnfitWorkerError } from '../../errors/distributed-errors.js';
import type { Logger } from '../../util/logger.js';
import { createLogger } from '../../util/logger.js';
import { AbsenceWatch } from './absence-watch.js';
import { ChunkProcesses } from './chunk-process.js';
import type { LeaseEnd } from './chunk-slot.js';
import { ChunkSlot } from './chunk-slot.js';
import { CodePlaces, OWN_VERSION } from './code-versions.js';
import type { DistributedWorkerOptions, ResolvedWorkerOptions } from './distributed-options.js';
import { resolveWorkerOptions } from './distributed-options.js';
import type { WorkerSession } from './engine.js';
import { engineOf } from './engines.js';
import { Sealer } from './seal.js';
import { findSecret } from './secret-file.js';

/** How long a worker that stays waits before it takes another chunk after one that it cannot build. */
const UNFIT_MS = 5000;
/** How long it waits before it looks for the next run. */
const NEXT_RUN_MS = 1000;

/** What a worker did. */
export interface WorkerReport {
  /** Its name, as the manager knows it. */
  readonly worker: string;
  /** `finished`: the run is over. */
  readonly status: 'finished' | 'stopped';
  /** Chunks that were built. */
  readonly done: number;
  /** Chunks that failed here; others may have built them. */
  readonly failed: number;
  /** Chunks that were taken away, because nothing was heard of this worker for too long. */
  readonly lost: number;
  /** Chunks that were handed back when the worker was stopped. */
  readonly released: number;
}

/** Options of {@link DistributedWorker.run}. */
export interface WorkerRunOptions {
  /** Hands everything back at once when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Builds chunks for a {@link DistributedProcessor} on any machine, until its run is over.
 *
 * It holds the leases and runs no code of builders: each chunk is built by a process of its own, which may block, leak or
 * die without costing more than that chunk an attempt. It may be started before the manager, join and leave at any time.
 *
 * Only code is run that is found from the folder in which the worker was started, or in one that it was allowed, and that is
 * the same as the manager's: packages by their versions, scripts by their text.
 *
 * @example
 * ```ts
 * const worker = new DistributedWorker({ url: 'tcp://127.0.0.1:5555', slots: 8 });
 * process.once('SIGTERM', () => worker.stop());
 * const { done } = await worker.run();
 * ```
 */
export class DistributedWorker {
  /** Its name: host, process and a random part. */
  readonly name = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #options: ResolvedWorkerOptions;
  readonly #logger: Logger = createLogger(this.constructor.name);
  readonly #counts = { done: 0, failed: 0, lost: 0, released: 0 };
  /** Takes no more chunks. */
  readonly #stopping = new AbortController();
  /** Ends what is in flight. */
  readonly #leaving = new AbortController();
  #drain: NodeJS.Timeout | undefined;
  /** Why it does not wait for a manager any longer. */
  #absence: NoManagerError | undefined;

  /** @throws {@link InvalidOptionError} for an option that is out of bounds. */
  constructor(options: DistributedWorkerOptions) {
    this.#options = resolveWorkerOptions(options);
  }

  /** Takes no more chunks; those in flight are finished, or handed back when they take too long. */
  stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#drain = globalThis.setTimeout(() => this.#leaving.abort(), this.#options.drainMs);
  }

  /**
   * Works until the run is over, or the worker is stopped. Once only.
   *
   * @throws {@link SecretError} when there is no secret that can be used.
   * @throws {@link UnfitWorkerError} when it cannot build what the run is about, unless it is to stay.
   * @throws {@link NoManagerError} when no manager was there for `managerTimeoutMs`, unless it had come to the end of a run.
   */
  async run({ signal }: WorkerRunOptions = {}): Promise<WorkerReport> {
    const leave = () => this.#leave();
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted) leave();
    const isStopped = () => this.#stopping.signal.aborted;
    try {
      for (let runs = 0; !isStopped(); runs++) {
        const wasServed = await this.#serve();
        if (this.#absence && (wasServed || runs === 0)) throw this.#absence;
        if (this.#absence || !this.#options.keepAlive) break;
        // The manager of the run that is over may still be there.
        await this.#pause(NEXT_RUN_MS);
      }
    } finally {
      clearTimeout(this.#drain);
      signal?.removeEventListener('abort', leave);
    }
    const status = isStopped() && !this.#absence ? 'stopped' : 'finished';
    this.#logger.info(`Ended: ${status}, ${this.#counts.done} chunks done`);
    return { worker: this.name, status, ...this.#counts };
  }

  /** Takes no more chunks, and hands back at once what is in flight. */
  #leave(): void {
    this.stop();
    this.#leaving.abort();
  }

  /**
   * Works for one run.
   *
   * @returns whether somebody was there to work for.
   */
  async #serve(): Promise<boolean> {
    const { url, secretFile, leaseMs, slots, allow, processing } = this.#options;
    const secret = findSecret(url, secretFile);
    const logger = this.#logger;
    // They start while a connection is made. A worker that stays may wait for days: it starts them when there is work.
    await using ahead = new ChunkProcesses(this.#options.keepAlive ? 0 : slots);
    const engine = await engineOf(url);
    await using session = await engine.worker({
      ...{ url, secret, leaseMs, logger, slots },
      worker: this.name,
      version: OWN_VERSION,
    });
    logger.info(`Waits for chunks at ${session.address}, ${slots} at a time`);
    const watch = this.#watch(session);
    const setup = {
      ...{ session, allow, processing, logger },
      sealer: new Sealer(secret),
      places: new CodePlaces(allow),
    };
    const working = Array.from({ length: slots }, async () => {
      await using slot = new ChunkSlot(setup, ahead.take());
      try {
        await this.#work(slot, session);
      } catch (error) {
        this.stop();
        throw error;
      }
    });
    const ends = await Promise.allSettled(working);
    watch.stop();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return watch.hasSeen;
  }

  /** Leaves when there is nobody to work for. */
  #watch(session: WorkerSession): AbsenceWatch {
    const { managerTimeoutMs: timeoutMs } = this.#options;
    return new AbsenceWatch({
      isThere: () => session.isServed,
      timeoutMs,
      advice: (minutes) =>
        `No manager was at ${session.address} for ${minutes} min: start it again, or stop this worker`,
      giveUp: () => {
        if (!this.#stopping.signal.aborted)
          this.#absence = new NoManagerError(session.address, timeoutMs);
        this.#leave();
      },
      logger: this.#logger,
    });
  }

  async #work(slot: ChunkSlot, session: WorkerSession): Promise<void> {
    for (;;) {
      const lease = await session.receive(this.#stopping.signal);
      if (lease === undefined || lease === 'run-finished') return;
      const end = await this.#orUnfit(session, () => slot.work(lease, this.#leaving.signal));
      if (end !== undefined) this.#counts[end]++;
    }
  }

  /** A worker that cannot build a chunk makes room for those that can. */
  async #orUnfit(
    session: WorkerSession,
    work: () => Promise<LeaseEnd>,
  ): Promise<LeaseEnd | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnfitWorkerError)) throw error;
      const { message } = error;
      session.log({ logger: this.constructor.name, level: 'error', message });
      if (!this.#options.keepAlive) throw error;
      this.#logger.error(message);
      await this.#pause(UNFIT_MS);
      return undefined;
    }
  }

  /** Waits, but not longer than until it is stopped. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    await setTimeout(ms, undefined, { signal }).catch(() => undefined);
  }
}
