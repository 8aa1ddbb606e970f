import { OrderedMap } from '@js-sdsl/ordered-map';
import { kindOf } from '../../query/bson-kind.js';
import { compareValues } from '../../query/compare.js';
import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import type { ValueRange } from '../../query/index-bounds.js';
import { readField, valuesAt } from '../../query/path.js';

/** What is indexed: anything that holds a document. */
interface Indexed {
  readonly doc: Doc;
}

/** What an index holds for one value: one entry, or several. */
type Bucket<Entry> = Entry | Set<Entry>;

/**
 * An index over one path, with an entry for each value that MongoDB would find there (arrays by element).
 *
 * What it finds is a superset: the caller checks again. Values are put in order at the first look-up of a range.
 */
export class MemoryIndex<Entry extends Indexed> {
  readonly path: string;
  readonly #isTop: boolean;
  readonly #buckets = new Map<Hash, Bucket<Entry>>();
  #order: OrderedMap<unknown, Hash> | undefined;
  /** Some document has several values here, so that each bound of a range may be met by another one. */
  #isMultikey = false;

  constructor(path: string) {
    this.path = path;
    this.#isTop = !path.includes('.');
  }

  add(entry: Entry): void {
    this.#eachValue(entry.doc, (value) => {
      const hash = hashValue(value);
      const bucket = this.#buckets.get(hash);
      if (bucket === undefined) {
        this.#buckets.set(hash, entry);
        this.#order?.setElement(value, hash);
      } else if (bucket instanceof Set) bucket.add(entry);
      else if (bucket !== entry) this.#buckets.set(hash, new Set([bucket, entry]));
    });
  }

  delete(entry: Entry): void {
    this.#eachValue(entry.doc, (value) => {
      const hash = hashValue(value);
      const bucket = this.#buckets.get(hash);
      if (bucket instanceof Set) bucket.delete(entry);
      if (bucket !== entry && !(bucket instanceof Set && bucket.size === 0)) return;
      this.#buckets.delete(hash);
      this.#order?.eraseElementByKey(value);
    });
  }

  /** The entries that may have this value, in the order in which they were added. */
  find(value: unknown): Iterable<Entry> {
    return entriesOf(this.#buckets.get(hashValue(value)));
  }

  /** How many entries `find` gives. */
  count(value: unknown): number {
    const bucket = this.#buckets.get(hashValue(value));
    if (bucket === undefined) return 0;
    return bucket instanceof Set ? bucket.size : 1;
  }

  /**
   * The entries that may have a value within a range, each once.
   *
   * @param limit - How many are worth it; undefined is returned when there are more.
   */
  findRange(range: ValueRange, limit: number): Set<Entry> | undefined {
    const found = new Set<Entry>();
    for (const hash of this.#hashesIn(range)) {
      for (const entry of entriesOf(this.#buckets.get(hash))) found.add(entry);
      if (found.size > limit) return undefined;
    }
    return found;
  }

  *#hashesIn({ lower, upper }: ValueRange): Generator<Hash, void, undefined> {
    const order = this.#ordered();
    const isUpward = lower !== undefined;
    const kind = kindOf(isUpward ? lower : upper);
    const end = this.#isMultikey ? undefined : upper;
    const at = isUpward ? order.lowerBound(lower) : order.reverseLowerBound(upper);
    while (at.isAccessible()) {
      const [value, hash] = at.pointer;
      if (kindOf(value) !== kind) return;
      if (isUpward && end !== undefined && compareValues(value, end) > 0) return;
      yield hash;
      if (isUpward) at.next();
      else if (at.equals(order.begin())) return;
      else at.pre();
    }
  }

  #ordered(): OrderedMap<unknown, Hash> {
    if (this.#order !== undefined) return this.#order;
    const order = new OrderedMap<unknown, Hash>([], compareValues);
    for (const bucket of this.#buckets.values())
      for (const { doc } of entriesOf(bucket))
        this.#eachValue(doc, (value) => order.setElement(value, hashValue(value)));
    this.#order = order;
    return order;
  }

  #eachValue(doc: Doc, visit: (value: unknown) => void): void {
    const value = this.#isTop ? readField(doc, this.path) : undefined;
    // The common case, without a list of values.
    if (value !== undefined && !Array.isArray(value)) visit(value);
    else {
      const values = valuesAt(doc, this.path);
      if (values.length > 1) this.#isMultikey = true;
      for (const each of values) visit(each);
    }
  }
}

function entriesOf<Entry extends Indexed>(bucket: Bucket<Entry> | undefined): Iterable<Entry> {
  if (bucket === undefined) return [];
  return bucket instanceof Set ? bucket : [bucket];
}
