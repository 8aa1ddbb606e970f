import { StoreNotConnectedError } from '../../errors/store-errors.js';
import type { Collection, CollectionState, StoredRow } from './collection.js';
import { decodeDocument } from './document-codec.js';
import type { SqlValue } from './driver.js';
import { Role } from './index-entries.js';
import type { ValueColumn } from './index-table.js';
import { KeySorter } from './key-sorter.js';
import type { OrderedBytes } from './order-preserving.js';
import { isCut } from './order-preserving.js';
import type { PageSize } from './page-size.js';

/** Where documents come from: all in the order of their arrival, some, or in the order of a value. */
export type Access =
  | { readonly kind: 'all' }
  | { readonly kind: 'some'; readonly ids: readonly number[] }
  | ({ readonly kind: 'ordered' } & OrderedAccess);

/** Documents in the order of a value. */
export interface OrderedAccess {
  readonly column: ValueColumn;
  readonly direction: 1 | -1;
  /** What the index carries along is enough. */
  readonly isCovered: boolean;
  readonly low: OrderedBytes;
  readonly high: OrderedBytes;
}

interface ValueRow extends StoredRow {
  readonly value: OrderedBytes;
}

const NO_ID = 0;
const LAST_ID = Number.MAX_SAFE_INTEGER;

/**
 * Reads rows page by page. Each page is one short statement: between two of them nothing is locked or held open.
 *
 * Documents that arrive after the start are not met.
 */
export class RowPages {
  readonly #collection: Collection;
  readonly #state: CollectionState;
  readonly #size: PageSize;
  readonly #lastId: number;

  constructor(collection: Collection, state: CollectionState, size: PageSize) {
    this.#collection = collection;
    this.#state = state;
    this.#size = size;
    this.#lastId = state.record.nextId - 1;
  }

  read(access: Access): Generator<readonly StoredRow[], void, undefined> {
    if (access.kind === 'all') return this.#all();
    return access.kind === 'some' ? this.some(access.ids) : this.#ordered(access);
  }

  /** The documents with these numbers, in this order; those that are gone are left out. */
  *some(ids: readonly number[]): Generator<readonly StoredRow[], void, undefined> {
    const sql = `SELECT id, body, repairs FROM ${this.#state.table}
      WHERE id IN (SELECT value FROM json_each(?))`;
    for (let start = 0; start < ids.length; ) {
      const wanted = ids.slice(start, start + this.#size.rows);
      const found = new Map(
        this.#page<StoredRow>(sql, JSON.stringify(wanted)).map((row) => [row.id, row]),
      );
      yield wanted.flatMap((id) => found.get(id) ?? []);
      start += wanted.length;
    }
  }

  *#all(): Generator<readonly StoredRow[], void, undefined> {
    const sql = `SELECT id, body, repairs FROM ${this.#state.table}
      WHERE id > ? AND id <= ? ORDER BY id`;
    for (let last: number | undefined = NO_ID; last !== undefined; ) {
      const rows: StoredRow[] = this.#limitedPage(sql, last, this.#lastId);
      yield rows;
      last = rows.at(-1)?.id;
    }
  }

  *#ordered(access: OrderedAccess): Generator<readonly StoredRow[], void, undefined> {
    const { direction, low, high } = access;
    const sql = orderedSql(access, this.#state.table);
    const [start, end] = direction === 1 ? [low, high] : [high, low];
    // Where a run of equal values begins, and where it has ended, in the direction of reading.
    const [before, after] = direction === 1 ? [NO_ID, LAST_ID] : [LAST_ID, NO_ID];
    let from: { value: OrderedBytes; id: number } = { value: start, id: before };
    for (;;) {
      const limit = this.#size.rows;
      const rows = this.#limitedPage<ValueRow>(sql, from.value, from.id, end, this.#lastId);
      const { ready, next } = splitPage(rows, direction, rows.length < limit);
      yield ready;
      if (next !== undefined) {
        // Either too long for a page, or not in order by its bytes alone.
        if (next.isWholeRun) yield* this.#run(access, next.value);
        from = { value: next.value, id: next.isWholeRun ? after : before };
        continue;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) return;
      from = last;
    }
  }

  /** All documents with the same bytes. */
  *#run(
    access: OrderedAccess,
    value: OrderedBytes,
  ): Generator<readonly StoredRow[], void, undefined> {
    if (!isCut(value)) return yield* this.#sameValue(access, value);
    const { column, direction } = access;
    const sorter = new KeySorter({ spec: { [column.path]: direction } });
    for (const rows of this.#sameValue({ ...access, isCovered: false }, value))
      for (const row of rows) sorter.add(decodeDocument(row), row.id);
    yield* this.some(sorter.ids());
  }

  *#sameValue(
    access: OrderedAccess,
    value: OrderedBytes,
  ): Generator<readonly StoredRow[], void, undefined> {
    const sql = runSql(access, this.#state.table);
    for (let last: number | undefined = NO_ID; last !== undefined; ) {
      const rows: StoredRow[] = this.#limitedPage(sql, value, last, this.#lastId);
      yield rows;
      last = rows.at(-1)?.id;
    }
  }

  #limitedPage<Row extends StoredRow>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#page(`${sql} LIMIT ${this.#size.rows}`, ...values);
  }

  #page<Row extends StoredRow>(sql: string, ...values: SqlValue[]): Row[] {
    const { db, store } = this.#collection;
    // The store may have been closed since the last page.
    if (!db.isOpen) throw new StoreNotConnectedError(store, 'query');
    const rows = db.all<Row>(sql, ...values);
    this.#size.adapt(rows);
    return rows;
  }
}

/** What of a page can be handed on, and the value at which reading must go on in another way. */
interface SplitPage {
  readonly ready: readonly StoredRow[];
  readonly next?: { readonly value: OrderedBytes; readonly isWholeRun: boolean };
}

function splitPage(rows: readonly ValueRow[], direction: 1 | -1, isLast: boolean): SplitPage {
  const cut = rows.findIndex(({ value }) => isCut(value));
  const cutValue = rows[cut]?.value;
  const known = cut < 0 ? rows : rows.slice(0, cut);
  const next = cutValue && { value: cutValue, isWholeRun: true };
  if (direction === 1) return { ready: known, ...(next && { next }) };
  const runs = toRuns(known);
  const open = isLast || next ? undefined : runs.pop();
  // Ties are in the order of arrival in both directions.
  const ready = runs.flatMap((run) => run.reverse());
  const value = open?.[0]?.value;
  if (value === undefined) return { ready, ...(next && { next }) };
  return { ready, next: { value, isWholeRun: runs.length === 0 } };
}

function toRuns(rows: readonly ValueRow[]): ValueRow[][] {
  const runs: ValueRow[][] = [];
  let previous: OrderedBytes | undefined;
  for (const row of rows) {
    if (previous !== undefined && Buffer.compare(previous, row.value) === 0) runs.at(-1)?.push(row);
    else runs.push([row]);
    previous = row.value;
  }
  return runs;
}

/** Which documents are in the way of a column, and where their text is. */
function sourceOf({ column, direction, isCovered }: OrderedAccess, docs: string) {
  const role = direction === 1 ? Role.Ascending : Role.Descending;
  const isJoined = column.hasRoles && !isCovered;
  const text = isJoined ? 'd' : 'i';
  return {
    value: `i.${column.column}`,
    fields: `i.id, ${text}.body, ${text}.repairs`,
    from: `${column.table} i${isJoined ? ` CROSS JOIN ${docs} d ON d.id = i.id` : ''}`,
    role: column.hasRoles ? ` AND i.roles & ${role}` : '',
  };
}

function orderedSql(access: OrderedAccess, docs: string): string {
  const { value, fields, from, role } = sourceOf(access, docs);
  const [after, within, order] = access.direction === 1 ? ['>', '<=', 'ASC'] : ['<', '>=', 'DESC'];
  return `SELECT ${value} AS value, ${fields} FROM ${from}
    WHERE (${value}, i.id) ${after} (?, ?) AND ${value} ${within} ? AND i.id <= ?${role}
    ORDER BY ${value} ${order}, i.id ${order}`;
}

function runSql(access: OrderedAccess, docs: string): string {
  const { value, fields, from, role } = sourceOf(access, docs);
  return `SELECT ${fields} FROM ${from} WHERE ${value} = ? AND i.id > ? AND i.id <= ?${role}
    ORDER BY i.id`;
}
