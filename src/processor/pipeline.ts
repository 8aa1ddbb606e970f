import type { ItemFailure } from '../builder/build-report.js';
import type { Builder } from '../builder/builder.js';
import { InvalidBuilderError, TooManyFailuresError } from '../errors/builder-errors.js';
import { showValue } from '../errors/show-value.js';
import type { RawDocument } from '../store/raw-document.js';
import type { UpdateResult } from '../store/store-options.js';
import { ItemQueue } from '../util/item-queue.js';
import type { Logger } from '../util/logger.js';
import { nextTurn, settledWithin } from '../util/turn.js';
import type { BuildMonitor } from './build-monitor.js';
import type { Executor, Lane } from './executor.js';
import { batchesOf } from './item-batches.js';
import type { Failed, Outcome, Unfinished } from './outcome.js';
import { ResultOrder } from './result-order.js';
import type { RetryPolicy } from './retry-queue.js';
import { RetryQueue } from './retry-queue.js';
import { Task } from './task.js';

/** How long a source that was told to stop may take to do so. */
const GRACE_MS = 1000;
const MAX_FETCH = 1000;

/** Something to write: a result, or the record of an item that has none. */
interface Entry<Result> {
  readonly result: Result;
  readonly end: 'succeeded' | 'failed' | 'skipped';
}

/** What a pipeline needs from its processor. */
export interface PipelineSetup {
  readonly logger: Logger;
  readonly maxFailures: number;
  readonly retry: RetryPolicy | null;
}

/**
 * The three stages of a build, at work at the same time: get, process, update.
 *
 * Bounded queues join them, so that a slow stage holds the others back. A source that fails ends the build when what it
 * gave is written; a target that fails ends it at once.
 */
export class Pipeline<Item, Result> {
  readonly #builder: Builder<Item, Result>;
  readonly #executor: Executor<Item, Result>;
  readonly #monitor: BuildMonitor;
  readonly #logger: Logger;
  readonly #maxFailures: number;
  readonly #items: ItemQueue<Item | RawDocument>;
  readonly #results: ItemQueue<Entry<Result>>;
  readonly #retry: RetryPolicy | null;
  readonly #retries = new RetryQueue<Item>();
  /** Only for a builder whose results must be written in order. */
  readonly #order: ResultOrder<Entry<Result>> | null;
  /** How many items may be between the stages. */
  readonly #window: number;
  #taken = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    builder: Builder<Item, Result>,
    executor: Executor<Item, Result>,
    monitor: BuildMonitor,
    options: PipelineSetup,
  ) {
    this.#builder = builder;
    this.#executor = executor;
    this.#monitor = monitor;
    this.#logger = options.logger;
    this.#maxFailures = options.maxFailures;
    this.#retry = options.retry;
    this.#window = Math.max(builder.chunkSize, 2 * executor.lanes.length);
    this.#items = new ItemQueue(this.#window);
    this.#order = builder.ordered && executor.lanes.length > 1 ? new ResultOrder() : null;
    this.#results = new ItemQueue(builder.chunkSize);
  }

  /**
   * Runs the stages to their end.
   *
   * @throws What ended the build early.
   */
  async run(): Promise<void> {
    await Promise.all([this.#get(), this.#process(), this.#update()]);
    if (this.#failure) throw this.#failure.error;
  }

  /** Takes no more items; those being processed are finished, and all results are written. */
  halt(): void {
    this.#items.close();
    this.#retries.close();
  }

  /** Does nothing more at all. */
  abandon(): void {
    this.halt();
    this.#results.close();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }

  async #get(): Promise<void> {
    const reading = this.#read();
    const closed = this.#items.whenClosed().then(() => settledWithin(reading, GRACE_MS));
    await Promise.race([reading, closed]);
  }

  async #read(): Promise<void> {
    try {
      await this.#readItems();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#monitor.started(this.#builder.total);
      this.#items.end();
    }
  }

  async #readItems(): Promise<void> {
    const builder = this.#builder;
    if (typeof builder.getItems !== 'function')
      throw new InvalidBuilderError(builder.constructor.name, 'has no method getItems()');
    builder.total = null;
    const items = builder.getItems();
    if (Array.isArray(items)) builder.total ??= items.length;
    let started = performance.now();
    const { prefersBytes } = this.#executor;
    const batches = batchesOf(items, builder.constructor.name, this.#fetchSize, prefersBytes);
    for await (const batch of batches) {
      this.#monitor.worked('get', started);
      this.#monitor.started(builder.total);
      if (!this.#items.hasRoom) await this.#items.room();
      if (this.#items.closed) return;
      this.#items.addAll(batch);
      this.#monitor.fetched(batch.length);
      started = performance.now();
    }
  }

  get #fetchSize(): number {
    return Math.min(MAX_FETCH, Math.max(this.#builder.chunkSize, this.#executor.lanes.length));
  }

  async #process(): Promise<void> {
    try {
      await Promise.all(this.#executor.lanes.map((lane) => this.#work(lane)));
    } catch (error) {
      this.#fail(error);
      this.halt();
    } finally {
      if (this.#order) this.#results.addAll(this.#order.rest());
      this.#results.end();
    }
  }

  async #work(lane: Lane<Item, Result>): Promise<void> {
    const halted = () => this.#items.closed;
    for (;;) {
      const tasks = await this.#nextTasks(lane);
      if (tasks.length === 0) return;
      const started = performance.now();
      const outcomes = await lane.process(tasks, halted);
      // Lanes are at work at the same time.
      this.#monitor.worked('process', started, this.#executor.lanes.length);
      const entries: Entry<Result>[] = [];
      let ended = 0;
      for (const [i, outcome] of outcomes.entries())
        if (this.#collect(entries, tasks[i] as Task<Item>, outcome)) ended++;
      this.#monitor.attempted(ended);
      if (!this.#results.hasRoom) await this.#results.room();
      this.#results.addAll(entries);
    }
  }

  /** Waits for something to do; nothing when there will be no more. */
  async #nextTasks(lane: Lane<Item, Result>): Promise<Task<Item>[]> {
    for (;;) {
      const again = this.#retries.take(lane.appetite);
      if (again.length > 0) return again;
      const noMore = this.#items.finished;
      if (noMore && this.#retries.isEmpty) return [];
      if (noMore) await this.#retries.changed();
      else if (this.#isTooFarAhead) await this.#orRetry(this.#order?.advanced());
      else {
        if (this.#items.size === 0) await this.#orRetry(this.#items.filled(1));
        // A source that yields item by item gets the time to make it a batch.
        await nextTurn();
        const items = this.#items.take(this.#batchSize(lane));
        if (items.length > 0) return items.map((item) => new Task<Item>(item, this.#taken++));
      }
    }
  }

  /** Waits, but not longer than for the next item that is to be tried again. Whoever adds one looks for it, too. */
  async #orRetry(waiting: Promise<void> | undefined): Promise<void> {
    await (this.#retries.isEmpty ? waiting : Promise.race([waiting, this.#retries.changed()]));
  }

  /** What a lane wants, but not more than its share of what is there, and of the failures that are tolerated. */
  #batchSize({ appetite }: Lane<Item, Result>): number {
    const share = Math.ceil(this.#items.size / this.#executor.lanes.length);
    return Math.max(1, Math.min(appetite, share, this.#toleratedFailures + 1));
  }

  /** True when results would have to wait for too many others. */
  get #isTooFarAhead(): boolean {
    return this.#order !== null && this.#taken - this.#order.next >= this.#window;
  }

  /** How many items may still fail; a batch is no larger than that, so that a run ends where it should. */
  get #toleratedFailures(): number {
    return Math.max(0, this.#maxFailures - this.#monitor.failuresSeen);
  }

  /**
   * Adds what is to be written for an item; one with nothing to write is settled.
   *
   * @returns False when the item will be tried again.
   */
  #collect(
    entries: Entry<Result>[],
    task: Task<Item>,
    outcome: Outcome<Result> | Unfinished,
  ): boolean {
    if (outcome.kind === 'unfinished') {
      const { wasLost, isSuspect } = outcome;
      const losses = task.history.losses + (wasLost ? 1 : 0);
      this.#again(task.again({ losses, isSuspect }), 0);
      return false;
    }
    if (outcome.kind === 'failed' && this.#isTriedAgain(task, outcome)) return false;
    const entry = this.#entryOf(task, outcome);
    if (this.#order) entries.push(...this.#order.put(task.place, entry));
    else if (entry !== null) entries.push(entry);
    return true;
  }

  #isTriedAgain(task: Task<Item>, outcome: Failed): boolean {
    const policy = this.#retry;
    const failures = task.history.failures + 1;
    if (policy === null || failures >= policy.attempts || !policy.isWorth(outcome)) return false;
    return this.#again(task.again({ failures }), policy.delayMs * 2 ** (failures - 1));
  }

  #again(task: Task<Item>, delayMs: number): boolean {
    if (this.#items.closed) return false;
    this.#retries.add(task, delayMs);
    return true;
  }

  #entryOf(task: Task<Item>, outcome: Outcome<Result>): Entry<Result> | null {
    const { kind } = outcome;
    if (kind === 'done') return { result: outcome.result, end: 'succeeded' };
    const result =
      kind === 'skipped'
        ? this.#builder.skipResult(task.item)
        : this.#builder.failureResult(task.item, this.#failed(task, outcome));
    if (result !== undefined) return { result, end: kind };
    this.#monitor.settled(kind);
    return null;
  }

  #failed({ item, history }: Task<Item>, { kind: _, ...problem }: Failed): ItemFailure {
    const attempts = history.failures + history.losses + 1;
    const failure = { key: this.#builder.itemKey(item), attempts, ...problem };
    const { key, cause, error } = failure;
    const builder = this.#builder.constructor.name;
    this.#logger.error(`${builder}: item ${showValue(key)} failed: ${error.message}`, {
      builder,
      key,
      cause,
      attempts,
      stack: error.stack,
    });
    this.#monitor.itemFailed(failure);
    if (this.#monitor.failuresSeen > this.#maxFailures) {
      this.#fail(new TooManyFailuresError(this.#maxFailures, key, error.message));
      this.halt();
    }
    return failure;
  }

  async #update(): Promise<void> {
    const { chunkSize, maxConcurrentUpdates } = this.#builder;
    const writing = new Set<Promise<void>>();
    for (;;) {
      await this.#results.filled(chunkSize);
      if (writing.size >= maxConcurrentUpdates) await Promise.race(writing);
      const entries = this.#results.take(chunkSize);
      if (entries.length === 0) break;
      const write: Promise<void> = this.#write(entries).finally(() => writing.delete(write));
      writing.add(write);
    }
    await Promise.all(writing);
  }

  async #write(entries: readonly Entry<Result>[]): Promise<void> {
    const started = performance.now();
    this.#logger.info(`Processing batch of ${entries.length} items`);
    this.#monitor.updating(entries.length);
    try {
      const result = await this.#builder.updateTargets(entries.map((entry) => entry.result));
      this.#settle(entries, result ?? undefined);
    } catch (error) {
      this.#fail(error);
      this.abandon();
    } finally {
      this.#monitor.worked('update', started);
    }
  }

  #settle(entries: readonly Entry<Result>[], result: UpdateResult | undefined): void {
    const count = { succeeded: 0, failed: 0, skipped: 0 };
    for (const { end } of entries) count[end]++;
    const refused = result?.refused ?? [];
    for (const { key, reason, paths } of refused)
      this.#logger.warn(
        `${showValue(key)} was not stored: ${[reason, ...(paths ?? [])].join(': ')}`,
      );
    const invalid = Math.min(refused.length, count.succeeded);
    this.#monitor.settled('succeeded', count.succeeded - invalid);
    this.#monitor.settled('invalid', invalid);
    this.#monitor.settled('failed', count.failed);
    this.#monitor.settled('skipped', count.skipped);
  }
}
