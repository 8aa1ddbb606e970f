import { ObjectId } from 'bson';
import { showValue } from '../../errors/show-value.js';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import { equalValues } from '../../query/compare.js';
import type { Doc } from '../../query/document.js';
import { getPath } from '../../query/path.js';
import type { Collection, CollectionState, StoredRow } from './collection.js';
import { docsById, findIndex } from './collection.js';
import { decodeDocument, encodeDocument } from './document-codec.js';
import { Role, textOf } from './index-entries.js';
import type { IndexTable } from './index-table.js';
import { haveCommonValue } from './index-table.js';
import type { OrderedBytes } from './order-preserving.js';
import { encodeExactly, encodeForIndex, isCut } from './order-preserving.js';
import { markIndex, writeCollection } from './schema.js';
import { isConstraint } from './sql-errors.js';

/** A document that is stored already. */
interface Counterpart {
  readonly id: number;
  readonly doc: Doc;
}

/**
 * Stores documents, each in place of the one with the same key; inside a transaction.
 *
 * @param key - There is an index on the first of these fields, or it is `_id`.
 * @throws {@link InvalidDocumentError} for an `_id`, or a value that is to be unique, that another document has.
 */
export function replaceDocuments(
  collection: Collection,
  docs: readonly Doc[],
  key: readonly string[],
): void {
  const replacement = new Replacement(collection, key);
  for (const doc of docs) replacement.put(doc);
  replacement.finish();
}

class Replacement {
  readonly #collection: Collection;
  readonly #state: CollectionState;
  readonly #key: readonly string[];
  readonly #index: IndexTable | undefined;
  readonly #first: string;
  /** New values of unique indexes, to be looked at when everything is in place. */
  readonly #fresh: { index: IndexTable; values: Map<string, OrderedBytes> }[];
  // Made once: joining and hashing such a text takes as long as many a statement.
  readonly #insertSql: string;
  readonly #updateSql: string;
  readonly #firstSql: string;
  readonly #everySql: string;
  #nextId: number;
  #size: number;

  constructor(collection: Collection, key: readonly string[]) {
    const state = collection.ensure();
    this.#collection = collection;
    this.#state = state;
    this.#key = key;
    this.#first = key[0] ?? '_id';
    this.#index = findIndex(state, this.#first);
    this.#insertSql = `INSERT INTO ${state.table} (id, oid, body, repairs) VALUES (?, ?, ?, ?)`;
    this.#updateSql = `UPDATE ${state.table} SET body = ?, repairs = ? WHERE id = ?`;
    this.#everySql = lookUpSql(state.table, this.#index);
    this.#firstSql = `${this.#everySql} LIMIT 1`;
    this.#nextId = state.record.nextId;
    this.#size = state.record.size;
    this.#fresh = state.indexes
      .filter(({ record }) => record.isUnique)
      .map((unique) => ({ index: unique, values: new Map() }));
  }

  put(doc: Doc): void {
    const known = this.#counterpart(doc);
    if (known === undefined) {
      const stored = doc['_id'] === undefined ? { _id: new ObjectId(), ...doc } : doc;
      this.#insert(this.#nextId++, stored);
      return;
    }
    const { _id, ...rest } = doc;
    this.#update(known, { _id: known.doc['_id'], ...rest });
  }

  finish(): void {
    const { db } = this.#collection;
    for (const { index, values } of this.#fresh)
      for (const value of values.values()) this.#assertUnique(index, value);
    for (const { record, isMulti } of this.#state.indexes)
      if (isMulti && !record.isMulti) markIndex(db, record.number, 'is_multi');
    const { number } = this.#state.record;
    writeCollection(db, { number, nextId: this.#nextId, size: this.#size });
  }

  #insert(id: number, doc: Doc): void {
    const { _id } = doc;
    if (Array.isArray(_id) || _id instanceof RegExp)
      throw new InvalidDocumentError('$._id', 'an array or a regular expression cannot be an _id');
    const { body, repairs } = encodeDocument(doc);
    try {
      this.#collection.db.run(this.#insertSql, id, encodeExactly(_id), body, repairs);
    } catch (error) {
      throw isConstraint(error) ? this.#takenId(_id) : error;
    }
    this.#size++;
    this.#updateIndexes(id, undefined, doc);
  }

  #update({ id, doc: before }: Counterpart, doc: Doc): void {
    const { body, repairs } = encodeDocument(doc);
    this.#collection.db.run(this.#updateSql, body, repairs, id);
    this.#updateIndexes(id, before, doc);
  }

  #updateIndexes(id: number, before: Doc | undefined, after: Doc): void {
    for (const index of this.#state.indexes) {
      const rows = index.put(id, before, after);
      if (!index.record.isUnique) continue;
      const values = this.#fresh.find((fresh) => fresh.index === index)?.values;
      for (const { value, roles } of rows)
        if (roles & Role.Match) values?.set(textOf(value), value);
    }
  }

  #counterpart(doc: Doc): Counterpart | undefined {
    const value = getPath(doc, this.#first);
    const bytes = this.#index === undefined ? encodeExactly(value) : encodeForIndex(value);
    // What was not cut is equal: no need to read others with the same value.
    const isExact = this.#key.length === 1 && (this.#index === undefined || !isCut(bytes));
    const sql = isExact ? this.#firstSql : this.#everySql;
    const rows = this.#collection.db.all<StoredRow>(sql, bytes);
    for (const row of rows) {
      const stored = decodeDocument(row);
      if (isExact || this.#haveEqualKeys(stored, doc)) return { id: row.id, doc: stored };
    }
    return undefined;
  }

  #haveEqualKeys(a: Doc, b: Doc): boolean {
    return this.#key.every((path) => equalValues(getPath(a, path), getPath(b, path)));
  }

  #assertUnique(index: IndexTable, value: OrderedBytes): void {
    const ids = index.holders(value);
    if (ids.length < 2) return;
    const { db } = this.#collection;
    const { path } = index;
    if (isCut(value) && !haveCommonValue(docsById(db, this.#state, ids), path)) return;
    const [doc = {}] = docsById(db, this.#state, ids.slice(-1));
    throw new InvalidDocumentError(
      `$.${path}`,
      `two documents of ${this.#collection.store} would have the same ${path}, which is to be unique: ${showValue(getPath(doc, path))}`,
    );
  }

  #takenId(id: unknown): InvalidDocumentError {
    return new InvalidDocumentError(
      '$._id',
      `another document of ${this.#collection.store} has the _id ${showValue(id)} already`,
    );
  }
}

function lookUpSql(table: string, index: IndexTable | undefined): string {
  if (index === undefined) return `SELECT id, body, repairs FROM ${table} WHERE oid = ?`;
  return `SELECT d.id, d.body, d.repairs FROM ${index.table} i CROSS JOIN ${table} d ON d.id = i.id
    WHERE i.value = ? AND i.roles & ${Role.Whole} ORDER BY i.id`;
}
