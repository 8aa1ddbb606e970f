import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import { getPath, valuesAt } from '../../query/path.js';

interface Indexed {
  readonly doc: Doc;
}

/**
 * Makes sure that no two documents have the same values at some paths.
 *
 * As in MongoDB, a missing value counts as null, and an index over one path looks at each element of an array.
 */
export class UniqueIndex<Entry extends Indexed> {
  readonly paths: readonly string[];
  readonly #owners = new Map<Hash, Entry>();

  constructor(paths: readonly string[]) {
    this.paths = paths;
  }

  /** Takes a document in, unless another one has its place. */
  add(entry: Entry): boolean {
    const hashes = this.#hashesOf(entry.doc);
    if (hashes.some((hash) => (this.#owners.get(hash) ?? entry) !== entry)) return false;
    for (const hash of hashes) this.#owners.set(hash, entry);
    return true;
  }

  delete(entry: Entry): void {
    for (const hash of this.#hashesOf(entry.doc))
      if (this.#owners.get(hash) === entry) this.#owners.delete(hash);
  }

  #hashesOf(doc: Doc): Hash[] {
    const [path = '_id', ...others] = this.paths;
    if (others.length > 0) return [hashValue(this.paths.map((each) => getPath(doc, each) ?? null))];
    return [...new Set(valuesAt(doc, path).map(hashValue))];
  }
}
