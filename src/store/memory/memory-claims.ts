import type { Claim, ClaimBoard } from '../claim-board.js';

/** The claims on the collections of this process. */
const claims = new WeakMap<object, Claim>();

/** A claim on a collection that only this process has. */
export class MemoryClaim implements ClaimBoard {
  readonly #collection: object;

  /** @param collection - What holds the documents. */
  constructor(collection: object) {
    this.#collection = collection;
  }

  async read(): Promise<Claim | null> {
    return claims.get(this.#collection) ?? null;
  }

  async swap(from: string | null, to: Claim | null): Promise<boolean> {
    if ((claims.get(this.#collection)?.id ?? null) !== from) return false;
    if (to === null) claims.delete(this.#collection);
    else claims.set(this.#collection, to);
    return true;
  }
}
