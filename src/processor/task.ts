import { RawDocument } from '../store/raw-document.js';

/** What happened to an item before, and what follows from it. */
export interface TaskHistory {
  /** How many times it failed before, and is tried again. */
  readonly failures: number;
  /** How many workers it seems to have cost. */
  readonly losses: number;
  /** It must not share a batch with others, because it may cost the worker. */
  readonly isSuspect: boolean;
}

const NEW: TaskHistory = Object.freeze({ failures: 0, losses: 0, isSuspect: false });

/** An item on its way through the processing stage. */
export class Task<Item> {
  /** Its place among all items, from 0. */
  readonly place: number;
  readonly history: TaskHistory;
  readonly #source: Item | RawDocument;

  /** @param source - The item, or the bytes that it is made of. */
  constructor(source: Item | RawDocument, place: number, history = NEW) {
    this.#source = source;
    this.place = place;
    this.history = history;
  }

  /** The item; decoded each time, when it came as bytes. */
  get item(): Item {
    return this.#source instanceof RawDocument ? (this.#source.decode() as Item) : this.#source;
  }

  /** The item as BSON, when that is how it came. */
  get bytes(): Uint8Array | null {
    return this.#source instanceof RawDocument ? this.#source.bytes : null;
  }

  /** The same item, to be tried again. */
  again(change: Partial<TaskHistory>): Task<Item> {
    return new Task<Item>(this.#source, this.place, { ...this.history, ...change });
  }
}
