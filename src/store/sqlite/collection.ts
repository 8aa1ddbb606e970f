import { StoreConnectionError } from '../../errors/store-errors.js';
import type { Doc } from '../../query/document.js';
import type { Database } from './database.js';
import type { EncodedDocument } from './document-codec.js';
import { decodeDocument } from './document-codec.js';
import type { ValueColumn } from './index-table.js';
import { IndexTable } from './index-table.js';
import type { CollectionRecord } from './schema.js';
import {
  createCollection,
  createIndex,
  createSchema,
  docsTable,
  markIndex,
  readCollection,
  readIndexes,
  readSchemaVersion,
  SCHEMA_VERSION,
} from './schema.js';

/** A document as it is stored. */
export interface StoredRow extends EncodedDocument {
  readonly id: number;
}

/** What is known of a collection that exists. */
export interface CollectionState {
  readonly record: CollectionRecord;
  readonly table: string;
  readonly indexes: readonly IndexTable[];
}

/** One collection in a file: what there is of it, as of now. */
export class Collection {
  readonly db: Database;
  /** Name of the store, for messages. */
  readonly store: string;
  readonly #name: string;
  #known: CollectionState | null = null;
  #version: number | undefined;

  constructor(db: Database, name: string, store: string) {
    this.db = db;
    this.#name = name;
    this.store = store;
  }

  /**
   * The collection, or null as long as nobody has stored anything in it.
   *
   * @throws {@link StoreConnectionError} for a file of a later release, or one that is damaged.
   */
  state(): CollectionState | null {
    const version = this.db.dataVersion();
    // Another process may have made an index that has to be kept from now on.
    if (version !== this.#version) {
      this.#known = this.#load();
      this.#version = version;
    }
    return this.#known;
  }

  /** The collection, made when there is none; inside a transaction. */
  ensure(): CollectionState {
    const state = this.state();
    if (state !== null) return state;
    if (readSchemaVersion(this.db) === null) createSchema(this.db);
    createCollection(this.db, this.#name);
    return this.#reload();
  }

  /** The index on a path, made and filled when there is none; inside a transaction. */
  ensureIndex(path: string, covers: readonly string[]): IndexTable {
    const known = findIndex(this.ensure(), path);
    if (known !== undefined) return known;
    createIndex(this.db, this.ensure().record.number, path, covers);
    const state = this.#reload();
    const index = findIndex(state, path) as IndexTable;
    for (const row of rowsIn(this.db, state)) index.put(row.id, undefined, decodeDocument(row));
    if (index.isMulti) markIndex(this.db, index.record.number, 'is_multi');
    return index;
  }

  /** To be called when the file does not hold what was noted, after changes or their undoing. */
  forget(): void {
    this.#version = undefined;
  }

  #reload(): CollectionState {
    this.#known = this.#load();
    return this.#known as CollectionState;
  }

  #load(): CollectionState | null {
    const schema = readSchemaVersion(this.db);
    if (schema === null) return null;
    if (!(schema >= 1))
      throw new StoreConnectionError(this.store, 'the file is damaged: its schema is not known');
    if (schema > SCHEMA_VERSION)
      throw new StoreConnectionError(
        this.store,
        `the file was written by a later release (its schema is ${schema}, this one knows ${SCHEMA_VERSION}): upgrade the package`,
      );
    const record = readCollection(this.db, this.#name);
    if (record === undefined) return null;
    const indexes = readIndexes(this.db, record.number);
    return {
      record,
      table: docsTable(record.number),
      indexes: indexes.map((index) => new IndexTable(this.db, index)),
    };
  }
}

export function findIndex({ indexes }: CollectionState, path: string): IndexTable | undefined {
  return indexes.find((index) => index.path === path);
}

/** What finds documents by the values of a path, if anything does; `_id` has an index of its own. */
export function findColumn(state: CollectionState, path: string): ValueColumn | undefined {
  if (path !== '_id') return findIndex(state, path);
  return { path, table: state.table, column: 'oid', hasRoles: false, isMulti: false };
}

/** All rows in the order of their arrival, read in small parts. */
function* rowsIn(db: Database, { table }: CollectionState): Generator<StoredRow> {
  const sql = `SELECT id, body, repairs FROM ${table} WHERE id > ? ORDER BY id LIMIT 100`;
  let last = 0;
  for (;;) {
    const rows = db.all<StoredRow>(sql, last);
    yield* rows;
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}

/** Reads single documents; those that are gone are left out. */
export function* docsById(
  db: Database,
  { table }: CollectionState,
  ids: readonly number[],
): Generator<Doc> {
  for (const id of ids) {
    const row = db.get<StoredRow>(`SELECT id, body, repairs FROM ${table} WHERE id = ?`, id);
    if (row !== undefined) yield decodeDocument(row);
  }
}
