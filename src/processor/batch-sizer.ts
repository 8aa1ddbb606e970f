const MAX_BATCH = 1000;
const MAX_GROWTH = 4;

/**
 * Finds how many items make a batch of a certain time.
 *
 * That should be long enough for the cost of a batch to vanish, and short enough to stop soon, to keep the event loop
 * free, and to leave work for others. It starts with one item, because the first may be a slow one.
 */
export class BatchSizer {
  readonly #targetMs: number;
  #size = 1;

  /** @param targetMs - How long a batch should take, in milliseconds. */
  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  /** How many items to take next. */
  get size(): number {
    return this.#size;
  }

  /** Learns from a batch. */
  record(items: number, durationMs: number): void {
    const fitting = Math.floor((this.#targetMs / Math.max(durationMs, 0.001)) * items);
    this.#size = Math.max(1, Math.min(fitting, this.#size * MAX_GROWTH, MAX_BATCH));
  }
}
