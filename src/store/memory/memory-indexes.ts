import type { Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import { valuesAt } from '../../query/path.js';
import { MemoryIndex } from './memory-index.js';

/** What is indexed: anything that holds a document. */
interface Indexed {
  readonly doc: Doc;
}

/** One path, and the compound indexes that begin with it. */
interface Branch<Entry extends Indexed> {
  readonly index: MemoryIndex<Entry>;
  /** The other paths of each compound index. */
  readonly rests: (readonly string[])[];
  /** By the hash of a value: indexes on those other paths, over the documents that have the value. */
  readonly inner: Map<Hash, MemoryIndexes<Entry>>;
}

/** Fewer documents with one value are looked at one by one. */
const WORTH_AN_INDEX = 16;

/**
 * The indexes of a collection, over one path or several.
 *
 * A compound index is one on its first path, and below each of its values one on the others. The latter is made when it
 * is first needed, so that a compound index costs nothing where the first path is enough. Arrays need no rule of their
 * own: a document stands below each of its values.
 */
export class MemoryIndexes<Entry extends Indexed> {
  readonly #branches = new Map<string, Branch<Entry>>();

  /** Makes an index over some paths, unless there is one that begins with them. */
  ensure([path = '_id', ...rest]: readonly string[], entries: Iterable<Entry>): void {
    const { rests, inner } = this.#branches.get(path) ?? this.#grow(path, entries);
    const isKnown = rests.some((known) => rest.every((each, i) => each === known[i]));
    if (rest.length === 0 || isKnown) return;
    rests.push(rest);
    inner.clear();
  }

  add(entry: Entry): void {
    for (const branch of this.#branches.values()) {
      branch.index.add(entry);
      for (const inner of innerOf(branch, entry)) inner.add(entry);
    }
  }

  delete(entry: Entry): void {
    for (const branch of this.#branches.values()) {
      branch.index.delete(entry);
      for (const inner of innerOf(branch, entry)) inner.delete(entry);
    }
  }

  /** Forgets all entries; the indexes stay. */
  clear(): void {
    for (const [path, branch] of this.#branches)
      this.#branches.set(path, { ...branch, index: new MemoryIndex(path), inner: new Map() });
  }

  /** The entries that may have this value at an indexed path, in the order in which they were added. */
  find(path: string, value: unknown): Iterable<Entry> {
    return this.#branches.get(path)?.index.find(value) ?? [];
  }

  /**
   * All entries that may match, each once; undefined when the indexes cannot tell, or it is as fast to look at all.
   *
   * @param size - How many entries there are.
   */
  candidates(filter: Filter, size: number): Set<Entry> | undefined {
    return this.#byEquality(filter, size) ?? this.#byRange(filter, size);
  }

  #byEquality(filter: Filter, size: number): Set<Entry> | undefined {
    let best: readonly [Branch<Entry>, readonly unknown[]] | undefined;
    for (const [path, values] of filter.equalities) {
      const branch = this.#branches.get(path);
      if (branch !== undefined && values.length < (best?.[1].length ?? size))
        best = [branch, values];
    }
    if (best === undefined) return undefined;
    const [branch, values] = best;
    const found = new Set<Entry>();
    for (const value of values)
      for (const entry of this.#having(branch, value, filter)) found.add(entry);
    return found;
  }

  #byRange({ ranges }: Filter, size: number): Set<Entry> | undefined {
    for (const [path, range] of ranges) {
      // Beyond half of all, looking at every document is as fast.
      const found = this.#branches.get(path)?.index.findRange(range, size / 2);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The entries that have a value, and of these as few as a compound index can tell. */
  #having(branch: Branch<Entry>, value: unknown, filter: Filter): Iterable<Entry> {
    const { index, rests, inner } = branch;
    const all = index.find(value);
    const count = index.count(value);
    const next = rests.filter(
      ([path = '']) => filter.equalities.has(path) || filter.ranges.has(path),
    );
    if (next.length === 0 || count < WORTH_AN_INDEX) return all;
    const hash = hashValue(value);
    let below = inner.get(hash);
    if (below === undefined) {
      below = new MemoryIndexes();
      for (const paths of rests) below.ensure(paths, all);
      inner.set(hash, below);
    }
    return below.candidates(filter, count) ?? all;
  }

  #grow(path: string, entries: Iterable<Entry>): Branch<Entry> {
    const branch = { index: new MemoryIndex<Entry>(path), rests: [], inner: new Map() };
    for (const entry of entries) branch.index.add(entry);
    this.#branches.set(path, branch);
    return branch;
  }
}

function innerOf<Entry extends Indexed>(
  { index, inner }: Branch<Entry>,
  { doc }: Entry,
): MemoryIndexes<Entry>[] {
  if (inner.size === 0) return [];
  return valuesAt(doc, index.path)
    .map((value) => inner.get(hashValue(value)))
    .filter((each) => each !== undefined);
}
