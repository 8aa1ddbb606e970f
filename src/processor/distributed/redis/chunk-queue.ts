import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { BrokerError } from '../../../errors/distributed-errors.js';
import type { PortableError } from '../../../errors/error-transfer.js';
import { addResults, NO_RESULT } from '../chunk-result.js';
import type { ChunkResult, DeadChunk, RetryPolicy, StageOutcome } from '../engine.js';
import type { Peers } from './peers.js';
import type { RunSeal } from './run-seal.js';

/** So many jobs are in memory at once. */
const PAGE = 1000;
/** BullMQ's own events are read by nobody. */
const MAX_EVENTS = 100;

/** Why an attempt, or a chunk, failed. */
export interface ChunkFailure {
  readonly error: PortableError;
  /** Reported by its worker, or found out after that was lost. */
  readonly by: 'failure' | 'loss';
}

/** The name of a chunk's job. */
const jobIdOf = (stage: number, index: number): string => `${stage}-${index}`;

/** @returns the stage and the index that are in the name of a job. */
export function chunkOf(jobId: string | undefined): { stage: number; index: number } {
  const [stage, index] = (jobId ?? '').split('-').map(Number);
  return { stage: stage ?? Number.NaN, index: index ?? Number.NaN };
}

/** What a queue holds. */
export interface QueueCounts {
  readonly total: number;
  /** Done or dead. */
  readonly over: number;
}

/** The jobs of the stage that is at work, one for each chunk, for whoever manages them. */
export class ChunkQueue {
  readonly #queue: Queue;
  readonly #seal: RunSeal;
  readonly #address: string;

  constructor(
    { bullmq }: Peers,
    client: Redis,
    options: { readonly prefix: string; readonly run: string; readonly address: string },
    seal: RunSeal,
  ) {
    const { prefix, run, address } = options;
    const streams = { events: { maxLen: MAX_EVENTS } };
    this.#queue = new bullmq.Queue(run, { connection: client, prefix, streams });
    // Whoever asked something hears of what is wrong.
    this.#queue.on('error', () => undefined);
    this.#seal = seal;
    this.#address = address;
  }

  /** Adds jobs for those of the chunks that have none. */
  async seed(stage: number, indices: Iterable<number>, policy: RetryPolicy): Promise<void> {
    const { attempts, backoffMs } = policy;
    const backoff = backoffMs > 0 ? { type: 'exponential', delay: backoffMs } : undefined;
    const shared = { attempts, stackTraceLimit: 0, ...(backoff && { backoff }) };
    let page: Parameters<Queue['addBulk']>[0] = [];
    for (const index of indices) {
      page.push({ name: 'chunk', data: {}, opts: { ...shared, jobId: jobIdOf(stage, index) } });
      if (page.length < PAGE) continue;
      await this.#queue.addBulk(page);
      page = [];
    }
    if (page.length > 0) await this.#queue.addBulk(page);
  }

  /** Of one moment. */
  async counts(): Promise<QueueCounts> {
    const counts = await this.#queue.getJobCounts();
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return { total, over: (counts['completed'] ?? 0) + (counts['failed'] ?? 0) };
  }

  /** Adds up what is recorded of the chunks. */
  async outcome(): Promise<StageOutcome> {
    let completed = 0;
    let result = NO_RESULT;
    for await (const job of this.#jobs('completed')) {
      const { stage, index } = chunkOf(job.id);
      const sealed = String(job.returnvalue);
      result = addResults(result, this.#seal.open<ChunkResult>('result', sealed, stage, index));
      completed++;
    }
    const dead: DeadChunk[] = [];
    for await (const job of this.#jobs('failed')) {
      const { stage, index } = chunkOf(job.id);
      const failure = this.#seal.open<ChunkFailure>('failure', job.failedReason, stage, index);
      // That it was given up for its losses is no attempt, though BullMQ counts it as one.
      const attempts = job.attemptsMade - (failure.by === 'loss' ? 1 : 0);
      dead.push({ index, attempts, losses: job.stalledCounter, error: failure.error });
    }
    dead.sort((a, b) => a.index - b.index);
    return { completed, dead, result };
  }

  /** Removes the jobs of all dead chunks. */
  async removeDead(): Promise<number[]> {
    const removed: number[] = [];
    for (;;) {
      const ids = await this.#queue.clean(0, PAGE, 'failed');
      if (ids.length === 0) return removed;
      for (const id of ids) removed.push(chunkOf(id).index);
    }
  }

  /** Removes all there is of the queue. */
  async clear(): Promise<void> {
    await this.#queue.obliterate({ force: true, count: PAGE });
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async *#jobs(state: 'completed' | 'failed') {
    for (let start = 0; ; start += PAGE) {
      const jobs = await this.#queue.getJobs([state], start, start + PAGE - 1, true);
      for (const job of jobs) {
        if (job === undefined || job === null)
          throw new BrokerError(this.#address, 'lost records of chunks while they were read');
        yield job;
      }
      if (jobs.length < PAGE) return;
    }
  }
}
