/** Keys that were counted, and the first of them. */
export class Tally {
  /** How many keys were counted. */
  count = 0;
  /** The first of them; `undefined` while there is none. */
  example: unknown;

  /** Counts one key. */
  add(key: unknown): void {
    if (this.count++ === 0) this.example = key;
  }
}
