import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { WorkerLostError } from '../../../errors/processor-errors.js';
import type { Logger } from '../../../util/logger.js';
import type { Pulse } from '../../../util/pulse.js';
import { settledWithin } from '../../../util/turn.js';
import type { WorkerOptions } from '../engine.js';
import { chunkOf } from './chunk-queue.js';
import type { WorkerEvent } from './event-feed.js';
import { EventTeller } from './event-feed.js';
import type { Peers } from './peers.js';
import type { StageTerms } from './plan-store.js';
import { PlanStore } from './plan-store.js';
import { RedisLease } from './redis-lease.js';
import type { Refusals } from './refusals.js';
import type { RosterEntry } from './roster.js';
import { Roster } from './roster.js';
import type { CurrentRun } from './run-record.js';
import { RunSeal } from './run-seal.js';
import type { Timings } from './timings.js';
import { timingsFor } from './timings.js';

/** So long waits a worker for a chunk before it asks again, in seconds; it is woken when there is one. */
const DRAIN_S = 5;
/** So long may handing back take. */
const FAREWELL_MS = 1000;

/** Makes a lock last longer; unlike BullMQ's own way, it is done also when the memory is full. */
const EXTEND = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** What takes part in a run. */
export interface WorkerRunSetup {
  readonly options: WorkerOptions;
  readonly peers: Peers;
  readonly client: Redis;
  readonly prefix: string;
  readonly refusals: Refusals;
  /** How many chunks are waited for. */
  readonly wanted: () => number;
  /** Somebody waits for a chunk, or no longer. */
  readonly want: Pulse;
  readonly give: (lease: RedisLease) => void;
}

/** A worker's part in one run: it fetches chunks when they are wanted, and keeps their leases alive. */
export class WorkerRun {
  readonly run: string;
  readonly timings: Timings;
  readonly #setup: WorkerRunSetup;
  readonly #worker: Worker;
  readonly #plans: PlanStore;
  readonly #roster: Roster;
  readonly #teller: EventTeller;
  readonly #seal: RunSeal;
  readonly #entry: RosterEntry;
  readonly #held = new Set<RedisLease>();
  readonly #terms = new Map<number, StageTerms>();
  readonly #logger: Logger;
  /** How often the connection over which chunks are fetched broke. */
  #breaks = 0;
  #isOver = false;
  #leaving: Promise<void> | undefined;

  private constructor({ run, leaseMs }: CurrentRun, setup: WorkerRunSetup) {
    const { options, peers, client, prefix } = setup;
    const { worker, slots, version, secret, logger } = options;
    const timings = timingsFor(leaseMs);
    this.run = run;
    this.timings = timings;
    this.#setup = setup;
    this.#logger = logger;
    this.#entry = { worker, slots, version };
    this.#seal = new RunSeal(secret, run);
    this.#plans = new PlanStore(client, prefix, run);
    this.#roster = new Roster(client, `${prefix}:${run}:workers`);
    this.#teller = new EventTeller(client, `${prefix}:${run}:told`, this.#seal);
    this.#worker = new peers.bullmq.Worker(run, null, {
      ...{ connection: client, prefix, autorun: false, drainDelay: DRAIN_S },
      lockDuration: timings.leaseMs,
      stalledInterval: timings.stalledMs,
      // Who fetches a chunk that was lost too often gives it up: how often is too often is known to its stage.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.#worker.on('ioredis:close', () => this.#breaks++);
    this.#worker.on('error', (error) => this.#logger.debug(`Chunks of ${run}: ${error.message}`));
  }

  /** Joins a run. */
  static async join(current: CurrentRun, setup: WorkerRunSetup): Promise<WorkerRun> {
    const joined = new WorkerRun(current, setup);
    await joined.#roster.beat(joined.#entry);
    joined.tell({ type: 'WORKER_JOINED', ...joined.#entry });
    await joined.#worker.startStalledCheckTimer();
    void joined.#fetchAll();
    return joined;
  }

  /** Whether there is a chunk at work. */
  get isBusy(): boolean {
    return this.#held.size > 0;
  }

  /** Renews the leases whose time has come, and says that it is there. */
  async beat(): Promise<void> {
    if (this.#isOver) return;
    const due = performance.now() - this.timings.renewMs;
    const renewed = [...this.#held].filter((lease) => lease.renewedAt <= due);
    await Promise.all(renewed.map((lease) => lease.renew()));
    await this.#roster.beat(this.#entry);
  }

  tell(event: WorkerEvent): void {
    this.#teller.tell(event);
  }

  /** Takes part no more: what is held goes back. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    this.#isOver = true;
    this.#setup.want.beat();
    const held = [...this.#held];
    const back = held.map((lease) => lease.release());
    for (const lease of held) lease.lose();
    await settledWithin(Promise.allSettled(back), FAREWELL_MS);
    const { worker, slots } = this.#entry;
    this.tell({ type: 'WORKER_LEFT', worker, slots });
    const gone = [this.#roster.strike(this.#entry), this.#worker.close(true)];
    await settledWithin(Promise.allSettled(gone), FAREWELL_MS);
  }

  async #fetchAll(): Promise<void> {
    const { wanted, want } = this.#setup;
    while (!this.#isOver) {
      if (wanted() === 0) {
        await want.next();
        continue;
      }
      try {
        await this.#fetch();
        this.#setup.refusals.passed();
      } catch (error) {
        if (this.#isOver) return;
        if (!this.#setup.refusals.hears(error))
          this.#logger.debug(`No chunk could be fetched: ${String(error)}`);
        await setTimeout(this.timings.beatMs);
      }
    }
  }

  async #fetch(): Promise<void> {
    const token = randomUUID();
    const breaks = this.#breaks;
    const job: Job | undefined = await this.#worker.getNextJob(token);
    if (breaks !== this.#breaks) await this.#returnStrays(token, job?.id);
    if (job === undefined) return;
    const lease = await this.#leaseOf(job, token);
    // The run was ended, or forgotten, meanwhile.
    if (lease === undefined) return;
    this.#held.add(lease);
    const { stage, index } = lease.id;
    const { policy } = this.#terms.get(stage) as StageTerms;
    if (job.stalledCounter >= policy.losses) await lease.bury(lossError(job.stalledCounter));
    else if (this.#isOver || this.#setup.wanted() === 0) await lease.release();
    else {
      const { worker } = this.#entry;
      this.tell({ type: 'CHUNK_LEASED', stage, index, worker, attempt: lease.attempt });
      this.#setup.give(lease);
    }
  }

  /** When the connection broke before an answer came, it was asked twice: a second chunk may have the same lock. */
  async #returnStrays(token: string, jobId: string | undefined): Promise<void> {
    const { client, prefix, peers } = this.#setup;
    const keys = `${prefix}:${this.run}`;
    const active = await client.lrange(`${keys}:active`, 0, -1);
    if (active.length === 0) return;
    const locks = await client.mget(active.map((id) => `${keys}:${id}:lock`));
    for (const [i, id] of active.entries()) {
      if (locks[i] !== token || id === jobId) continue;
      const stray = await peers.bullmq.Job.fromId(this.#worker, id);
      await stray?.moveToWait(token);
    }
  }

  async #extend(jobId: string, token: string): Promise<boolean> {
    const { client, prefix } = this.#setup;
    const lock = `${prefix}:${this.run}:${jobId}:lock`;
    return (await client.eval(EXTEND, 1, lock, token, this.timings.leaseMs)) === 1;
  }

  async #leaseOf(job: Job, token: string): Promise<RedisLease | undefined> {
    const { run, timings } = this;
    const { stage, index } = chunkOf(job.id);
    const terms = this.#terms.get(stage) ?? (await this.#plans.terms(stage));
    const payload = await this.#plans.chunk(stage, index);
    if (terms === undefined || payload === undefined) return undefined;
    this.#terms.set(stage, terms);
    const { header } = terms;
    return new RedisLease(
      { id: { run, stage, index }, header, payload, job, token },
      {
        ...{ leaseMs: timings.leaseMs, seal: this.#seal, teller: this.#teller },
        ...{ peers: this.#setup.peers, refusals: this.#setup.refusals },
        extend: (jobId, lock) => this.#extend(jobId, lock),
        read: (jobId) => this.#setup.peers.bullmq.Job.fromId(this.#worker, jobId),
        ended: (lease) => this.#held.delete(lease),
      },
    );
  }
}

/** Where it was found out is of no interest: there is no stack. */
function lossError(losses: number) {
  const { name, message, code } = new WorkerLostError(
    `died, or was cut off, with this chunk; that was the case ${losses} times`,
  );
  return { name, message, code };
}
