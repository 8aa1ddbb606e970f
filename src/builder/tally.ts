/** Keys that were counted, and the first of them. */
export class Tally {
  count = 0;
  example: unknown;

  add(key: unknown): void {
    if (this.count++ === 0) this.example = key;
  }
}
