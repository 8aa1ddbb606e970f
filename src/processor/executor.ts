import type { Outcome, Unfinished } from './outcome.js';
import type { Task } from './task.js';

/**
 * Where items are processed: the one thing in which the strategies differ.
 *
 * Each lane works on one batch at a time, and all lanes at the same time.
 */
export interface Executor<Item, Result> extends AsyncDisposable {
  readonly lanes: readonly Lane<Item, Result>[];
  /** True when lanes would rather have the bytes of an item than the item. */
  readonly prefersBytes: boolean;
}

/** One place of work: this thread, a worker. */
export interface Lane<Item, Result> {
  /** How many items it wants next, at least 1. */
  readonly appetite: number;
  /**
   * Processes a batch.
   *
   * @param tasks - At least one.
   * @param halted - Asked between items; once it is true, the rest of the batch is left.
   * @returns What came of the first items, in their order; of all of them, unless halted.
   * @throws Only when nothing more can be processed here.
   */
  process(
    tasks: readonly Task<Item>[],
    halted: () => boolean,
  ): Promise<(Outcome<Result> | Unfinished)[]>;
}
