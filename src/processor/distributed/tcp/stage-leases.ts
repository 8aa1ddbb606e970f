import type { PortableError } from '../../../errors/error-transfer.js';
import { WorkerLostError } from '../../../errors/processor-errors.js';
import type { RetryPolicy, StageOutcome } from '../engine.js';
import type { TableLease } from './chunk-ledger.js';
import { ChunkLedger } from './chunk-ledger.js';
import type { LeaseRecord } from './lease-record.js';
import type { FromWorker } from './messages.js';
import type { TableEffects } from './table-effect.js';
import type { Timings } from './timings.js';
import type { WorkerRoster } from './worker-roster.js';

/** What a stage has in common with others of its run. */
export interface StageContext {
  readonly roster: WorkerRoster;
  readonly effects: TableEffects;
  readonly timings: Timings;
  readonly newToken: () => string;
}

/** The leases of one stage: who may work on which chunk until when, and what came of it. */
export class StageLeases {
  readonly #stage: number;
  readonly #context: StageContext;
  readonly #ledger: ChunkLedger;

  constructor(stage: number, count: number, policy: RetryPolicy, context: StageContext) {
    this.#stage = stage;
    this.#context = context;
    this.#ledger = new ChunkLedger(count, policy, context.timings.leaseMs);
  }

  get isSettled(): boolean {
    return this.#ledger.isSettled;
  }

  outcome(): StageOutcome {
    return this.#ledger.outcome();
  }

  /** How many leases a worker has. */
  heldBy(worker: string): number {
    return this.#ledger.heldBy(worker).size;
  }

  holds({ stage, index, token }: { stage: number; index: number; token: string }): boolean {
    return stage === this.#stage && this.#ledger.lease(token)?.index === index;
  }

  /** Does again what another manager wrote down. */
  restore(records: Iterable<LeaseRecord>, now: number): void {
    for (const record of records) this.#ledger.apply(record, now);
  }

  revive(now: number): void {
    this.#commit({ type: 'revive' }, now);
  }

  /**
   * Renews the leases that a worker says it has.
   *
   * @returns those that are not its own.
   */
  renew(worker: string, connection: number, held: readonly string[], now: number): string[] {
    const named = new Set(held);
    for (const lease of [...this.#ledger.heldBy(worker)]) {
      if (named.has(lease.token)) {
        lease.deadline = now + this.#context.timings.leaseMs;
        lease.connection = connection;
      }
      // Given over a connection that broke, and never arrived.
      else if (lease.connection !== connection)
        this.#commit({ type: 'back', index: lease.index }, now);
    }
    return held.filter((token) => this.#ledger.lease(token)?.worker !== worker);
  }

  /** How many leases a worker has that it does not know of. */
  unnamed(worker: string, held: readonly string[]): number {
    return [...this.#ledger.heldBy(worker)].filter(({ token }) => !held.includes(token)).length;
  }

  /** Done is done, also when the lease is over: what was written stays written. */
  complete({ stage, index, token, result }: FromWorker<'DONE'>, now: number): void {
    const ledger = this.#ledger;
    if (stage !== this.#stage || index >= ledger.count) return;
    if (ledger.isOver(index)) return;
    const other = ledger.leaseOf(index);
    this.#commit({ type: 'done', index, result }, now);
    this.#context.effects.tell({ type: 'CHUNK_DONE', stage, index, result });
    if (other !== null && other.token !== token) this.#revoke(other);
  }

  fail(message: FromWorker<'FAIL'>, now: number): void {
    if (!this.holds(message)) return;
    const { stage, index, error, fatal } = message;
    const failures = this.#ledger.tries(index).failures + 1;
    const isDead = fatal || failures >= this.#ledger.policy.attempts;
    if (isDead) this.#commit({ type: 'dead', index, by: 'failure', error }, now);
    else this.#commit({ type: 'fail', index, error }, now);
    const type = isDead ? 'CHUNK_DEAD' : 'CHUNK_RETRY';
    this.#context.effects.tell({ type, stage, index, error });
  }

  giveBack(message: FromWorker<'NACK'>, now: number): void {
    if (this.holds(message)) this.#commit({ type: 'back', index: message.index }, now);
  }

  /** A worker goes, and says so. */
  giveAllBack(worker: string, now: number): void {
    for (const { index } of [...this.#ledger.heldBy(worker)])
      this.#commit({ type: 'back', index }, now);
  }

  /** A worker's socket is closed: it has not much time to come back. */
  shorten(worker: string, now: number): void {
    for (const lease of this.#ledger.heldBy(worker))
      lease.deadline = Math.min(lease.deadline, now + this.#context.timings.closedMs);
  }

  /** Nobody is judged by time in which nobody listened. */
  postpone(ms: number): void {
    for (const lease of this.#ledger.leases()) lease.deadline += ms;
  }

  /** Ends the leases whose time is over, and looks for chunks whose next attempt is due. */
  tick(now: number): void {
    for (const lease of [...this.#ledger.leases()])
      if (lease.deadline <= now) this.#lose(lease, now);
    this.#ledger.wake(now);
  }

  /** Gives away what there is, a chunk to each in turn. */
  dispatch(now: number): void {
    const { roster, effects, newToken } = this.#context;
    const stage = this.#stage;
    for (const peer of roster.hungry()) {
      const index = this.#ledger.next();
      if (index === undefined) return;
      const { worker, connection } = peer;
      const token = newToken();
      this.#commit({ type: 'lease', index, token, worker }, now);
      (this.#ledger.leaseOf(index) as TableLease).connection = connection;
      const { failures, losses } = this.#ledger.tries(index);
      const attempt = failures + losses + 1;
      effects.send(connection as number, { type: 'CHUNK', stage, index, token, attempt });
      effects.tell({ type: 'CHUNK_LEASED', stage, index, worker, attempt });
      roster.serve(peer);
      roster.review(peer, this.heldBy(worker));
    }
  }

  #lose(lease: TableLease, now: number): void {
    const { effects } = this.#context;
    const { index, worker } = lease;
    const stage = this.#stage;
    const losses = this.#ledger.tries(index).losses + 1;
    const isDead = losses >= this.#ledger.policy.losses;
    const error = lossError(losses);
    if (isDead) this.#commit({ type: 'dead', index, by: 'loss', error }, now);
    else this.#commit({ type: 'loss', index }, now);
    effects.tell({ type: 'CHUNK_LOST', stage, index, worker });
    if (isDead) effects.tell({ type: 'CHUNK_DEAD', stage, index, error });
    this.#revoke(lease);
  }

  /** Tells its holder, if it can be told, that a lease is over. */
  #revoke({ worker, token }: TableLease): void {
    const { roster, effects } = this.#context;
    const peer = roster.called(worker);
    if (peer === undefined || peer.connection === null) return;
    effects.send(peer.connection, { type: 'LOST', token });
    roster.review(peer, this.heldBy(worker));
  }

  #commit(record: LeaseRecord, now: number): void {
    this.#ledger.apply(record, now);
    this.#context.effects.record(record);
  }
}

/** Where it was found out is of no interest: there is no stack. */
function lossError(losses: number): PortableError {
  const { name, message, code } = new WorkerLostError(
    `died, or was cut off, with this chunk; that was the case ${losses} times`,
  );
  return { name, message, code };
}
