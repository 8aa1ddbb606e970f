import { MSONable, option } from '../../msonable/decorators.js';
import { cloneValue } from '../../query/clone.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import { compileFilter } from '../../query/criteria.js';
import { DistinctCollector } from '../../query/distinct.js';
import type { Doc } from '../../query/document.js';
import type { CompiledSort } from '../../query/sort.js';
import { assertNonEmptyString, assertPositiveInteger } from '../../util/assert-option.js';
import type { ClaimBoard } from '../claim-board.js';
import type { Find } from '../store.js';
import { Store } from '../store.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { Refusal, StoreOptions } from '../store-options.js';
import { MemoryClaim } from './memory-claims.js';
import { MemoryCollection } from './memory-collection.js';

/** Options of {@link MemoryStore}. */
export interface MemoryStoreOptions extends StoreOptions {
  /**
   * A label; two stores with the same one share nothing.
   * @defaultValue `'memory_db'`
   */
  readonly collectionName?: string | undefined;
  /**
   * How many milliseconds a regular expression of a query may take on one text. Set it where filters come from
   * strangers; it makes regular expressions slower.
   * @defaultValue `null`: no limit
   */
  readonly regexTimeoutMs?: number | null | undefined;
}

let stores = 0;

/**
 * Documents in memory: for tests, and for what fits there.
 *
 * They survive `close()` and are forgotten by `connect({ forceReset: true })`. The reference for what the query
 * language means.
 */
@MSONable(import.meta.url, {
  module: 'maggma.stores.mongolike',
  aliases: ['maggma.stores'],
  version: '0.74.0',
})
export class MemoryStore<T extends object = Doc> extends Store<T> {
  /** A label. */
  @option() readonly collectionName: string;
  /** How long a regular expression may take on one text, in milliseconds. */
  @option({ write: 'given' }) readonly regexTimeoutMs: number | null;

  readonly #number = ++stores;
  /** What the store holds. */
  readonly #collection: MemoryCollection;

  constructor(options: MemoryStoreOptions = {}) {
    super(options);
    const { collectionName = 'memory_db', regexTimeoutMs = null } = options;
    assertNonEmptyString('collectionName', collectionName);
    if (regexTimeoutMs !== null) assertPositiveInteger('regexTimeoutMs', regexTimeoutMs);
    this.collectionName = collectionName;
    this.regexTimeoutMs = regexTimeoutMs;
    this.#collection = new MemoryCollection(() => this.name, this.key);
  }

  get name(): string {
    return `mem://${this.collectionName}`;
  }

  get identity(): string {
    return `memory:${this.#number}`;
  }

  get capabilities(): StoreCapabilities {
    return {
      writable: true,
      removal: true,
      sortedScan: true,
      rawBatches: false,
      crossProcess: false,
    };
  }

  override claimBoard(): ClaimBoard | null {
    return new MemoryClaim(this.#collection);
  }

  /** @internal */
  protected get collection(): MemoryCollection {
    return this.#collection;
  }

  protected async open({ forceReset }: { readonly forceReset: boolean }): Promise<void> {
    if (forceReset) this.#collection.clear();
  }

  protected async shut(): Promise<void> {}

  protected override compile(criteria: Criteria): Filter {
    return compileFilter(criteria, this);
  }

  protected override async *findBatches(
    find: Find,
    size: number,
  ): AsyncGenerator<T[], void, undefined> {
    const { projection } = find;
    let batch: T[] = [];
    for (const doc of this.#select(find)) {
      batch.push(cloneValue(projection === null ? doc : projection.apply(doc)) as T);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  protected override async countMatches(filter: Filter): Promise<number> {
    if (Object.keys(filter.criteria).length === 0) return this.#collection.size;
    let count = 0;
    for (const { doc } of this.#collection.candidates(filter)) if (filter.matches(doc)) count++;
    return count;
  }

  protected override async distinctValues(field: string, filter: Filter): Promise<unknown[]> {
    const values = new DistinctCollector(field);
    for (const { doc } of this.#collection.candidates(filter))
      if (filter.matches(doc)) values.add(doc);
    return cloneValue(values.values());
  }

  protected async replace(docs: Doc[], key: readonly string[]): Promise<readonly Refusal[]> {
    this.#collection.apply(this.#collection.planReplace(docs, key));
    return [];
  }

  protected async remove(filter: Filter): Promise<number> {
    const changes = this.#collection.planRemove(filter);
    this.#collection.apply(changes);
    return changes.length;
  }

  protected async index(fields: readonly string[], unique: boolean): Promise<boolean> {
    return this.#collection.index(fields, unique);
  }

  *#select(find: Find): Generator<Doc, void, undefined> {
    const { filter, sort, skip, limit } = find;
    let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    let passed = 0;
    for (const doc of sort === null ? this.#matches(filter) : this.#sorted(filter, sort)) {
      if (passed++ < skip) continue;
      yield doc;
      if (--left === 0) return;
    }
  }

  #sorted(filter: Filter, sort: CompiledSort): Doc[] {
    return [...this.#matches(filter)].sort((a, b) => sort.compare(a, b));
  }

  *#matches(filter: Filter): Generator<Doc, void, undefined> {
    // A list, so that documents written while the query is read are not met by it.
    const docs = Array.from(this.#collection.candidates(filter), (entry) => entry.doc);
    for (const doc of docs) if (filter.matches(doc)) yield doc;
  }
}
