import { ObjectId } from 'bson';
import { showValue } from '../../errors/show-value.js';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import { equalValues } from '../../query/compare.js';
import type { Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import { getPath } from '../../query/path.js';
import { MemoryIndexes } from './memory-indexes.js';
import { UniqueIndex } from './unique-index.js';

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

/**
 * Documents with their indexes.
 *
 * Changes are planned first and then applied, so that one that is refused changes nothing, and one that could not be
 * made durable can be reverted.
 */
export class MemoryCollection {
  readonly #name: () => string;
  readonly #key: string;
  /** By the hash of `_id`, in the order of their arrival. */
  readonly #entries = new Map<Hash, MemoryEntry>();
  readonly #indexes = new MemoryIndexes<MemoryEntry>();
  readonly #uniques: UniqueIndex<MemoryEntry>[] = [];

  /**
   * @param name - Tells the store's name, for messages.
   * @param key - The field that is always indexed.
   */
  constructor(name: () => string, key: string) {
    this.#name = name;
    this.#key = key;
    this.#indexOn([key]);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The stored documents themselves, not copies, in the order of their arrival. */
  entries(): Iterable<MemoryEntry> {
    return this.#entries.values();
  }

  /** All entries that may match, as few as an index can tell. */
  candidates(filter: Filter): Iterable<MemoryEntry> {
    const ids = filter.equalities.get('_id');
    if (ids !== undefined) return this.#byIds(ids);
    return this.#indexes.candidates(filter, this.size) ?? this.#entries.values();
  }

  /** What storing documents in place of those with the same key would change. */
  planReplace(docs: readonly Doc[], key: readonly string[]): MemoryChange[] {
    this.#indexOn([key[0] ?? this.#key]);
    const changes = docs.map((doc) => this.#planChange(doc, key));
    this.#assertIds(changes);
    return changes;
  }

  /** What storing documents beside those with the same key would change. */
  planInsert(docs: readonly Doc[]): MemoryChange[] {
    const changes = docs.map((doc) => ({ before: undefined, after: toEntry(doc) }));
    this.#assertIds(changes);
    return changes;
  }

  /** What removing the documents that match would change. */
  planRemove(filter: Filter): MemoryChange[] {
    const doomed = [...this.candidates(filter)].filter((entry) => filter.matches(entry.doc));
    return doomed.map((before) => ({ before, after: undefined }));
  }

  /**
   * Carries out changes, all or none.
   *
   * @throws {@link InvalidDocumentError} when a unique index refuses one.
   */
  apply(changes: readonly MemoryChange[]): void {
    for (const { before } of changes) this.#unindex(before);
    for (const [i, { after }] of changes.entries()) {
      const violated = this.#reindex(after);
      if (violated === undefined) continue;
      for (const done of changes.slice(0, i)) this.#unindex(done.after);
      for (const undone of changes) this.#reindex(undone.before);
      throw new InvalidDocumentError(
        `$.${violated.paths.join(', $.')}`,
        `another document of ${this.#name()} has the same value, and its index is unique`,
      );
    }
    for (const { before, after } of changes) {
      // Setting what is there already keeps its place in the order.
      if (after !== undefined) this.#entries.set(hashValue(after.doc['_id']), after);
      else if (before !== undefined) this.#entries.delete(hashValue(before.doc['_id']));
    }
  }

  /** Takes back changes that were carried out. */
  revert(changes: readonly MemoryChange[]): void {
    this.apply(changes.map(({ before, after }) => ({ before: after, after: before })));
  }

  /**
   * Makes an index. One that begins with `_id` is there already: nothing is left to be told apart.
   *
   * @returns False when it cannot be unique, because the documents are not.
   */
  index(fields: readonly string[], unique: boolean): boolean {
    this.#indexOn(fields);
    return !unique || fields.join() === '_id' || this.#makeUnique(fields);
  }

  /** Forgets all documents; the indexes stay. */
  clear(): void {
    this.#entries.clear();
    this.#indexes.clear();
    for (const [i, { paths }] of this.#uniques.entries()) this.#uniques[i] = new UniqueIndex(paths);
  }

  #byIds(ids: readonly unknown[]): Set<MemoryEntry> {
    return new Set(ids.flatMap((id) => [...this.#having('_id', id)]));
  }

  #having(path: string, value: unknown): Iterable<MemoryEntry> {
    if (path !== '_id') return this.#indexes.find(path, value);
    // An array cannot be an `_id`, so the hash is all there is to it.
    const entry = this.#entries.get(hashValue(value));
    return entry === undefined ? [] : [entry];
  }

  /** Which stored document makes room for this one, and how it will be stored. */
  #planChange(doc: Doc, key: readonly string[]): MemoryChange {
    const before = this.#counterpart(doc, key);
    if (before === undefined) return { before, after: toEntry(doc) };
    const { _id, ...rest } = doc;
    return { before, after: { doc: { _id: before.doc['_id'], ...rest }, ownId: before.ownId } };
  }

  #counterpart(doc: Doc, key: readonly string[]): MemoryEntry | undefined {
    const [first = this.#key] = key;
    for (const entry of this.#having(first, getPath(doc, first)))
      if (key.every((path) => equalValues(getPath(entry.doc, path), getPath(doc, path))))
        return entry;
    return undefined;
  }

  #indexOn(fields: readonly string[]): void {
    if (fields[0] !== '_id') this.#indexes.ensure(fields, this.#entries.values());
  }

  #makeUnique(fields: readonly string[]): boolean {
    if (this.#uniques.some(({ paths }) => paths.join() === fields.join())) return true;
    const index = new UniqueIndex<MemoryEntry>(fields);
    for (const entry of this.#entries.values()) if (!index.add(entry)) return false;
    this.#uniques.push(index);
    return true;
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
          `another document of ${this.#name()} has the _id ${showValue(_id)} already`,
        );
      fresh.add(hash);
    }
  }

  #unindex(entry: MemoryEntry | undefined): void {
    if (entry === undefined) return;
    this.#indexes.delete(entry);
    for (const index of this.#uniques) index.delete(entry);
  }

  /** Returns the index that refuses the entry, which then is in none. */
  #reindex(entry: MemoryEntry | undefined): UniqueIndex<MemoryEntry> | undefined {
    if (entry === undefined) return undefined;
    for (const [i, index] of this.#uniques.entries()) {
      if (index.add(entry)) continue;
      for (const taken of this.#uniques.slice(0, i)) taken.delete(entry);
      return index;
    }
    this.#indexes.add(entry);
    return undefined;
  }
}

/** A new document gets an `_id`, unless it has one. */
function toEntry(doc: Doc): MemoryEntry {
  const ownId = doc['_id'] === undefined;
  return { doc: ownId ? { _id: new ObjectId(), ...doc } : doc, ownId };
}
