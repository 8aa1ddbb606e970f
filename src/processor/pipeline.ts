import type { ItemFailure } from '../builder/build-report.js';
import type { Builder } from '../builder/builder.js';
import { InvalidBuilderError, TooManyFailuresError } from '../errors/builder-errors.js';
import { showValue } from '../errors/show-value.js';
import type { UpdateResult } from '../store/store-options.js';
import { ItemQueue } from '../util/item-queue.js';
import type { Logger } from '../util/logger.js';
import { nextTurn, settledWithin } from '../util/turn.js';
import type { BuildMonitor } from './build-monitor.js';
import type { Executor, Lane } from './executor.js';
import { batchesOf } from './item-batches.js';
import type { Failed, Outcome } from './outcome.js';

/** How long a source that was told to stop may take to do so. */
const GRACE_MS = 1000;
const MAX_FETCH = 1000;

/** Something to write: a result, or the record of an item that has none. */
interface Entry<Result> {
  readonly result: Result;
  readonly end: 'succeeded' | 'failed' | 'skipped';
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
  readonly #items: ItemQueue<Item>;
  readonly #results: ItemQueue<Entry<Result>>;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    builder: Builder<Item, Result>,
    executor: Executor<Item, Result>,
    monitor: BuildMonitor,
    options: { readonly logger: Logger; readonly maxFailures: number },
  ) {
    this.#builder = builder;
    this.#executor = executor;
    this.#monitor = monitor;
    this.#logger = options.logger;
    this.#maxFailures = options.maxFailures;
    this.#items = new ItemQueue(Math.max(builder.chunkSize, 2 * executor.lanes.length));
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
  }

  /** Does nothing more at all. */
  abandon(): void {
    this.#items.close();
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
    for await (const batch of batchesOf(items, builder.constructor.name, this.#fetchSize)) {
      this.#monitor.stageMs.get += performance.now() - started;
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
      this.#results.end();
    }
  }

  async #work(lane: Lane<Item, Result>): Promise<void> {
    const halted = () => this.#items.closed;
    while (!this.#items.finished) {
      await this.#items.filled(1);
      // A source that yields item by item gets the time to make it a batch.
      await nextTurn();
      const items = this.#items.take(Math.min(lane.appetite, this.#toleratedFailures + 1));
      if (items.length === 0) continue;
      const started = performance.now();
      const outcomes = await lane.process(items, halted);
      this.#monitor.stageMs.process += performance.now() - started;
      this.#monitor.attempted(outcomes.length);
      const entries: Entry<Result>[] = [];
      for (const [i, outcome] of outcomes.entries())
        this.#collect(entries, items[i] as Item, outcome);
      if (!this.#results.hasRoom) await this.#results.room();
      this.#results.addAll(entries);
    }
  }

  /** How many items may still fail; a batch is no larger than that, so that a run ends where it should. */
  get #toleratedFailures(): number {
    return Math.max(0, this.#maxFailures - this.#monitor.failuresSeen);
  }

  /** Adds what is to be written for an item; one with nothing to write is settled. */
  #collect(entries: Entry<Result>[], item: Item, outcome: Outcome<Result>): void {
    const { kind } = outcome;
    if (kind === 'done') {
      entries.push({ result: outcome.result, end: 'succeeded' });
      return;
    }
    const end = kind;
    const result =
      kind === 'skipped'
        ? this.#builder.skipResult(item)
        : this.#builder.failureResult(item, this.#failed(item, outcome));
    if (result !== undefined) entries.push({ result, end });
    else this.#monitor.settled(end);
  }

  #failed(item: Item, { kind: _, ...outcome }: Failed): ItemFailure {
    const failure = { key: this.#builder.itemKey(item), ...outcome };
    const { key, error } = failure;
    const name = this.#builder.constructor.name;
    this.#logger.error(`${name}: item ${showValue(key)} failed: ${error.message}`, {
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
      this.#monitor.stageMs.update += performance.now() - started;
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
