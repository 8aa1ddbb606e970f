import { ObjectId } from 'bson';
import { showValue } from '../../errors/show-value.js';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import { equalValues } from '../../query/compare.js';
import type { Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import { getPath } from '../../query/path.js';
import { MemoryIndex } from './memory-index.js';
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
  readonly #indexes = new Map<string, MemoryIndex<MemoryEntry>>();
  readonly #uniques: UniqueIndex<MemoryEntry>[] = [];

  /**
   * @param name - Tells the store's name, for messages.
   * @param key - The field that is always indexed.
   */
  constructor(name: () => string, key: string) {
    this.#name = name;
    this.#key = key;
    this.#indexOn(key);
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
    return this.#byEquality(filter) ?? this.#byRange(filter) ?? this.#entries.values();
  }

  /** What storing documents in place of those with the same key would change. */
  planReplace(docs: readonly Doc[], key: readonly string[]): MemoryChange[] {
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
   * Makes an index; one over several fields is served by an index on its first field.
   *
   * @returns False when it cannot be unique, because the documents are not.
   */
  index(fields: readonly string[], unique: boolean): boolean {
    const [path = '_id'] = fields;
    if (path !== '_id') this.#indexOn(path);
    return !unique || fields.join() === '_id' || this.#makeUnique(fields);
  }

  /** Forgets all documents; the indexes stay. */
  clear(): void {
    this.#entries.clear();
    for (const path of this.#indexes.keys()) this.#indexes.set(path, new MemoryIndex(path));
    for (const [i, { paths }] of this.#uniques.entries()) this.#uniques[i] = new UniqueIndex(paths);
  }

  #byEquality({ equalities }: Filter): Iterable<MemoryEntry> | undefined {
    let best: readonly [string, readonly unknown[]] | undefined;
    for (const [path, values] of equalities) {
      const isKnown = path === '_id' || this.#indexes.has(path);
      if (isKnown && values.length < (best?.[1].length ?? this.size)) best = [path, values];
    }
    if (best === undefined) return undefined;
    const found = new Set<MemoryEntry>();
    const [path, values] = best;
    for (const value of values) for (const entry of this.#having(path, value)) found.add(entry);
    return found;
  }

  #byRange({ ranges }: Filter): Iterable<MemoryEntry> | undefined {
    for (const [path, range] of ranges) {
      // Beyond half of all, looking at every document is as fast.
      const found = this.#indexes.get(path)?.findRange(range, this.size / 2);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #having(path: string, value: unknown): Iterable<MemoryEntry> {
    const index = this.#indexes.get(path);
    if (index !== undefined) return index.find(value);
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
    if (first !== '_id') this.#indexOn(first);
    for (const entry of this.#having(first, getPath(doc, first)))
      if (key.every((path) => equalValues(getPath(entry.doc, path), getPath(doc, path))))
        return entry;
    return undefined;
  }

  #indexOn(path: string): void {
    if (this.#indexes.has(path)) return;
    const index = new MemoryIndex<MemoryEntry>(path);
    for (const entry of this.#entries.values()) index.add(entry);
    this.#indexes.set(path, index);
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
    for (const index of this.#indexes.values()) index.delete(entry);
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
    for (const index of this.#indexes.values()) index.add(entry);
    return undefined;
  }
}

/** A new document gets an `_id`, unless it has one. */
function toEntry(doc: Doc): MemoryEntry {
  const ownId = doc['_id'] === undefined;
  return { doc: ownId ? { _id: new ObjectId(), ...doc } : doc, ownId };
}
