import type { Collection, CollectionState } from './collection.js';
import { docsById, findIndex } from './collection.js';
import type { IndexTable } from './index-table.js';
import { haveCommonValue } from './index-table.js';
import { isCut } from './order-preserving.js';
import { markIndex } from './schema.js';

/**
 * Makes an index on the first of some fields; inside a transaction.
 *
 * @param covers - Fields that a new index carries along.
 * @param unique - Asks that no two documents have the same values.
 * @returns True when there is an index that does what was asked.
 */
export function ensureIndex(
  collection: Collection,
  fields: readonly string[],
  covers: readonly string[],
  unique: boolean,
): boolean {
  const [first = '_id'] = fields;
  const index = collection.ensureIndex(first, covers);
  if (!unique) return true;
  const state = collection.ensure();
  // What is unique by itself is so together with others.
  if (fields.some((field) => field === '_id' || findIndex(state, field)?.record.isUnique))
    return true;
  if (fields.length > 1 || hasDuplicates(collection, state, index)) return false;
  markIndex(collection.db, index.record.number, 'is_unique');
  return true;
}

function hasDuplicates({ db }: Collection, state: CollectionState, index: IndexTable): boolean {
  return index
    .shared()
    .some(
      (value) =>
        !isCut(value) || haveCommonValue(docsById(db, state, index.holders(value)), index.path),
    );
}
