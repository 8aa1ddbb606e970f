import { hashValue } from '../query/hash.js';

const HIGH_SEED = 0x9e3779b9;
const LOW_SEED = 0x85ebca6b;
const HIGH_FACTOR = 0x9e3779b1;
const LOW_FACTOR = 0x5f356495;

/** The bits of a number. */
const NUMBER = new Float64Array(1);
const WORDS = new Uint32Array(NUMBER.buffer);

/**
 * A fingerprint of a set of keys, for comparing sets without holding them: their number, and the sum of a hash of 64
 * bits of each. The order in which they are added does not count.
 */
export class KeyDigest {
  #count = 0;
  #high = 0;
  #low = 0;

  /** How many keys were added. */
  get count(): number {
    return this.#count;
  }

  add(key: unknown): void {
    const hash = hashValue(key);
    let high = HIGH_SEED;
    // True is not 'true'.
    let low = typeof hash === 'string' ? LOW_SEED : HIGH_SEED;
    if (typeof hash === 'number') {
      NUMBER[0] = hash;
      high ^= Math.imul(WORDS[0] as number, HIGH_FACTOR);
      low ^= Math.imul(WORDS[1] as number, LOW_FACTOR);
    } else {
      const text = String(hash);
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        high = Math.imul(high ^ unit, HIGH_FACTOR);
        low = Math.imul(low ^ unit, LOW_FACTOR);
      }
    }
    this.#count++;
    this.#high = (this.#high + mix(high ^ mix(low))) >>> 0;
    this.#low = (this.#low + mix(low ^ mix(high + 1))) >>> 0;
  }

  equals(other: KeyDigest): boolean {
    return this.#count === other.#count && this.#high === other.#high && this.#low === other.#low;
  }
}

/** Lets each bit of a number change about half of the bits of the result. */
function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
