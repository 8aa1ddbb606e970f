import type { Filter } from '../../query/criteria.js';
import type { Find } from '../store.js';
import type { CollectionState } from './collection.js';
import { findColumn, findIndex } from './collection.js';
import type { Database } from './database.js';
import type { Lookup } from './index-lookup.js';
import { countUpTo, equalLookup, idsOf, rangeBounds, rangeLookup } from './index-lookup.js';
import type { Access } from './row-pages.js';

/** How a query is answered. */
export interface QueryPlan {
  readonly access: Access;
  /** The documents come in the order that was asked for. */
  readonly isSorted: boolean;
}

/** So many documents are sorted in memory rather than all others passed over in the order of an index. */
const SORTED_IN_MEMORY = 10_000;
const LOWEST = new Uint8Array(0);
const HIGHEST = Uint8Array.of(0xff);

/** What matters of a query for the way in which it is answered. */
type Wanted = Pick<Find, 'filter' | 'sort' | 'projection'>;

/** Decides which index answers a query. What it finds is a superset: the filter decides. */
export function planQuery(db: Database, state: CollectionState, find: Wanted): QueryPlan {
  const lookup = bestLookup(db, state, find.filter);
  const ordered = orderedAccess(state, find);
  if (ordered !== null && (lookup === null || lookup.count > SORTED_IN_MEMORY))
    return { access: ordered, isSorted: true };
  const access: Access =
    lookup === null ? { kind: 'all' } : { kind: 'some', ids: idsOf(db, lookup.lookup) };
  return { access, isSorted: find.sort === null };
}

/** The look-up that finds the fewest documents, or null when reading all of them is better. */
function bestLookup(
  db: Database,
  state: CollectionState,
  filter: Filter,
): { lookup: Lookup; count: number } | null {
  let best: { lookup: Lookup; count: number } | null = null;
  // Reading by number costs more than reading in order.
  let least = Math.ceil(state.record.size / 2);
  for (const lookup of lookupsFor(state, filter)) {
    const count = countUpTo(db, lookup, least);
    if (count >= least) continue;
    least = count;
    best = { lookup, count };
  }
  return best;
}

function* lookupsFor(state: CollectionState, filter: Filter): Generator<Lookup> {
  for (const [path, values] of filter.equalities) {
    const column = findColumn(state, path);
    if (column !== undefined) yield equalLookup(column, values);
  }
  for (const [path, range] of filter.ranges) {
    const column = findColumn(state, path);
    if (column !== undefined) yield* rangeLookup(column, range);
  }
}

function orderedAccess(
  state: CollectionState,
  { sort, filter, projection }: Wanted,
): Access | null {
  const fields = Object.entries(sort?.spec ?? {});
  const [field] = fields;
  // After an `_id`, which is unique, nothing is left to be sorted.
  if (field === undefined || (fields.length > 1 && field[0] !== '_id')) return null;
  const [path, direction] = field;
  const column = findColumn(state, path);
  if (column === undefined) return null;
  const isUnfiltered = Object.keys(filter.criteria).length === 0;
  const isCovered = isUnfiltered && findIndex(state, path)?.covered.suffice(projection) === true;
  // The place of a document with several values says nothing of the others.
  const range = column.isMulti ? undefined : filter.ranges.get(path);
  const { low, high } =
    range === undefined ? { low: LOWEST, high: HIGHEST } : rangeBounds(range, column);
  return { kind: 'ordered', column, direction, isCovered, low, high };
}
