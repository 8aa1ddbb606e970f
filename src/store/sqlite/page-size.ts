import type { StoredRow } from './collection.js';

const FIRST_ROWS = 16;
const MOST_ROWS = 1024;
/** What one statement should bring into memory at most, in characters. */
const PAGE_LENGTH = 4_000_000;

/** How many rows the next statement asks for: few at first, and fewer where documents are large. */
export class PageSize {
  readonly #most: number;
  #rows: number;

  /** @param wanted - How many will be taken at most, if that is known. */
  constructor(wanted = MOST_ROWS) {
    this.#most = Math.min(powerOfTwo(wanted), MOST_ROWS);
    this.#rows = Math.min(FIRST_ROWS, this.#most);
  }

  /** A power of two, so that there are few different statements. */
  get rows(): number {
    return this.#rows;
  }

  /** Learns from what came. */
  adapt(rows: readonly StoredRow[]): void {
    const length = rows.reduce((sum, { body }) => sum + body.length, 1);
    const average = length / Math.max(rows.length, 1);
    this.#rows = Math.min(this.#rows * 4, this.#most);
    while (this.#rows > 1 && this.#rows * average > PAGE_LENGTH) this.#rows /= 2;
  }
}

/** The next power of two. A limit is part of a statement's text: as a parameter it is compiled anew each time. */
export const powerOfTwo = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(count, 1)));
