import { setTimeout } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RunLockedError, RunStateError } from '../../../errors/distributed-errors.js';
import type { Logger } from '../../../util/logger.js';
import type { ChunkEvent, RetryPolicy, Sealed, StageOutcome, StagePlan } from '../engine.js';
import { ChunkQueue } from './chunk-queue.js';
import { Crew } from './crew.js';
import { EventFeed } from './event-feed.js';
import { LeftRuns } from './left-runs.js';
import type { ManagerLock } from './manager-lock.js';
import type { Peers } from './peers.js';
import type { Place } from './place.js';
import { assertSizes, PlanStore } from './plan-store.js';
import type { Refusals } from './refusals.js';
import { Roster } from './roster.js';
import { RunRecord } from './run-record.js';
import type { Timings } from './timings.js';

/** So long may workers take to leave, in milliseconds. */
const FAREWELL_MS = 2000;

/** What a run is kept with. */
export interface KeeperSetup {
  readonly name: string;
  readonly digest: string;
  readonly secret: Uint8Array;
  readonly place: Place;
  readonly peers: Peers;
  readonly client: Redis;
  readonly lock: ManagerLock;
  readonly refusals: Refusals;
  readonly timings: Timings;
  /** Fires when nothing more is to be written. */
  readonly over: AbortSignal;
  readonly emit: (event: ChunkEvent) => void;
  readonly logger: Logger;
}

/** Writes down where a run stands, and mends what the Redis forgot of it. */
export class RunKeeper {
  readonly record: RunRecord;
  readonly crew: Crew;
  readonly #setup: KeeperSetup;
  readonly #plans: PlanStore;
  readonly #queue: ChunkQueue;
  readonly #runs: LeftRuns;
  /** That of the stage at work, if it was made here. */
  #plan: { readonly plan: StagePlan; readonly policy: RetryPolicy } | undefined;

  private constructor(record: RunRecord, setup: KeeperSetup) {
    const { place, peers, client, timings, emit, logger } = setup;
    const { prefix, address } = place;
    const { run, seal } = record;
    const keys = `${prefix}:${run}`;
    this.record = record;
    this.#setup = setup;
    this.#queue = new ChunkQueue(peers, client, { prefix, run, address }, seal);
    this.#plans = new PlanStore(client, prefix, run);
    this.#runs = new LeftRuns(client, prefix, { run, record: record.key });
    this.crew = new Crew({
      roster: new Roster(client, `${keys}:workers`),
      feed: new EventFeed(client, `${keys}:told`, seal),
      ...{ silentMs: timings.silentMs, emit, logger },
    });
  }

  /** Creates a run, or takes it over, and shows it to workers. */
  static async open(setup: KeeperSetup): Promise<RunKeeper> {
    const { client, place, lock, logger } = setup;
    const record = await RunRecord.read(client, place.prefix, setup);
    const keeper = new RunKeeper(record, setup);
    const { size, stage } = record;
    // A part of a plan is none.
    if (size !== undefined && (await keeper.#plans.size(stage)) !== size) record.size = undefined;
    await keeper.#runs.beat();
    await keeper.#runs.sweep(lock, logger);
    await record.write(lock);
    await keeper.#show();
    return keeper;
  }

  /** The run is managed. */
  async beat(): Promise<void> {
    await this.#setup.lock.renew();
    await this.#runs.beat();
  }

  /** What the chunks of the stage share; undefined without a plan. */
  async header(): Promise<Sealed | undefined> {
    return (await this.#plans.terms(this.record.stage))?.header;
  }

  /** Makes the plan of the stage durable, and then shows its chunks. */
  async submit(plan: StagePlan, policy: RetryPolicy): Promise<void> {
    assertSizes(plan);
    this.#plan = { plan, policy };
    await this.#store(this.#plan);
  }

  /** Compares what the Redis holds with what was written. */
  async isSettled(size: number): Promise<boolean> {
    const { record } = this;
    const [known, planned, { total, over }] = await Promise.all([
      record.compare(),
      this.#plans.size(record.stage),
      this.#queue.counts(),
    ]);
    if (known === 'passed')
      throw new RunLockedError(
        this.#setup.name,
        'it took the run over while nothing was heard of this one',
      );
    if (known === 'lost' || planned !== size) await this.#restore();
    else if (total < size) await this.#seed(Array(size).keys());
    else return over === size;
    return false;
  }

  async outcome(): Promise<StageOutcome> {
    // What was told of the chunks is heard before.
    await this.crew.look();
    return this.#queue.outcome();
  }

  async revive(): Promise<number> {
    // Should this be interrupted, those without a job get one all the same.
    const dead = await this.#queue.removeDead();
    await this.#seed(dead);
    return dead.length;
  }

  /** The stage is over. */
  async finish(note: string): Promise<void> {
    const { record } = this;
    const { stage } = record;
    const { lock, refusals, over } = this.#setup;
    record.notes.push(note);
    record.size = undefined;
    this.#plan = undefined;
    // What was built is not built again for that.
    await refusals.outlast(() => record.write(lock), over);
    await this.#queue.clear();
    await this.#plans.remove(lock, stage);
  }

  /** The run is over; workers leave, and then all is removed. */
  async end(): Promise<void> {
    const { lock, place, timings } = this.#setup;
    const { run, stage } = this.record;
    await this.record.end(lock);
    const deadline = performance.now() + FAREWELL_MS;
    while ((await this.crew.present()).length > 0 && performance.now() < deadline)
      await setTimeout(timings.lookMs);
    await this.crew.look();
    await this.#queue.clear();
    await this.#plans.remove(lock, stage);
    await this.#runs.end();
    for (const key of ['workers', 'told'])
      await lock.write('UNLINK', `${place.prefix}:${run}:${key}`);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #show(): Promise<void> {
    const { lock, timings } = this.#setup;
    await this.crew.open();
    await this.record.show(lock, timings.leaseMs);
  }

  async #store({ plan, policy }: { plan: StagePlan; policy: RetryPolicy }): Promise<void> {
    const { lock } = this.#setup;
    const { record } = this;
    await this.#queue.clear();
    await this.#plans.write(lock, record.stage, plan, policy);
    record.size = plan.chunks.length;
    await record.write(lock);
    await this.#queue.seed(record.stage, plan.chunks.keys(), policy);
  }

  /** Makes jobs for those of the chunks that have none: that was not completed, or was forgotten. */
  async #seed(indices: Iterable<number>): Promise<void> {
    const { stage } = this.record;
    const terms = await this.#plans.terms(stage);
    if (terms !== undefined) await this.#queue.seed(stage, indices, terms.policy);
  }

  /** The Redis forgot the run. */
  async #restore(): Promise<void> {
    const { address } = this.#setup.place;
    const { stage } = this.record;
    if (this.#plan === undefined)
      throw new RunStateError(
        `The Redis at ${address} lost the plan of stage ${stage}, which an earlier manager made: start this one again, it will plan anew`,
      );
    this.#setup.logger.warn(
      `The Redis at ${address} lost the run: stage ${stage} is begun again, with the same plan`,
    );
    await this.#store(this.#plan);
    await this.#show();
  }
}
