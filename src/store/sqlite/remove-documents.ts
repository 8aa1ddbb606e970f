import type { Filter } from '../../query/criteria.js';
import type { Collection } from './collection.js';
import { findNow, isEmpty } from './find-documents.js';
import { writeCollection } from './schema.js';

/**
 * Removes documents; inside a transaction.
 *
 * @returns How many there were.
 */
export function removeDocuments(collection: Collection, filter: Filter): number {
  const { db } = collection;
  const state = collection.state();
  if (state === null) return 0;
  const { record, table, indexes } = state;
  let removed = 0;
  if (isEmpty(filter)) {
    db.run(`DELETE FROM ${table}`);
    for (const index of indexes) index.clear();
    removed = record.size;
  } else {
    for (const { id, doc } of findNow(collection, state, filter)) {
      db.run(`DELETE FROM ${table} WHERE id = ?`, id);
      for (const index of indexes) index.delete(id, doc);
      removed++;
    }
  }
  writeCollection(db, { ...record, size: record.size - removed });
  return removed;
}
