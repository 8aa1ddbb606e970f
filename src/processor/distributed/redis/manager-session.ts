import { setTimeout } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RunLockedError, RunStateError } from '../../../errors/distributed-errors.js';
import { assertPositiveInteger } from '../../../util/assert-option.js';
import { ItemQueue } from '../../../util/item-queue.js';
import { Pulse } from '../../../util/pulse.js';
import { settledWithin } from '../../../util/turn.js';
import type {
  ChunkEvent,
  ManagerOptions,
  ManagerSession,
  RetryPolicy,
  RunDescription,
  RunState,
  StageOutcome,
  StagePlan,
} from '../engine.js';
import { assertFit, connectBroker } from './broker.js';
import { ManagerLock } from './manager-lock.js';
import type { Peers } from './peers.js';
import { loadPeers } from './peers.js';
import type { Place } from './place.js';
import { placeOf } from './place.js';
import { Refusals } from './refusals.js';
import { RunKeeper } from './run-keeper.js';
import type { Timings } from './timings.js';
import { timingsFor } from './timings.js';

/** More events that nobody reads are dropped. */
const MAX_EVENTS = 10_000;
/** So long may a Redis take to hear that we leave. */
const FAREWELL_MS = 2000;

/** The manager's side: it asks the Redis again and again what is done. */
export class RedisManagerSession implements ManagerSession {
  readonly #options: ManagerOptions;
  readonly #place: Place;
  readonly #peers: Peers;
  readonly #client: Redis;
  readonly #timings: Timings;
  readonly #refusals: Refusals;
  readonly #events = new ItemQueue<ChunkEvent>(MAX_EVENTS);
  readonly #changed = new Pulse();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Says why the session is of no use any more. */
  readonly #over = new AbortController();
  #lock: ManagerLock | undefined;
  #keeper: RunKeeper | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: ManagerOptions, place: Place, peers: Peers, client: Redis) {
    this.#options = options;
    this.#place = place;
    this.#peers = peers;
    this.#client = client;
    this.#timings = timingsFor(options.leaseMs);
    this.#refusals = new Refusals(place.address, options.logger);
  }

  /**
   * Connects to a Redis.
   *
   * @throws {@link BrokerError} for one that cannot be used; {@link DistributedAddressError} when there is none.
   */
  static async open(options: ManagerOptions): Promise<RedisManagerSession> {
    assertPositiveInteger('leaseMs', options.leaseMs);
    const place = placeOf(options.url, options.secret);
    const peers = await loadPeers();
    const client = await connectBroker(place, peers, options.logger);
    try {
      await assertFit(client, place);
    } catch (error) {
      client.disconnect();
      throw error;
    }
    return new RedisManagerSession(options, place, peers, client);
  }

  get address(): string {
    return this.#place.address;
  }

  /** When another manager is at work here, it is waited for its end, or its death. */
  begin(run: RunDescription, signal?: AbortSignal): Promise<RunState> {
    return this.#explained(() => this.#begin(run, this.#orOver(signal)));
  }

  async #begin({ name, digest }: RunDescription, ends: AbortSignal): Promise<RunState> {
    const { secret, logger } = this.#options;
    const lock = await this.#standBy(name, ends);
    this.#lock = lock;
    const keeper = await RunKeeper.open({
      ...{ name, digest, secret, lock, logger, refusals: this.#refusals, over: this.#over.signal },
      ...{ place: this.#place, peers: this.#peers, client: this.#client, timings: this.#timings },
      emit: (event) => {
        if (this.#events.hasRoom) this.#events.add(event);
      },
    });
    this.#keeper = keeper;
    this.#over.signal.throwIfAborted();
    this.#every(this.#timings.beatMs, () => keeper.beat());
    this.#every(this.#timings.lookMs, async () => {
      await keeper.crew.look();
      this.#changed.beat();
    });
    const { run, stage, size, notes } = keeper.record;
    const planned = size !== undefined;
    const header = planned ? await keeper.header() : undefined;
    return { run, stage, planned, header, notes: [...notes] };
  }

  async submit(stage: number, plan: StagePlan, policy: RetryPolicy): Promise<void> {
    const keeper = this.#at(stage);
    if (keeper.record.size !== undefined)
      throw new RunStateError(`Stage ${stage} is planned already: settle it`);
    await this.#explained(() => keeper.submit(plan, policy));
  }

  settle(stage: number, signal?: AbortSignal): Promise<StageOutcome> {
    const ends = this.#orOver(signal);
    return orAborted(
      this.#explained(() => this.#settled(stage, ends)),
      ends,
    );
  }

  revive(stage: number): Promise<number> {
    return this.#explained(() => this.#at(stage).revive());
  }

  async finish(stage: number, note: string): Promise<void> {
    await this.#at(stage).finish(note);
  }

  async end(): Promise<void> {
    await this.#explained(() => this.#running().end());
  }

  async workers(): Promise<{ count: number; slots: number }> {
    const present = (await this.#keeper?.crew.present()) ?? [];
    return { count: present.length, slots: present.reduce((sum, { slots }) => sum + slots, 0) };
  }

  async *events(): AsyncGenerator<ChunkEvent, void, undefined> {
    while (!this.#events.finished) {
      await this.#events.filled(1);
      yield* this.#events.take(MAX_EVENTS);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#fail(new RunStateError('The session is closed'));
    const farewell = async () => {
      await this.#lock?.release();
      await this.#keeper?.close();
      await this.#client.quit();
    };
    await settledWithin(farewell().catch(ignore), FAREWELL_MS);
    this.#client.disconnect();
    this.#events.end();
  }

  /** Waits until nobody else is the manager here. */
  async #standBy(name: string, ends: AbortSignal): Promise<ManagerLock> {
    const { prefix, address } = this.#place;
    const { leaseMs, beatMs } = this.#timings;
    const lock = new ManagerLock(this.#client, prefix, leaseMs, name);
    for (let waits = 0; ; waits++) {
      ends.throwIfAborted();
      const owner = await lock.acquire();
      if (owner === undefined) return lock;
      if (waits === 0)
        this.#options.logger.warn(
          `${name} stands by: ${owner} manages a run at ${address}; its turn comes when that has ended, or died`,
        );
      await orAborted(setTimeout(beatMs), ends);
    }
  }

  /** Fires when the session is over, too. */
  #orOver(signal: AbortSignal | undefined): AbortSignal {
    return AbortSignal.any([this.#over.signal, ...(signal === undefined ? [] : [signal])]);
  }

  async #settled(stage: number, ends: AbortSignal): Promise<StageOutcome> {
    const keeper = this.#at(stage);
    const { size } = keeper.record;
    if (size === undefined) throw new RunStateError(`Stage ${stage} has no plan: submit one`);
    for (;;) {
      ends.throwIfAborted();
      const changed = this.#changed.next();
      if (await keeper.isSettled(size)) return keeper.outcome();
      await changed;
    }
  }

  /** Does something again and again; while the Redis is away it is waited for. */
  #every(ms: number, action: () => Promise<void>): void {
    let isBusy = false;
    const act = async () => {
      if (isBusy) return;
      isBusy = true;
      try {
        await action();
      } catch (error) {
        if (error instanceof RunLockedError) this.#fail(error);
        else if (!this.#refusals.hears(error))
          this.#options.logger.debug(`${this.address}: ${String(error)}`);
      }
      isBusy = false;
    };
    this.#timers.push(setInterval(() => void act(), ms));
  }

  /** Does something, and says what is to be done when the Redis refuses to write it. */
  async #explained<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.#refusals.explain(error);
    }
  }

  #fail(error: unknown): void {
    // The lock is not taken up again.
    for (const timer of this.#timers) clearInterval(timer);
    this.#over.abort(error);
    this.#changed.beat();
  }

  #running(): RunKeeper {
    this.#over.signal.throwIfAborted();
    if (this.#keeper === undefined) throw new RunStateError('No run has begun: call begin() first');
    return this.#keeper;
  }

  #at(stage: number): RunKeeper {
    const keeper = this.#running();
    const { stage: current } = keeper.record;
    if (stage !== current)
      throw new RunStateError(`Stage ${stage} is not at work: stage ${current} is`);
    return keeper;
  }
}

const ignore = () => undefined;

/** Waits for something, but not longer than until a signal fires. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const done = () => signal.removeEventListener('abort', abort);
    work.then(resolve, reject).finally(done);
  });
}
