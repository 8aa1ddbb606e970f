import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';
import { keyOf } from './build-record.js';

/**
 * Reads documents; of several with one key the newest.
 *
 * @param properties - Which fields are read, key and time stamp among them; undefined for all.
 * @returns By the hashes of their keys.
 */
export async function newestDocuments(
  store: Store,
  criteria: Criteria,
  properties: readonly string[] | undefined,
): Promise<Map<Hash, Doc>> {
  const newest = new Map<Hash, Doc>();
  for await (const docs of store.query(criteria, { properties }).batches())
    for (const doc of docs) {
      const hash = hashValue(keyOf(store, doc));
      const known = newest.get(hash);
      if (known === undefined || isNewer(store, doc, known)) newest.set(hash, doc);
    }
  return newest;
}

function isNewer(store: Store, doc: Doc, than: Doc): boolean {
  const stamp = (each: Doc) => toInstant(getPath(each, store.lastUpdatedField)) ?? -Infinity;
  return stamp(doc) > stamp(than);
}
