import { Pulse } from '../util/pulse.js';

/**
 * Puts what comes in any order back into the order of its places.
 *
 * @typeParam T - What has a place; null for a place that turned out to be empty.
 */
export class ResultOrder<T> {
  readonly #waiting = new Map<number, T | null>();
  #next = 0;
  readonly #advance = new Pulse();

  /** The first place that is missing; all before it were given back. */
  get next(): number {
    return this.#next;
  }

  /** Adds what has a place, and returns what can follow now. */
  put(place: number, value: T | null): T[] {
    this.#waiting.set(place, value);
    const released: T[] = [];
    for (; this.#waiting.has(this.#next); this.#next++) {
      const following = this.#waiting.get(this.#next) ?? null;
      this.#waiting.delete(this.#next);
      if (following !== null) released.push(following);
    }
    this.#advance.beat();
    return released;
  }

  /** Returns what waits for places that will never come, in order. */
  rest(): T[] {
    const places = [...this.#waiting.keys()].sort((a, b) => a - b);
    const values = places.map((place) => this.#waiting.get(place) ?? null);
    this.#waiting.clear();
    return values.filter((value) => value !== null);
  }

  /** Resolves at the next {@link put}. */
  advanced(): Promise<void> {
    return this.#advance.next();
  }
}
