import type { Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import { nextTurn } from '../../util/turn.js';
import type { Find } from '../store.js';
import type { Collection, CollectionState, StoredRow } from './collection.js';
import { decodeDocument } from './document-codec.js';
import { KeySorter } from './key-sorter.js';
import { PageSize } from './page-size.js';
import { planQuery } from './query-plan.js';
import type { Access } from './row-pages.js';
import { RowPages } from './row-pages.js';

/** Documents found together, and how long their text is. */
export interface FoundPage {
  readonly docs: readonly Doc[];
  readonly length: number;
}

/**
 * Finds the documents of a query in their order, without what `skip`, `limit` and the projection do.
 *
 * Between two pages nothing is locked, and others have their turn.
 */
export async function* findDocuments(
  collection: Collection,
  find: Find,
): AsyncGenerator<FoundPage, void, undefined> {
  const state = collection.state();
  if (state === null) return;
  const { access, isSorted } = planQuery(collection.db, state, find);
  const test = isEmpty(find.filter) ? null : find.filter;
  const wanted = find.limit === 0 ? undefined : find.skip + find.limit;
  if (!isSorted) {
    const ids = await sortedIds(collection, state, access, find);
    const pages = new RowPages(collection, state, new PageSize(wanted)).some(ids);
    yield* matchesIn(pages, find, test);
    return;
  }
  const size = new PageSize(test === null ? wanted : undefined);
  yield* matchesIn(new RowPages(collection, state, size).read(access), find, test);
}

/** Finds the documents that match, at once: for changes, which must not be interrupted. */
export function* findNow(
  collection: Collection,
  state: CollectionState,
  filter: Filter,
): Generator<{ id: number; doc: Doc }, void, undefined> {
  const { access } = planQuery(collection.db, state, { filter, sort: null, projection: null });
  for (const rows of new RowPages(collection, state, new PageSize()).read(access))
    for (const row of rows) {
      const doc = decodeDocument(row);
      if (filter.matches(doc)) yield { id: row.id, doc };
    }
}

/** True when a filter matches everything. */
export const isEmpty = (filter: Filter): boolean => Object.keys(filter.criteria).length === 0;

async function* matchesIn(
  pages: Iterable<readonly StoredRow[]>,
  { signal }: Find,
  test: Filter | null,
): AsyncGenerator<FoundPage, void, undefined> {
  for (const rows of pages) {
    const docs: Doc[] = [];
    let length = 0;
    for (const row of rows) {
      const doc = decodeDocument(row);
      if (test !== null && !test.matches(doc)) continue;
      docs.push(doc);
      length += row.body.length;
    }
    if (docs.length > 0) yield { docs, length };
    await nextTurn();
    signal?.throwIfAborted();
  }
}

/** Reads everything once for the keys to sort by, so that documents need not be held. */
async function sortedIds(
  collection: Collection,
  state: CollectionState,
  access: Access,
  { filter, sort, skip, limit, signal }: Find,
): Promise<number[]> {
  const wanted = limit === 0 ? Number.POSITIVE_INFINITY : skip + limit;
  const sorter = new KeySorter({ spec: sort?.spec ?? {} }, wanted);
  for (const rows of new RowPages(collection, state, new PageSize()).read(access)) {
    for (const row of rows) {
      const doc = decodeDocument(row);
      if (filter.matches(doc)) sorter.add(doc, row.id);
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return sorter.ids();
}
