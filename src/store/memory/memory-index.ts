import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import { readField, valuesAt } from '../../query/path.js';

/** What an index holds for one value: one entry, or several. */
type Bucket<Entry> = Entry | Set<Entry>;

/**
 * An equality index over one path, with an entry for each value that MongoDB would find there (arrays by element).
 *
 * What it finds is a superset: the caller checks again.
 */
export class MemoryIndex<Entry extends object> {
  readonly path: string;
  readonly #isTop: boolean;
  readonly #buckets = new Map<Hash, Bucket<Entry>>();

  constructor(path: string) {
    this.path = path;
    this.#isTop = !path.includes('.');
  }

  add(doc: Doc, entry: Entry): void {
    this.#eachHash(doc, (hash) => {
      const bucket = this.#buckets.get(hash);
      if (bucket === undefined) this.#buckets.set(hash, entry);
      else if (bucket instanceof Set) bucket.add(entry);
      else if (bucket !== entry) this.#buckets.set(hash, new Set([bucket, entry]));
    });
  }

  delete(doc: Doc, entry: Entry): void {
    this.#eachHash(doc, (hash) => {
      const bucket = this.#buckets.get(hash);
      if (bucket instanceof Set) bucket.delete(entry);
      else if (bucket === entry) this.#buckets.delete(hash);
    });
  }

  /** The entries that may have this value, in the order in which they were added. */
  find(value: unknown): Iterable<Entry> {
    const bucket = this.#buckets.get(hashValue(value));
    if (bucket === undefined) return [];
    return bucket instanceof Set ? bucket : [bucket];
  }

  #eachHash(doc: Doc, visit: (hash: Hash) => void): void {
    const value = this.#isTop ? readField(doc, this.path) : undefined;
    // The common case, without a list of values.
    if (value !== undefined && !Array.isArray(value)) visit(hashValue(value));
    else for (const each of valuesAt(doc, this.path)) visit(hashValue(each));
  }
}
