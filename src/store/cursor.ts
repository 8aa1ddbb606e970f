import { CursorUsedError } from '../errors/store-errors.js';
import type { RawDocument } from './raw-document.js';

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
  /**
   * The same for who hands documents on and need not look at them: a store that has them as BSON gives the bytes.
   *
   * @param size - How many at a time.
   */
  rawBatches?(size: number): AsyncIterable<(T | RawDocument)[]>;
  /** Reads everything into memory. */
  toArray(): Promise<T[]>;
}

/** The keys found by {@link Store.newerIn}. */
export type KeyCursor = Cursor<unknown>;

/** Starts to read a query. */
export type OpenCursor<T> = (size: number, raw: boolean) => AsyncIterable<(T | RawDocument)[]>;

/** A {@link Cursor} over whatever yields batches. */
export class BatchCursor<T> implements Cursor<T> {
  readonly #store: string;
  #open: OpenCursor<T> | undefined;
  #reading: AsyncIterator<(T | RawDocument)[]> | undefined;

  /**
   * @param store - Name of the store, for messages.
   * @param open - Starts reading, with the batch size wanted; called at the first pull. Only when `raw` is true it may
   * give documents as bytes.
   */
  constructor(store: string, open: OpenCursor<T>) {
    this.#store = store;
    this.#open = open;
  }

  batches(size = DEFAULT_BATCH_SIZE): AsyncGenerator<T[], void, undefined> {
    return this.#read(size, false) as AsyncGenerator<T[], void, undefined>;
  }

  rawBatches(size: number): AsyncGenerator<(T | RawDocument)[], void, undefined> {
    return this.#read(size, true);
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

  async *#read(size: number, raw: boolean): AsyncGenerator<(T | RawDocument)[], void, undefined> {
    const open = this.#open;
    if (open === undefined) throw new CursorUsedError(this.#store);
    this.#open = undefined;
    const reading = open(size, raw)[Symbol.asyncIterator]();
    this.#reading = reading;
    try {
      for (let next = await reading.next(); !next.done; next = await reading.next())
        yield next.value;
    } finally {
      this.#reading = undefined;
      await reading.return?.();
    }
  }
}
