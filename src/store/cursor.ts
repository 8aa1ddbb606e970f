import { CursorUsedError } from '../errors/store-errors.js';

const DEFAULT_BATCH_SIZE = 1000;

/**
 * The lazy answer to a query, read once: one by one, by batch, or whole.
 *
 * Nothing is asked of the backend before the first pull, and leaving a loop ends the query.
 */
export interface Cursor<T> extends AsyncIterable<T>, AsyncDisposable {
  /**
   * Yields arrays of at most `size`, the cheapest way to read many.
   *
   * @param size - How many at a time.
   * @defaultValue `1000`
   */
  batches(size?: number): AsyncIterable<T[]>;
  /** Reads everything into memory. */
  toArray(): Promise<T[]>;
}

/** The keys found by {@link Store.newerIn}. */
export type KeyCursor = Cursor<unknown>;

/** A {@link Cursor} over whatever yields batches. */
export class BatchCursor<T> implements Cursor<T> {
  readonly #store: string;
  #open: ((size: number) => AsyncIterable<T[]>) | undefined;
  #reading: AsyncIterator<T[]> | undefined;

  /**
   * @param store - Name of the store, for messages.
   * @param open - Starts reading, with the batch size wanted; called at the first pull.
   */
  constructor(store: string, open: (size: number) => AsyncIterable<T[]>) {
    this.#store = store;
    this.#open = open;
  }

  async *batches(size = DEFAULT_BATCH_SIZE): AsyncGenerator<T[], void, undefined> {
    const open = this.#open;
    if (open === undefined) throw new CursorUsedError(this.#store);
    this.#open = undefined;
    const reading = open(size)[Symbol.asyncIterator]();
    this.#reading = reading;
    try {
      for (let next = await reading.next(); !next.done; next = await reading.next())
        yield next.value;
    } finally {
      this.#reading = undefined;
      await reading.return?.();
    }
  }

  /** Yields the documents one by one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const batch of this.batches()) yield* batch;
  }

  async toArray(): Promise<T[]> {
    const all: T[] = [];
    for await (const batch of this.batches()) for (const item of batch) all.push(item);
    return all;
  }

  /** Ends the query. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = undefined;
    await this.#reading?.return?.();
  }
}
