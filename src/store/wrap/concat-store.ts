import { InvalidOptionError } from '../../errors/option-errors.js';
import { ReadOnlyStoreError } from '../../errors/store-errors.js';
import { arg, MSONable, option } from '../../msonable/decorators.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import { hashValue } from '../../query/hash.js';
import type { Projection } from '../../query/projection.js';
import type { CompiledSort } from '../../query/sort.js';
import { widestPaths } from '../properties.js';
import type { Find } from '../store.js';
import { Store } from '../store.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { LastUpdatedType, QueryOptions, Refusal, StoreOptions } from '../store-options.js';
import { cutBatches, mergeSorted } from './merge-sorted.js';
import { excludedNames, includedNames } from './plain-projection.js';
import { assertStore, compileForWrapped, WrappedStores } from './wrapped-stores.js';

/** Options of {@link ConcatStore}. */
export interface ConcatStoreOptions extends StoreOptions {
  /**
   * The field that identifies a document, in all stores.
   * @defaultValue what all stores agree on, else `'task_id'`
   */
  readonly key?: string | undefined;
  /**
   * The field with the time of a document's last change, in all stores.
   * @defaultValue what all stores agree on, else `'last_updated'`
   */
  readonly lastUpdatedField?: string | undefined;
  /**
   * How that time is written in the stores.
   * @defaultValue what all stores agree on, else `'datetime'`
   */
  readonly lastUpdatedType?: LastUpdatedType | undefined;
}

/**
 * Several stores read as one: their documents one after the other, also where keys meet.
 *
 * A query that is sorted merges the sorted stores, so that `sort`, `skip` and `limit` mean what they mean for one
 * store; documents that tie come in the order of the stores, as they do without `sort`. It cannot be written. Where
 * names differ between stores, put an {@link AliasingStore} around those that differ.
 *
 * Connecting it connects the stores, and closing it closes those that were not connected before.
 *
 * @example
 * ```ts
 * const all = new ConcatStore([new JSONStore('2025.json'), new JSONStore('2026.json')], { key: 'task_id' });
 * const newest = await all.query({}, { sort: { last_updated: -1 }, limit: 10 }).toArray();
 * ```
 */
@MSONable(import.meta.url, {
  module: 'maggma.stores.compound_stores',
  aliases: ['maggma.stores'],
  version: '0.74.0',
})
export class ConcatStore<T extends object = Doc> extends Store<T> {
  /** The stores, in the order in which they are read. */
  @arg() readonly stores: readonly Store[];

  @option({ write: 'given' }) declare readonly key: string;
  @option({ write: 'given' }) declare readonly lastUpdatedField: string;
  @option({ write: 'given' }) declare readonly lastUpdatedType: LastUpdatedType;

  readonly #wrapped: WrappedStores;

  /**
   * @param stores - At least one.
   * @param options - As {@link ConcatStoreOptions} says.
   */
  constructor(stores: readonly Store[], options: ConcatStoreOptions = {}) {
    super(options);
    if (!Array.isArray(stores) || stores.length === 0)
      throw new InvalidOptionError('stores', 'a list of at least one Store', stores);
    for (const store of stores) assertStore('stores', store);
    this.stores = Object.freeze([...stores]);
    this.#wrapped = new WrappedStores(this.stores);
    const { key, lastUpdatedField, lastUpdatedType } = options;
    this.key = key ?? agreed(stores, (store) => store.key) ?? this.key;
    this.lastUpdatedField =
      lastUpdatedField ??
      agreed(stores, (store) => store.lastUpdatedField) ??
      this.lastUpdatedField;
    this.lastUpdatedType =
      lastUpdatedType ?? agreed(stores, (store) => store.lastUpdatedType) ?? this.lastUpdatedType;
  }

  get name(): string {
    return `Concat[${this.stores.map((store) => store.name).join(', ')}]`;
  }

  get identity(): string {
    return `concat:${JSON.stringify(this.stores.map((store) => store.identity))}`;
  }

  override get collections(): readonly string[] {
    return this.stores.flatMap((store) => store.collections);
  }

  get capabilities(): StoreCapabilities {
    const all = (flag: keyof StoreCapabilities) =>
      this.stores.every(({ capabilities }) => capabilities[flag]);
    return {
      writable: false,
      removal: false,
      sortedScan: all('sortedScan'),
      rawBatches: false,
      crossProcess: all('crossProcess'),
    };
  }

  override async lastUpdated(): Promise<Date | null> {
    // A store looks at its own field, which may be another one.
    const isAgreed = this.stores.every((one) => one.lastUpdatedField === this.lastUpdatedField);
    if (!this.connected || !isAgreed) return super.lastUpdated();
    const stamps = await Promise.all(this.stores.map((store) => store.lastUpdated()));
    const times = stamps.filter((stamp) => stamp !== null).map((stamp) => stamp.getTime());
    return times.length === 0 ? null : new Date(Math.max(...times));
  }

  protected open(options: { readonly forceReset: boolean }): Promise<void> {
    return this.#wrapped.open(options);
  }

  protected shut(): Promise<void> {
    return this.#wrapped.close();
  }

  protected override compile(criteria: Criteria): Filter {
    return compileForWrapped(criteria, (copy) => {
      for (const store of this.stores) store.query(copy);
    });
  }

  protected override async *findBatches(
    find: Find,
    size: number,
  ): AsyncGenerator<T[], void, undefined> {
    const { sort, skip, limit } = find;
    const found = sort === null ? this.#oneByOne(find, size) : this.#merged(find, sort, size);
    yield* cutBatches(found, skip, limit) as AsyncGenerator<T[], void, undefined>;
  }

  protected override async countMatches(filter: Filter): Promise<number> {
    const counts = await Promise.all(this.stores.map((store) => store.count(filter.criteria)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  protected override async distinctValues(field: string, filter: Filter): Promise<unknown[]> {
    const lists = this.stores.map((store) => store.distinct(field, filter.criteria));
    const values = new Map<unknown, unknown>();
    for (const value of (await Promise.all(lists)).flat()) {
      const hash = hashValue(value);
      if (!values.has(hash)) values.set(hash, value);
    }
    return [...values.values()];
  }

  protected async replace(): Promise<readonly Refusal[]> {
    throw new ReadOnlyStoreError(this.name, 'update');
  }

  protected async remove(): Promise<number> {
    throw new ReadOnlyStoreError(this.name, 'removeDocs');
  }

  protected async index(fields: readonly string[], unique: boolean): Promise<boolean> {
    // An index of each store does not keep two stores from having the same value.
    if (unique && this.stores.length > 1) return false;
    const made = await Promise.all(this.stores.map((one) => one.ensureIndex(fields, { unique })));
    return made.every(Boolean);
  }

  async *#oneByOne(find: Find, size: number): AsyncGenerator<Doc[], void, undefined> {
    const { criteria } = find.filter;
    let limit = most(find);
    const isLimited = limit > 0;
    for (const store of this.stores) {
      const options = { ...common(find), properties: find.projection?.spec, limit };
      for await (const batch of store.query(criteria, options).batches(size)) {
        if (isLimited) limit -= batch.length;
        yield batch;
      }
      if (isLimited && limit === 0) return;
    }
  }

  async *#merged(
    find: Find,
    sort: CompiledSort,
    size: number,
  ): AsyncGenerator<Doc[], void, undefined> {
    const { filter, projection } = find;
    const properties = projection === null ? undefined : withSortFields(projection.spec, sort);
    const options = { ...common(find), properties, sort: sort.spec, limit: most(find) };
    const sources = this.stores.map((one) => one.query(filter.criteria, options).batches(size));
    for await (const batch of mergeSorted(sources, sort.compare, size))
      yield projection === null ? batch : batch.map((doc) => projection.apply(doc));
  }
}

function common({ hint, signal }: Find): QueryOptions {
  return { hint, signal };
}

/** How many documents of one store can be needed; 0 for all. */
function most({ skip, limit }: Find): number {
  const sum = skip + limit;
  return limit === 0 || !Number.isSafeInteger(sum) ? 0 : sum;
}

/**
 * What to read so that documents can be compared before they are projected: whole top-level fields, because a
 * projection changes what a path leads to inside arrays.
 */
function withSortFields(
  spec: Projection,
  sort: CompiledSort,
): readonly string[] | Projection | undefined {
  const needed = Object.keys(sort.spec).map((path) => path.split('.', 1)[0] as string);
  const names = includedNames(spec);
  if (names !== undefined) return widestPaths([...names, ...needed]);
  const unneeded = excludedNames(spec)?.filter(
    (path) => !needed.includes(path.split('.', 1)[0] as string),
  );
  return unneeded && Object.fromEntries(unneeded.map((name) => [name, 0]));
}

/** What is the same for all stores. */
function agreed<V>(stores: readonly Store[], read: (store: Store) => V): V | undefined {
  const values = new Set(stores.map(read));
  return values.size === 1 ? [...values][0] : undefined;
}
