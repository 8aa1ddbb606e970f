import { ObjectId } from 'bson';
import { showValue } from '../../errors/show-value.js';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import { MSONable, option } from '../../msonable/decorators.js';
import { cloneValue } from '../../query/clone.js';
import { equalValues } from '../../query/compare.js';
import type { Filter } from '../../query/criteria.js';
import { DistinctCollector } from '../../query/distinct.js';
import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import { getPath } from '../../query/path.js';
import { assertNonEmptyString } from '../../util/assert-option.js';
import type { Find } from '../store.js';
import { Store } from '../store.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { Refusal, StoreOptions } from '../store-options.js';
import { MemoryIndex } from './memory-index.js';

/** Options of {@link MemoryStore}. */
export interface MemoryStoreOptions extends StoreOptions {
  /**
   * A label; two stores with the same one share nothing.
   * @defaultValue `'memory_db'`
   */
  readonly collectionName?: string | undefined;
}

/** A stored document. */
export interface MemoryEntry {
  readonly doc: Doc;
  /** The store made up the `_id`. */
  readonly ownId: boolean;
}

/** One document coming, going, or making room for another. */
export interface MemoryChange {
  readonly before: MemoryEntry | undefined;
  readonly after: MemoryEntry | undefined;
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

  readonly #number = ++stores;
  /** By the hash of `_id`, in the order of their arrival. */
  readonly #entries = new Map<Hash, MemoryEntry>();
  readonly #indexes = new Map<string, MemoryIndex<MemoryEntry>>();

  constructor(options: MemoryStoreOptions = {}) {
    super(options);
    const { collectionName = 'memory_db' } = options;
    assertNonEmptyString('collectionName', collectionName);
    this.collectionName = collectionName;
    this.#indexes.set(this.key, new MemoryIndex(this.key));
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

  protected async open({ forceReset }: { readonly forceReset: boolean }): Promise<void> {
    if (forceReset) this.clear();
  }

  protected async shut(): Promise<void> {}

  /**
   * Forgets all documents.
   *
   * @internal
   */
  protected clear(): void {
    this.#entries.clear();
    for (const path of this.#indexes.keys()) this.#indexes.set(path, new MemoryIndex(path));
  }

  /**
   * The stored documents themselves, not copies, in the order of their arrival.
   *
   * @internal
   */
  protected entries(): Iterable<MemoryEntry> {
    return this.#entries.values();
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
    if (Object.keys(filter.criteria).length === 0) return this.#entries.size;
    let count = 0;
    for (const entry of this.#candidates(filter)) if (filter.matches(entry.doc)) count++;
    return count;
  }

  protected override async distinctValues(field: string, filter: Filter): Promise<unknown[]> {
    const values = new DistinctCollector(field);
    for (const entry of this.#candidates(filter))
      if (filter.matches(entry.doc)) values.add(entry.doc);
    return cloneValue(values.values());
  }

  protected async replace(docs: Doc[], key: readonly string[]): Promise<readonly Refusal[]> {
    this.apply(this.planReplace(docs, key));
    return [];
  }

  protected async remove(filter: Filter): Promise<number> {
    const changes = this.planRemove(filter);
    this.apply(changes);
    return changes.length;
  }

  /**
   * What {@link replace} would change.
   *
   * @internal
   */
  protected planReplace(docs: readonly Doc[], key: readonly string[]): MemoryChange[] {
    const changes = docs.map((doc) => this.#planChange(doc, key));
    this.#assertIds(changes);
    return changes;
  }

  /**
   * What {@link remove} would change.
   *
   * @internal
   */
  protected planRemove(filter: Filter): MemoryChange[] {
    const doomed = [...this.#candidates(filter)].filter((entry) => filter.matches(entry.doc));
    return doomed.map((before) => ({ before, after: undefined }));
  }

  /**
   * Carries out changes.
   *
   * @internal
   */
  protected apply(changes: readonly MemoryChange[]): void {
    for (const { before, after } of changes) this.#exchange(before, after);
  }

  /**
   * Takes back changes that were carried out.
   *
   * @internal
   */
  protected revert(changes: readonly MemoryChange[]): void {
    for (const { before, after } of changes) this.#exchange(after, before);
  }

  /** A compound index is served by the index on its first field. */
  protected async index(fields: readonly string[], unique: boolean): Promise<boolean> {
    const [path = '_id'] = fields;
    if (unique) return path === '_id' && fields.length === 1;
    if (path !== '_id') this.#indexOn(path);
    return true;
  }

  *#select(find: Find): Generator<Doc, void, undefined> {
    const { filter, sort, skip, limit } = find;
    let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    let passed = 0;
    for (const doc of sort === null ? this.#matches(filter) : this.#sorted(find)) {
      if (passed++ < skip) continue;
      yield doc;
      if (--left === 0) return;
    }
  }

  #sorted({ filter, sort }: Find): Doc[] {
    return [...this.#matches(filter)].sort((a, b) => sort?.compare(a, b) ?? 0);
  }

  *#matches(filter: Filter): Generator<Doc, void, undefined> {
    // A list, so that documents written while the query is read are not met by it.
    const docs = Array.from(this.#candidates(filter), (entry) => entry.doc);
    for (const doc of docs) if (filter.matches(doc)) yield doc;
  }

  /** All that may match: those that an index finds, or all. */
  #candidates(filter: Filter): Iterable<MemoryEntry> {
    let found: Iterable<MemoryEntry> = this.#entries.values();
    let fewest = this.#entries.size;
    for (const [path, values] of filter.equalities) {
      if (values.length >= fewest || !(path === '_id' || this.#indexes.has(path))) continue;
      fewest = values.length;
      found = this.#lookUp(path, values);
    }
    return found;
  }

  #lookUp(path: string, values: readonly unknown[]): Iterable<MemoryEntry> {
    const found = new Set<MemoryEntry>();
    for (const value of values) for (const entry of this.#having(path, value)) found.add(entry);
    return found;
  }

  #having(path: string, value: unknown): Iterable<MemoryEntry> {
    const index = this.#indexes.get(path);
    if (index !== undefined) return index.find(value);
    // An array as `_id` cannot be, so the hash is all there is to it.
    const entry = this.#entries.get(hashValue(value));
    return entry === undefined ? [] : [entry];
  }

  /** Which stored document makes room for this one, and how it will be stored. */
  #planChange(doc: Doc, key: readonly string[]): MemoryChange {
    const before = this.#counterpart(doc, key);
    if (before === undefined) {
      const ownId = doc['_id'] === undefined;
      const stored = ownId ? { _id: new ObjectId(), ...doc } : doc;
      return { before, after: { doc: stored, ownId } };
    }
    const { _id, ...rest } = doc;
    return { before, after: { doc: { _id: before.doc['_id'], ...rest }, ownId: before.ownId } };
  }

  #counterpart(doc: Doc, key: readonly string[]): MemoryEntry | undefined {
    const [first = this.key] = key;
    const candidates =
      first === '_id' && !this.#indexes.has(first)
        ? this.#having(first, doc['_id'])
        : this.#indexOn(first).find(getPath(doc, first));
    for (const entry of candidates)
      if (key.every((path) => equalValues(getPath(entry.doc, path), getPath(doc, path))))
        return entry;
    return undefined;
  }

  #indexOn(path: string): MemoryIndex<MemoryEntry> {
    const known = this.#indexes.get(path);
    if (known !== undefined) return known;
    const index = new MemoryIndex<MemoryEntry>(path);
    for (const entry of this.#entries.values()) index.add(entry.doc, entry);
    this.#indexes.set(path, index);
    return index;
  }

  #assertIds(changes: readonly MemoryChange[]): void {
    const fresh = new Set<Hash>();
    for (const { before, after } of changes) {
      if (before !== undefined || after === undefined) continue;
      const { _id } = after.doc;
      if (Array.isArray(_id) || _id instanceof RegExp)
        throw new InvalidDocumentError(
          '$._id',
          'an array or a regular expression cannot be an _id',
        );
      const hash = hashValue(_id);
      if (this.#entries.has(hash) || fresh.has(hash))
        throw new InvalidDocumentError(
          '$._id',
          `another document of ${this.name} has the _id ${showValue(_id)} already`,
        );
      fresh.add(hash);
    }
  }

  #exchange(before: MemoryEntry | undefined, after: MemoryEntry | undefined): void {
    if (after !== undefined) this.#entries.set(hashValue(after.doc['_id']), after);
    else if (before !== undefined) this.#entries.delete(hashValue(before.doc['_id']));
    for (const index of this.#indexes.values()) {
      if (before !== undefined) index.delete(before.doc, before);
      if (after !== undefined) index.add(after.doc, after);
    }
  }
}
