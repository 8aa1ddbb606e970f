import type { PortableError } from '../../../errors/error-transfer.js';
import { addResults, NO_RESULT } from '../chunk-result.js';
import type { ChunkResult, DeadChunk, RetryPolicy, StageOutcome } from '../engine.js';
import type { LeaseRecord } from './lease-record.js';

/** The right to work on a chunk. */
export interface TableLease {
  readonly index: number;
  readonly token: string;
  readonly worker: string;
  /** When it ends without a heartbeat. */
  deadline: number;
  /** The connection over which it was given or last named; null when that was another manager's. */
  connection: number | null;
}

interface Chunk {
  /** `waiting`: for its next attempt. */
  state: 'pending' | 'waiting' | 'leased' | 'done' | 'dead';
  failures: number;
  losses: number;
  /** When its next attempt is due, while it waits for that. */
  due: number;
  lease: TableLease | null;
  error: PortableError | null;
}

/**
 * The chunks of one stage: `pending → leased → done | dead`, and back to `pending`, or to `waiting` before that.
 *
 * Nothing but records changes it, so that reading them again after a crash leads to the same.
 */
export class ChunkLedger {
  readonly policy: RetryPolicy;
  readonly #leaseMs: number;
  readonly #chunks: readonly Chunk[];
  readonly #leases = new Map<string, TableLease>();
  readonly #held = new Map<string, Set<TableLease>>();
  /** Chunks from here on were never given to anybody. */
  #fresh = 0;
  /** Came back: they are next. May name chunks that are no longer pending. */
  #returned: number[] = [];
  #waiting: number[] = [];
  #completed = 0;
  #dead = 0;
  #result: ChunkResult = NO_RESULT;

  constructor(count: number, policy: RetryPolicy, leaseMs: number) {
    this.policy = policy;
    this.#leaseMs = leaseMs;
    this.#chunks = Array.from({ length: count }, () => ({
      state: 'pending',
      failures: 0,
      losses: 0,
      due: 0,
      lease: null,
      error: null,
    }));
  }

  get count(): number {
    return this.#chunks.length;
  }

  /** True when each chunk is done or dead. */
  get isSettled(): boolean {
    return this.#completed + this.#dead === this.#chunks.length;
  }

  /** True when nothing more can happen to the chunk by itself. */
  isOver(index: number): boolean {
    const { state } = this.#at(index);
    return state === 'done' || state === 'dead';
  }

  leaseOf(index: number): TableLease | null {
    return this.#at(index).lease;
  }

  lease(token: string): TableLease | undefined {
    return this.#leases.get(token);
  }

  leases(): Iterable<TableLease> {
    return this.#leases.values();
  }

  heldBy(worker: string): ReadonlySet<TableLease> {
    return this.#held.get(worker) ?? NONE;
  }

  /** How often it failed, and was lost, until now. */
  tries(index: number): { readonly failures: number; readonly losses: number } {
    return this.#at(index);
  }

  outcome(): StageOutcome {
    const dead: DeadChunk[] = [];
    for (const [index, { state, failures, losses, error }] of this.#chunks.entries())
      if (state === 'dead' && error !== null)
        dead.push({ index, attempts: failures, losses, error });
    return { completed: this.#completed, dead, result: this.#result };
  }

  /** The chunk to be given away next; undefined when there is none. */
  next(): number | undefined {
    for (let index = this.#returned.at(-1); index !== undefined; index = this.#returned.at(-1)) {
      if (this.#at(index).state === 'pending') return index;
      this.#returned.pop();
    }
    while (this.#chunks[this.#fresh] !== undefined && this.#at(this.#fresh).state !== 'pending')
      this.#fresh++;
    return this.#fresh < this.#chunks.length ? this.#fresh : undefined;
  }

  /** Looks for chunks whose next attempt is due. */
  wake(now: number): void {
    const isDue = (index: number) => this.#at(index).due <= now;
    if (!this.#waiting.some(isDue)) return;
    // It may be done by now, by somebody who had it earlier.
    for (const index of this.#waiting.filter(isDue))
      if (this.#at(index).state === 'waiting') this.#giveBack(index);
    this.#waiting = this.#waiting.filter((index) => !isDue(index));
  }

  apply(record: LeaseRecord, now: number): void {
    if (record.type === 'revive') {
      this.#revive();
      return;
    }
    const { index } = record;
    const chunk = this.#at(index);
    this.#endLease(chunk);
    switch (record.type) {
      case 'lease':
        chunk.state = 'leased';
        this.#startLease(chunk, record, now);
        return;
      case 'back':
        this.#giveBack(index);
        return;
      case 'loss':
        chunk.losses++;
        this.#giveBack(index);
        return;
      case 'fail':
        chunk.failures++;
        chunk.error = record.error;
        chunk.state = 'waiting';
        chunk.due = now + this.policy.backoffMs * 2 ** (chunk.failures - 1);
        this.#waiting.push(index);
        return;
      case 'done':
        chunk.state = 'done';
        chunk.error = null;
        this.#completed++;
        this.#result = addResults(this.#result, record.result);
        return;
      case 'dead':
        if (record.by === 'failure') chunk.failures++;
        else chunk.losses++;
        chunk.state = 'dead';
        chunk.error = record.error;
        this.#dead++;
        return;
      default:
        record satisfies never;
    }
  }

  #at(index: number): Chunk {
    return this.#chunks[index] as Chunk;
  }

  #giveBack(index: number): void {
    this.#at(index).state = 'pending';
    this.#returned.push(index);
  }

  #startLease(
    chunk: Chunk,
    { index, token, worker }: Omit<TableLease, 'deadline' | 'connection'>,
    now: number,
  ): void {
    const lease = { index, token, worker, deadline: now + this.#leaseMs, connection: null };
    chunk.lease = lease;
    this.#leases.set(token, lease);
    const held = this.#held.get(worker) ?? new Set();
    this.#held.set(worker, held.add(lease));
  }

  #endLease(chunk: Chunk): void {
    const { lease } = chunk;
    if (lease === null) return;
    chunk.lease = null;
    this.#leases.delete(lease.token);
    const held = this.#held.get(lease.worker);
    held?.delete(lease);
    if (held?.size === 0) this.#held.delete(lease.worker);
  }

  #revive(): void {
    for (const [index, chunk] of this.#chunks.entries()) {
      if (chunk.state !== 'dead') continue;
      chunk.failures = 0;
      chunk.losses = 0;
      this.#giveBack(index);
    }
    this.#dead = 0;
  }
}

const NONE: ReadonlySet<TableLease> = new Set();
