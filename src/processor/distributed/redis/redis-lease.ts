import type { Job } from 'bullmq';
import type { PortableError } from '../../../errors/error-transfer.js';
import type { ChunkId, ChunkProgress, ChunkResult, Lease, Sealed } from '../engine.js';
import type { ChunkFailure } from './chunk-queue.js';
import type { EventTeller } from './event-feed.js';
import type { Peers } from './peers.js';
import type { Refusals } from './refusals.js';
import type { RunSeal } from './run-seal.js';

/** BullMQ's numbers for a job that is gone, has no lock, is not at work, or has somebody else's lock. */
const GONE = [-1, -2, -3, -6];
/** A lease that ends sooner than that is asked for, in proportion. */
const DOUBT = 0.1;

/** What came with a lease. */
export interface LeaseGrant {
  readonly id: ChunkId;
  readonly header: Sealed;
  readonly payload: Sealed;
  readonly job: Job;
  readonly token: string;
}

/** What all leases of a run need. */
export interface LeaseSetup {
  readonly leaseMs: number;
  readonly seal: RunSeal;
  readonly teller: EventTeller;
  readonly peers: Peers;
  readonly refusals: Refusals;
  /** Makes the lock of a job last for another lease; false when it is not held. */
  readonly extend: (jobId: string, token: string) => Promise<boolean>;
  /** What is written down of a chunk. */
  readonly read: (jobId: string) => Promise<Job | undefined>;
  /** Told when a lease has ended in any way. */
  readonly ended: (lease: RedisLease) => void;
}

/** The lock of a job, for whoever works on its chunk. */
export class RedisLease implements Lease {
  readonly id: ChunkId;
  readonly attempt: number;
  readonly header: Sealed;
  readonly payload: Sealed;
  readonly #job: Job;
  readonly #token: string;
  readonly #setup: LeaseSetup;
  readonly #lost = new AbortController();
  /** When it was last seen to be held, before it was asked. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #isOver = false;
  #ending: Promise<void> | undefined;

  constructor({ id, header, payload, job, token }: LeaseGrant, setup: LeaseSetup) {
    this.id = id;
    this.header = header;
    this.payload = payload;
    // Who was lost with it did not come to the end of an attempt.
    this.attempt = job.attemptsMade + job.stalledCounter + 1;
    this.#job = job;
    this.#token = token;
    this.#setup = setup;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** When it was renewed last. */
  get renewedAt(): number {
    return this.#renewedAt;
  }

  async held(): Promise<boolean> {
    if (this.#isEnded) return false;
    const age = performance.now() - this.#renewedAt;
    if (age > this.#setup.leaseMs * (1 - DOUBT))
      await this.#setup.refusals.outlast(() => this.renew(), this.lost);
    return !this.#isEnded;
  }

  /** Makes it last for another while, if it is still held. */
  async renew(): Promise<void> {
    const askedAt = performance.now();
    const isHeld = await this.#setup.extend(this.#job.id ?? '', this.#token);
    if (isHeld) this.#renewedAt = Math.max(this.#renewedAt, askedAt);
    else if (this.#ending === undefined) this.lose();
  }

  /** Somebody else may have the chunk, or nobody wants it any more. */
  lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#setup.ended(this);
    this.#lost.abort();
  }

  progress(progress: ChunkProgress): void {
    if (!this.#isEnded) this.#tell({ type: 'CHUNK_PROGRESS', progress });
  }

  updating(items: number): void {
    if (!this.#isEnded) this.#tell({ type: 'CHUNK_UPDATE', items });
  }

  ack(result: ChunkResult): Promise<void> {
    const { stage, index } = this.id;
    const sealed = this.#setup.seal.seal('result', result, stage, index);
    return this.#end(sealed, async () => {
      await this.#job.moveToCompleted(sealed, this.#token, false);
      this.#tell({ type: 'CHUNK_DONE', result });
    });
  }

  nack(error: PortableError, { fatal = false }: { fatal?: boolean } = {}): Promise<void> {
    return this.#fail({ error, by: 'failure' }, fatal);
  }

  /** Gives the chunk up, because it was lost too often. */
  bury(error: PortableError): Promise<void> {
    return this.#fail({ error, by: 'loss' }, true);
  }

  release(): Promise<void> {
    return this.#end(undefined, async () => {
      await this.#job.moveToWait(this.#token);
      this.#tell({ type: 'CHUNK_BACK' });
    });
  }

  #fail(failure: ChunkFailure, isFatal: boolean): Promise<void> {
    const { seal, peers } = this.#setup;
    const { stage, index } = this.id;
    const sealed = seal.seal('failure', failure, stage, index);
    return this.#end(sealed, async () => {
      const { UnrecoverableError } = peers.bullmq;
      const reason = isFatal ? new UnrecoverableError(sealed) : new RangeError(sealed);
      // It is written down, too.
      reason.stack = '';
      await this.#job.moveToFailed(reason, this.#token, false);
      const isDead = this.#job.finishedOn !== undefined;
      this.#tell({ type: isDead ? 'CHUNK_DEAD' : 'CHUNK_RETRY', error: failure.error });
    });
  }

  get #isEnded(): boolean {
    return this.#isOver || this.#ending !== undefined;
  }

  #tell(what: ToldOfChunk): void {
    const { stage, index } = this.id;
    this.#setup.teller.tell({ ...what, stage, index });
  }

  /**
   * The first end counts.
   *
   * @param sealed - What is written down then, and looks different each time.
   */
  #end(sealed: Sealed | undefined, record: () => Promise<void>): Promise<void> {
    if (this.#ending === undefined && !this.#isOver) {
      // Once it is lost, how it ends is of no interest to anybody.
      const lost = new Promise<void>((resolve) => {
        this.lost.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#ending = Promise.race([this.#record(sealed, record), lost]);
    }
    return this.#ending ?? Promise.resolve();
  }

  async #record(sealed: Sealed | undefined, record: () => Promise<void>): Promise<void> {
    try {
      await this.#setup.refusals.outlast(record, this.lost);
    } catch (error) {
      if (!GONE.includes((error as { code: number }).code)) throw error;
      // Who is too late counts for nothing.
      if (!(await this.#isWritten(sealed))) this.lose();
    }
    if (this.#isOver) return;
    this.#isOver = true;
    this.#setup.ended(this);
  }

  /** The connection may have been broken before an answer came; then it was asked twice. */
  async #isWritten(sealed: Sealed | undefined): Promise<boolean> {
    const job = await this.#setup.read(this.#job.id ?? '');
    return sealed !== undefined && [job?.returnvalue, job?.failedReason].includes(sealed);
  }
}

type ToldOfChunk =
  | { readonly type: 'CHUNK_PROGRESS'; readonly progress: ChunkProgress }
  | { readonly type: 'CHUNK_UPDATE'; readonly items: number }
  | { readonly type: 'CHUNK_DONE'; readonly result: ChunkResult }
  | { readonly type: 'CHUNK_RETRY' | 'CHUNK_DEAD'; readonly error: PortableError }
  | { readonly type: 'CHUNK_BACK' };
