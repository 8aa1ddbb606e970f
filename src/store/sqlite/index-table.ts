import type { Doc } from '../../query/document.js';
import { valuesAt } from '../../query/path.js';
import { CoveredFields } from './covered-fields.js';
import type { Database } from './database.js';
import type { IndexEntry } from './index-entries.js';
import { indexEntries, Role, textOf } from './index-entries.js';
import type { OrderedBytes } from './order-preserving.js';
import { encodeExactly } from './order-preserving.js';
import type { IndexRecord } from './schema.js';
import { indexTable } from './schema.js';

/** A column that holds the bytes of values, in their order. */
export interface ValueColumn {
  readonly path: string;
  readonly table: string;
  readonly column: string;
  /** The rows have roles, because a document may have several. */
  readonly hasRoles: boolean;
  /** A document may have several values, so that each may satisfy another condition. */
  readonly isMulti: boolean;
}

/** A row of an index, as it is written. */
interface IndexRow extends IndexEntry {
  readonly body: string | null;
  readonly repairs: string | null;
}

/** The values of one path over all documents of a collection: a table of its own. */
export class IndexTable implements ValueColumn {
  readonly hasRoles = true;
  readonly column = 'value';
  readonly table: string;
  readonly record: IndexRecord;
  readonly covered: CoveredFields;
  readonly #db: Database;
  readonly #insert: string;
  readonly #replace: string;
  readonly #delete: string;
  #isMulti: boolean;

  constructor(db: Database, record: IndexRecord) {
    this.#db = db;
    this.record = record;
    this.table = indexTable(record.number);
    this.covered = new CoveredFields(record.covers);
    this.#isMulti = record.isMulti;
    const into = `INTO ${this.table} (value, id, roles, body, repairs) VALUES (?, ?, ?, ?, ?)`;
    this.#insert = `INSERT ${into}`;
    this.#replace = `INSERT OR REPLACE ${into}`;
    this.#delete = `DELETE FROM ${this.table} WHERE value = ? AND id = ?`;
  }

  get path(): string {
    return this.record.path;
  }

  get isMulti(): boolean {
    return this.#isMulti;
  }

  /**
   * Takes in a document, in place of an earlier version of it.
   *
   * @returns The rows that are new or different.
   */
  put(id: number, before: Doc | undefined, after: Doc): readonly IndexEntry[] {
    const rows = this.#rowsOf(after);
    if (rows.length > 1) this.#isMulti = true;
    if (before === undefined) {
      this.#write(this.#insert, id, rows);
      return rows;
    }
    const known = new Map(this.#rowsOf(before).map((row) => [textOf(row.value), row]));
    const fresh: IndexRow[] = [];
    for (const row of rows) {
      const text = textOf(row.value);
      if (!isSame(row, known.get(text))) fresh.push(row);
      known.delete(text);
    }
    for (const { value } of known.values()) this.#db.run(this.#delete, value, id);
    this.#write(this.#replace, id, fresh);
    return fresh;
  }

  delete(id: number, doc: Doc): void {
    for (const { value } of indexEntries(doc, this.path)) this.#db.run(this.#delete, value, id);
  }

  clear(): void {
    this.#db.run(`DELETE FROM ${this.table}`);
  }

  /** The documents that have a value; those of a value that was cut may rather have another one. */
  holders(value: OrderedBytes): number[] {
    const sql = `SELECT id FROM ${this.table} WHERE value = ? AND roles & ${Role.Match}`;
    return this.#db.all<{ id: number }>(sql, value).map(({ id }) => id);
  }

  /** The bytes that several documents have. */
  shared(): OrderedBytes[] {
    const sql = `SELECT value FROM ${this.table} WHERE roles & ${Role.Match} GROUP BY value HAVING count(*) > 1`;
    return this.#db.all<{ value: Uint8Array }>(sql).map(({ value }) => value);
  }

  #write(sql: string, id: number, rows: readonly IndexRow[]): void {
    for (const { value, roles, body, repairs } of rows)
      this.#db.run(sql, value, id, roles, body, repairs);
  }

  #rowsOf(doc: Doc): IndexRow[] {
    const { body, repairs } = this.covered.encode(doc) ?? { body: null, repairs: null };
    return indexEntries(doc, this.path).map(({ value, roles }) =>
      roles & (Role.Ascending | Role.Descending)
        ? { value, roles, body, repairs }
        : { value, roles, body: null, repairs: null },
    );
  }
}

/** True when two of the documents have a value in common. */
export function haveCommonValue(docs: Iterable<Doc>, path: string): boolean {
  const seen = new Set<string>();
  for (const doc of docs) {
    const own = new Set(valuesAt(doc, path).map((value) => textOf(encodeExactly(value))));
    for (const text of own) {
      if (seen.has(text)) return true;
      seen.add(text);
    }
  }
  return false;
}

/** Compares rows of the same value. */
const isSame = (a: IndexRow, b: IndexRow | undefined): boolean =>
  b !== undefined && a.roles === b.roles && a.body === b.body && a.repairs === b.repairs;
