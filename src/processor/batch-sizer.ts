const TARGET_MS = 10;
const MAX_BATCH = 1000;
const MAX_GROWTH = 4;

/**
 * Finds how many items make a batch of about 10 ms of work.
 *
 * That is long enough for the cost of a batch to vanish, and short enough to stop soon, to keep the event loop free,
 * and to leave work for others. It starts with one item, because the first may be a slow one.
 */
export class BatchSizer {
  #size = 1;

  /** How many items to take next. */
  get size(): number {
    return this.#size;
  }

  /** Learns from a batch. */
  record(items: number, durationMs: number): void {
    const fitting = Math.floor((TARGET_MS / Math.max(durationMs, 0.001)) * items);
    this.#size = Math.max(1, Math.min(fitting, this.#size * MAX_GROWTH, MAX_BATCH));
  }
}
