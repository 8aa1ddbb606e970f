import { showValue } from '../errors/show-value.js';
import { StoreOperationError, UnsupportedOperationError } from '../errors/store-errors.js';
import { compareValues } from '../query/compare.js';
import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import { toInstant } from '../util/instant.js';
import { rebatch } from '../util/rebatch.js';
import { widestPaths } from './properties.js';
import type { Store } from './store.js';

/** How a source document stands to the target: what must be done, and why. */
export type DiffReason =
  /** The target has no document with this key. */
  | 'new'
  /** The source document is strictly newer, or only it has a time stamp. */
  | 'newer'
  /** Nothing to do. */
  | 'same'
  /** The target is newer than its source, which somebody should look at. */
  | 'older';

/** One key of the source, compared with the target. */
export interface DiffEntry {
  readonly key: unknown;
  readonly reason: DiffReason;
  /** What {@link DiffOptions.source} made of the newest document with this key. */
  readonly sourceNote: unknown;
  /** What {@link DiffOptions.target} made of the target's document; undefined when there is none. */
  readonly targetNote: unknown;
  /** The source has a time stamp that cannot be read. */
  readonly unreadable: boolean;
}

/** What else is to be found out while documents are compared. */
export interface Inspection {
  /** Fields that must be read for it; undefined for all. */
  readonly fields: readonly string[] | undefined;
  /** Anything small. */
  note(doc: Doc): unknown;
}

/** Options of {@link compareStores}. */
export interface DiffOptions {
  /**
   * Which source documents count.
   * @defaultValue all
   */
  readonly criteria?: Criteria | undefined;
  /** Looks at each source document. */
  readonly source?: Inspection | undefined;
  /** Looks at each target document. */
  readonly target?: Inspection | undefined;
  /** Told how many source documents of a batch have no key. */
  readonly onKeyless?: ((count: number) => void) | undefined;
  /** Told, once each, of the keys that several source documents have. */
  readonly onDuplicate?: ((key: unknown) => void) | undefined;
}

const BATCH = 1000;

/**
 * Compares two stores by key and time stamp.
 *
 * Both are scanned in the order of their keys and merged, so the memory needed is constant. A key that occurs
 * several times counts once, with its newest time stamp; `onDuplicate` is told when it is a key of the source.
 * Documents without a key, or with a null one, are left out and `onKeyless` is told of them. Time stamps are compared
 * as instants, in milliseconds; a source document without a readable one is built when the target lacks it, and is
 * never newer.
 *
 * @param target - The store to bring up to date.
 * @param source - Where its documents are derived from.
 */
export async function* compareStores(
  target: Store,
  source: Store,
  options: DiffOptions = {},
): AsyncGenerator<DiffEntry[], void, undefined> {
  const { criteria = {}, onKeyless, onDuplicate } = options;
  await using theirs = new SortedScan(source, options.source, criteria, onKeyless);
  await using ours = new SortedScan(target, options.target);
  let entries: DiffEntry[] = [];
  for (let run = await theirs.nextRun(); run.length > 0; run = await theirs.nextRun()) {
    const counterpart = await ours.runAt(run[0]?.order);
    const known = newestByKey(counterpart);
    const rows = newestByKey(run);
    for (const row of rows.values()) entries.push(compareRows(row, known));
    if (onDuplicate !== undefined && rows.size < run.length)
      for (const key of repeatedKeys(run)) onDuplicate(key);
    if (entries.length >= BATCH) {
      yield entries;
      entries = [];
    }
  }
  if (entries.length > 0) yield entries;
}

/** The keys behind {@link Store.newerIn}, in batches. */
export function keysToBuild(
  target: Store,
  source: Store,
  criteria: Criteria,
  exhaustive: boolean,
  size: number,
): AsyncGenerator<unknown[], void, undefined> {
  const find = exhaustive ? exhaustiveKeys : newerThanNewest;
  return rebatch(find(target, source, criteria), size);
}

async function* exhaustiveKeys(
  target: Store,
  source: Store,
  criteria: Criteria,
): AsyncGenerator<unknown[], void, undefined> {
  for await (const batch of compareStores(target, source, { criteria }))
    yield batch.filter((e) => e.reason === 'new' || e.reason === 'newer').map((e) => e.key);
}

async function* newerThanNewest(
  target: Store,
  source: Store,
  criteria: Criteria,
): AsyncGenerator<unknown[], void, undefined> {
  const newest = (await target.lastUpdated())?.getTime() ?? Number.NEGATIVE_INFINITY;
  await using scan = new SortedScan(source, undefined, criteria);
  for (let run = await scan.nextRun(); run.length > 0; run = await scan.nextRun()) {
    const newer = [...newestByKey(run).values()].filter((row) =>
      row.stamp === null ? newest === Number.NEGATIVE_INFINITY : row.stamp > newest,
    );
    yield newer.map((row) => row.key);
  }
}

/** What the diff needs of a document. */
export interface Row {
  readonly key: unknown;
  /** What the key sorts by: itself, or the least element of an array. */
  readonly order: unknown;
  readonly stamp: number | null;
  readonly unreadable: boolean;
  readonly note: unknown;
}

function compareRows(row: Row, known: ReadonlyMap<unknown, Row>): DiffEntry {
  const { key, unreadable, note: sourceNote } = row;
  const counterpart = known.get(hashValue(key));
  const reason = counterpart === undefined ? 'new' : compareStamps(row.stamp, counterpart.stamp);
  return { key, reason, unreadable, sourceNote, targetNote: counterpart?.note };
}

function compareStamps(source: number | null, target: number | null): DiffReason {
  if (source === null) return 'same';
  if (target === null || source > target) return 'newer';
  return source < target ? 'older' : 'same';
}

function newestByKey(rows: readonly Row[]): Map<unknown, Row> {
  const newest = new Map<unknown, Row>();
  for (const row of rows) {
    const hash = hashValue(row.key);
    const known = newest.get(hash);
    if (known === undefined || (row.stamp ?? -Infinity) > (known.stamp ?? -Infinity))
      newest.set(hash, row);
  }
  return newest;
}

/** The keys that several rows have, once each. */
function repeatedKeys(rows: readonly Row[]): unknown[] {
  const counts = new Map<unknown, number>();
  return rows.flatMap(({ key }) => {
    const hash = hashValue(key);
    const count = (counts.get(hash) ?? 0) + 1;
    counts.set(hash, count);
    return count === 2 ? [key] : [];
  });
}

/** Reads a store in the order of its keys, run by run; a run is the rows whose keys sort alike. */
export class SortedScan implements AsyncDisposable {
  readonly #store: Store;
  readonly #batches: AsyncIterator<Doc[]>;
  readonly #inspection: Inspection | undefined;
  readonly #onKeyless: DiffOptions['onKeyless'];
  #rows: Row[] = [];
  #at = 0;
  #done = false;

  constructor(
    store: Store,
    inspection: Inspection | undefined,
    criteria: Criteria = {},
    onKeyless?: DiffOptions['onKeyless'],
  ) {
    if (!store.capabilities.sortedScan)
      throw new UnsupportedOperationError(store.name, 'be scanned in the order of its keys');
    this.#store = store;
    this.#inspection = inspection;
    this.#onKeyless = onKeyless;
    const { key, lastUpdatedField } = store;
    const isWhole = inspection !== undefined && inspection.fields === undefined;
    const cursor = store.query(criteria, {
      ...(!isWhole && {
        properties: onlyFields(key, lastUpdatedField, ...(inspection?.fields ?? [])),
      }),
      sort: { [key]: 1 },
    });
    this.#batches = cursor.batches(BATCH)[Symbol.asyncIterator]();
  }

  /** The next rows whose keys sort alike; none at the end. */
  async nextRun(): Promise<Row[]> {
    const first = await this.#peek();
    if (first === undefined) return [];
    this.#at++;
    const run = [first];
    for (let row = await this.#peek(); row !== undefined; row = await this.#peek()) {
      const order = compareValues(first.order, row.order);
      if (order > 0) throw outOfOrder(this.#store, first, row);
      if (order < 0) break;
      run.push(row);
      this.#at++;
    }
    return run;
  }

  /** Passes over smaller keys and returns the rows whose keys sort as `order` does. */
  async runAt(order: unknown): Promise<Row[]> {
    for (let row = await this.#peek(); row !== undefined; row = await this.#peek()) {
      const comparison = compareValues(row.order, order);
      if (comparison > 0) break;
      if (comparison === 0) return this.nextRun();
      this.#at++;
    }
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches.return?.();
  }

  // Not an async method: one call per row would be most of the cost.
  #peek(): Row | undefined | Promise<Row | undefined> {
    return this.#at < this.#rows.length || this.#done ? this.#rows[this.#at] : this.#fill();
  }

  async #fill(): Promise<Row | undefined> {
    while (this.#at >= this.#rows.length && !this.#done) {
      const next = await this.#batches.next();
      this.#done = next.done === true;
      this.#rows = next.done ? [] : this.#toRows(next.value);
      this.#at = 0;
    }
    return this.#rows[this.#at];
  }

  #toRows(docs: readonly Doc[]): Row[] {
    const { key: keyField, lastUpdatedField } = this.#store;
    const rows: Row[] = [];
    for (const doc of docs) {
      const key = getPath(doc, keyField);
      if (key === undefined || key === null) continue;
      const stored = getPath(doc, lastUpdatedField);
      const stamp = toInstant(stored);
      const unreadable = stamp === null && stored !== undefined && stored !== null;
      const order = Array.isArray(key) ? leastElement(key) : key;
      rows.push({ key, order, stamp, unreadable, note: this.#inspection?.note(doc) });
    }
    if (rows.length < docs.length) this.#onKeyless?.(docs.length - rows.length);
    return rows;
  }
}

function leastElement(values: readonly unknown[]): unknown {
  return values.reduce(
    (least, value) => (compareValues(value, least) < 0 ? value : least),
    values[0],
  );
}

function onlyFields(...paths: readonly string[]): Record<string, 0 | 1> {
  const fields = Object.fromEntries(widestPaths(paths).map((path) => [path, 1 as const]));
  return '_id' in fields ? fields : { _id: 0, ...fields };
}

const outOfOrder = (store: Store, before: Row, after: Row): StoreOperationError =>
  new StoreOperationError(
    store.name,
    'compare keys',
    `the backend gave ${showValue(before.key)} before ${showValue(after.key)}, which is not MongoDB's order`,
  );
