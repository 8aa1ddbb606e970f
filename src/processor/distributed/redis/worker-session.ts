import { setTimeout } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { BrokerError, DistributedAddressError } from '../../../errors/distributed-errors.js';
import { assertNonEmptyString, assertPositiveInteger } from '../../../util/assert-option.js';
import { Pulse } from '../../../util/pulse.js';
import { settledWithin } from '../../../util/turn.js';
import type { WorkerOptions, WorkerSession } from '../engine.js';
import type { Received } from '../receivers.js';
import { Receivers } from '../receivers.js';
import { connectBroker } from './broker.js';
import { isManaged } from './manager-lock.js';
import type { Peers } from './peers.js';
import { loadPeers } from './peers.js';
import type { Place } from './place.js';
import { placeOf } from './place.js';
import type { RedisLease } from './redis-lease.js';
import { Refusals } from './refusals.js';
import { readCurrent } from './run-record.js';
import { WorkerRun } from './worker-run.js';

/** How often it is looked whether there is a run, and a Redis. */
const LOOK_MS = 200;
const RECONNECT_MS = 1000;
/** So long may a Redis take to hear that we leave. */
const FAREWELL_MS = 1000;

/** The worker's side: it takes part in the run that is at work at its place. */
export class RedisWorkerSession implements WorkerSession {
  readonly #options: WorkerOptions;
  readonly #place: Place;
  readonly #peers: Peers;
  readonly #refusals: Refusals;
  readonly #over = new AbortController();
  readonly #want = new Pulse();
  readonly #receivers = new Receivers({ asked: () => this.#want.beat() });
  #client: Redis | undefined;
  #run: WorkerRun | undefined;
  #hasWarned = false;
  #servedAt = Number.NEGATIVE_INFINITY;
  #working: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(options: WorkerOptions, place: Place, peers: Peers) {
    this.#options = options;
    this.#place = place;
    this.#peers = peers;
    this.#refusals = new Refusals(place.address, options.logger);
  }

  /**
   * Connects; when nobody is there yet, it is tried again in the background.
   *
   * @throws {@link BrokerError} when the Redis does not let us in.
   * @throws {@link DistributedAddressError} when there is no such host.
   */
  static async connect(options: WorkerOptions): Promise<RedisWorkerSession> {
    assertPositiveInteger('leaseMs', options.leaseMs);
    assertPositiveInteger('slots', options.slots);
    assertNonEmptyString('worker', options.worker);
    const place = placeOf(options.url, options.secret);
    const session = new RedisWorkerSession(options, place, await loadPeers());
    await session.#connect();
    session.#working = session.#work();
    return session;
  }

  get address(): string {
    return this.#place.address;
  }

  /** What a manager left is done without it. A Redis that does not answer is of no use. */
  get isServed(): boolean {
    return performance.now() - this.#servedAt <= this.#options.leaseMs;
  }

  receive(signal?: AbortSignal): Promise<Received> {
    return this.#receivers.receive(signal);
  }

  log(line: Parameters<WorkerSession['log']>[0]): void {
    this.#run?.tell({ type: 'WORKER_LOG', worker: this.#options.worker, ...line });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#over.abort();
    this.#receivers.close();
    await settledWithin(this.#working, FAREWELL_MS);
    await this.#run?.leave();
    if (this.#client !== undefined)
      await settledWithin(this.#client.quit().catch(ignore), FAREWELL_MS);
    this.#client?.disconnect();
    // What was asked of a Redis that is away is never answered.
    await settledWithin(this.#working, FAREWELL_MS);
  }

  /** Says only once that nobody is there. */
  async #connect(): Promise<void> {
    const { logger } = this.#options;
    try {
      this.#client = await connectBroker(this.#place, this.#peers, logger);
    } catch (error) {
      if (!isPassing(error)) throw error;
      const { message } = error as Error;
      if (!this.#hasWarned) logger.warn(`${message}; it is tried again until somebody is there`);
      this.#hasWarned = true;
    }
  }

  /** Looks at the run until the session is over, or the run. */
  async #work(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted && !this.#receivers.hasFinished) {
      let pauseMs = RECONNECT_MS;
      try {
        if (this.#client === undefined) await this.#connect();
        else {
          await this.#look(this.#client);
          pauseMs = this.#run?.timings.beatMs ?? LOOK_MS;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (this.#client === undefined) return this.#receivers.fail(error);
        if (!this.#refusals.hears(error))
          this.#options.logger.warn(`${this.#place.address}: ${String(error)}`);
      }
      await setTimeout(pauseMs, undefined, { signal }).catch(ignore);
    }
  }

  async #look(client: Redis): Promise<void> {
    const { prefix } = this.#place;
    const askedAt = performance.now();
    const [current, hasManager] = await Promise.all([
      readCurrent(client, prefix),
      isManaged(client, prefix),
    ]);
    if ((hasManager && !current?.isOver) || this.#run?.isBusy) this.#servedAt = askedAt;
    if (this.#over.signal.aborted) return;
    if (current === undefined || current.run !== this.#run?.run) await this.#depart(current?.run);
    else if (current.isOver) return this.#finish();
    if (current === undefined || current.isOver) return;
    this.#run ??= await WorkerRun.join(current, {
      ...{ options: this.#options, peers: this.#peers, client, prefix },
      refusals: this.#refusals,
      wanted: () => this.#receivers.size,
      want: this.#want,
      give: (lease) => this.#give(lease),
    });
    await this.#run.beat();
  }

  /** Leaves a run that another one follows, or that was forgotten. */
  async #depart(next: string | undefined): Promise<void> {
    if (this.#run === undefined) return;
    const what = next === undefined ? 'lost its run' : 'has another run now';
    this.#options.logger.warn(`The Redis at ${this.#place.address} ${what}: chunks are dropped`);
    await this.#run.leave();
    this.#run = undefined;
  }

  async #finish(): Promise<void> {
    this.#receivers.finish();
    await this.#run?.leave();
  }

  #give(lease: RedisLease): void {
    if (this.#receivers.give(lease)) return;
    lease.release().catch((error) => this.#receivers.fail(error));
  }
}

const ignore = () => undefined;

/** Somebody may be there later. */
function isPassing(error: unknown): boolean {
  if (error instanceof BrokerError) return false;
  const { cause } = error as { cause?: { code?: unknown } };
  return error instanceof DistributedAddressError && cause?.code !== 'ENOTFOUND';
}
