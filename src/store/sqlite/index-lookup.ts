import type { ValueRange } from '../../query/index-bounds.js';
import type { Database } from './database.js';
import { Role } from './index-entries.js';
import type { ValueColumn } from './index-table.js';
import type { OrderedBytes } from './order-preserving.js';
import { encodeExactly, encodeForIndex, kindBounds } from './order-preserving.js';
import { powerOfTwo } from './page-size.js';

/** Documents that have one of some values at a path, or a value between two. */
export type Lookup =
  | { readonly column: ValueColumn; readonly values: readonly OrderedBytes[] }
  | { readonly column: ValueColumn; readonly low: OrderedBytes; readonly high: OrderedBytes };

/** So many values of a list are counted; the others are taken to be like them. */
const SAMPLE = 20;

export function equalLookup(column: ValueColumn, values: readonly unknown[]): Lookup {
  return { column, values: values.map((value) => encode(column, value)) };
}

/** A document with several values may satisfy each bound by another one: then the bounds are apart. */
export function rangeLookup(column: ValueColumn, range: ValueRange): Lookup[] {
  if (!column.isMulti) return [{ column, ...rangeBounds(range, column) }];
  const { lower, upper } = range;
  return [
    ...(lower === undefined ? [] : [{ column, ...rangeBounds({ lower }, column) }]),
    ...(upper === undefined ? [] : [{ column, ...rangeBounds({ upper }, column) }]),
  ];
}

/** Between which bytes a value must be that satisfies both bounds, of whose kinds it must be. */
export function rangeBounds(
  { lower, upper }: ValueRange,
  column: ValueColumn,
): { low: OrderedBytes; high: OrderedBytes } {
  const low = lower === undefined ? kindBounds(upper).first : encode(column, lower);
  const high = upper === undefined ? kindBounds(lower).last : encode(column, upper);
  return { low, high };
}

/** Counts what a look-up finds, up to a limit and a little more. */
export function countUpTo(db: Database, lookup: Lookup, limit: number): number {
  const { column } = lookup;
  if (!('values' in lookup)) {
    const sql = countSql(column, 'BETWEEN ? AND ?', limit);
    return countIn(db.get<Count>(sql, lookup.low, lookup.high));
  }
  const { values } = lookup;
  const sample = values.slice(0, SAMPLE);
  const sql = countSql(column, '= ?', limit);
  let count = 0;
  for (const value of sample) count += countIn(db.get<Count>(sql, value));
  return sample.length === 0 ? 0 : Math.ceil((count * values.length) / sample.length);
}

/** The numbers of the documents that a look-up finds, each once, in the order of their arrival. */
export function idsOf(db: Database, lookup: Lookup): number[] {
  const rows = 'values' in lookup ? rowsEqual(db, lookup) : rowsBetween(db, lookup.column, lookup);
  const ids = rows.map(({ id }) => id).sort((a, b) => a - b);
  return ids.filter((id, i) => id !== ids[i - 1]);
}

interface Count {
  readonly count: number;
}

const countIn = (row: Count | undefined): number => row?.count ?? 0;

const countSql = (column: ValueColumn, condition: string, limit: number): string =>
  `SELECT count(*) AS count FROM (SELECT 1 FROM ${whereSql(column, condition)} LIMIT ${powerOfTwo(limit)})`;

function rowsEqual(
  db: Database,
  { column, values }: Extract<Lookup, { values: unknown }>,
): { id: number }[] {
  const digits = values.map((value) => Buffer.from(value).toString('hex'));
  const sql = `SELECT id FROM ${whereSql(column, 'IN (SELECT unhex(value) FROM json_each(?))')}`;
  return db.all(sql, JSON.stringify(digits));
}

function rowsBetween(
  db: Database,
  column: ValueColumn,
  { low, high }: { low: OrderedBytes; high: OrderedBytes },
): { id: number }[] {
  return db.all(`SELECT id FROM ${whereSql(column, 'BETWEEN ? AND ?')}`, low, high);
}

const whereSql = ({ table, column, hasRoles }: ValueColumn, condition: string): string =>
  `${table} WHERE ${column} ${condition}${hasRoles ? ` AND roles & ${Role.Match}` : ''}`;

/** Values of `_id` are kept whole. */
const encode = (column: ValueColumn, value: unknown): OrderedBytes =>
  column.path === '_id' ? encodeExactly(value) : encodeForIndex(value);
