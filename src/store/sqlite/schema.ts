import type { Database } from './database.js';

/** Of the tables below; a file with a higher one was written by a later release. */
export const SCHEMA_VERSION = 1;

/** A collection as the file describes it. */
export interface CollectionRecord {
  readonly number: number;
  /** The number that the next new document gets; numbers are never used again. */
  readonly nextId: number;
  /** How many documents there are. */
  readonly size: number;
}

/** An index as the file describes it. */
export interface IndexRecord {
  readonly number: number;
  readonly path: string;
  /** Fields that the index carries along, for queries that want no others. */
  readonly covers: readonly string[];
  readonly isUnique: boolean;
  /** Some document has several values. */
  readonly isMulti: boolean;
}

/** Reads the version of the file: null when there is nothing of ours in it, 0 when it has lost its version. */
export function readSchemaVersion(db: Database): number | null {
  const hasTable = db.get(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'maggma_meta'",
  );
  if (hasTable === undefined) return null;
  const row = db.get<{ value: number }>("SELECT value FROM maggma_meta WHERE name = 'schema'");
  return Number(row?.value ?? 0);
}

/** Makes the tables that describe all collections; inside a transaction. */
export function createSchema(db: Database): void {
  db.run('CREATE TABLE maggma_meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID');
  db.run("INSERT INTO maggma_meta VALUES ('schema', ?)", SCHEMA_VERSION);
  db.run(`CREATE TABLE maggma_collections (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, next_id INTEGER NOT NULL, size INTEGER NOT NULL)`);
  db.run(`CREATE TABLE maggma_indexes (
    number INTEGER PRIMARY KEY, collection INTEGER NOT NULL, path TEXT NOT NULL, covers TEXT NOT NULL,
    is_unique INTEGER NOT NULL, is_multi INTEGER NOT NULL, UNIQUE (collection, path))`);
}

export function readCollection(db: Database, name: string): CollectionRecord | undefined {
  return db.get<CollectionRecord>(
    'SELECT number, next_id AS nextId, size FROM maggma_collections WHERE name = ?',
    name,
  );
}

/** Makes an empty collection; inside a transaction. */
export function createCollection(db: Database, name: string): void {
  db.run('INSERT INTO maggma_collections (name, next_id, size) VALUES (?, 1, 0)', name);
  const record = readCollection(db, name);
  // Numbers, not names: SQLite does not tell apart the tables "Tasks" and "tasks".
  db.run(`CREATE TABLE ${docsTable(record?.number ?? 0)} (
    id INTEGER PRIMARY KEY, oid BLOB NOT NULL UNIQUE, body TEXT NOT NULL, repairs TEXT)`);
}

export function writeCollection(db: Database, { number, nextId, size }: CollectionRecord): void {
  const sql = 'UPDATE maggma_collections SET next_id = ?, size = ? WHERE number = ?';
  db.run(sql, nextId, size, number);
}

export function readIndexes(db: Database, collection: number): IndexRecord[] {
  const rows = db.all<
    Record<'number' | 'is_unique' | 'is_multi', number> & Record<'path' | 'covers', string>
  >(
    'SELECT number, path, covers, is_unique, is_multi FROM maggma_indexes WHERE collection = ? ORDER BY number',
    collection,
  );
  return rows.map(({ number, path, covers, is_unique, is_multi }) => ({
    number,
    // Written as JSON: SQLite's texts end at a NUL.
    path: JSON.parse(path) as string,
    covers: JSON.parse(covers) as string[],
    isUnique: is_unique === 1,
    isMulti: is_multi === 1,
  }));
}

/** Makes an index without filling it; inside a transaction. */
export function createIndex(
  db: Database,
  collection: number,
  path: string,
  covers: readonly string[],
): void {
  db.run(
    'INSERT INTO maggma_indexes (collection, path, covers, is_unique, is_multi) VALUES (?, ?, ?, 0, 0)',
    collection,
    JSON.stringify(path),
    JSON.stringify(covers),
  );
  const row = db.get<{ number: number }>(
    'SELECT number FROM maggma_indexes WHERE collection = ? AND path = ?',
    collection,
    JSON.stringify(path),
  );
  // Without a row number of its own: the table is one tree, in the order of the values.
  db.run(`CREATE TABLE ${indexTable(row?.number ?? 0)} (
    value BLOB NOT NULL, id INTEGER NOT NULL, roles INTEGER NOT NULL, body TEXT, repairs TEXT,
    PRIMARY KEY (value, id)) WITHOUT ROWID`);
}

export function markIndex(db: Database, number: number, mark: 'is_unique' | 'is_multi'): void {
  db.run(`UPDATE maggma_indexes SET ${mark} = 1 WHERE number = ?`, number);
}

/** Where the documents of a collection are. */
export const docsTable = (collection: number): string => `maggma_docs_${collection}`;

/** Where the values of an index are. */
export const indexTable = (index: number): string => `maggma_index_${index}`;
