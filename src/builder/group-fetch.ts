import { compareValues } from '../query/compare.js';
import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import type { Cursor } from '../store/cursor.js';
import type { Store } from '../store/store.js';
import { keyOf } from './build-record.js';
import type { Standing } from './group-members.js';
import { standingOf, supersedes } from './group-members.js';
import type { KeyedGroup } from './group-scan.js';

/** What is read of a source, and how it is grouped. */
export interface FetchOptions {
  /** The fields that members of one group have in common. */
  readonly groupingKeys: readonly string[];
  /** Which documents are grouped; null for all. */
  readonly query: Criteria | null;
  /** Which fields are read; undefined for all. */
  readonly properties: readonly string[] | undefined;
}

const KEYS_PER_QUERY = 1000;

/**
 * Reads the members of some groups, each group's in the order of their keys.
 *
 * They are found by their keys: unlike the values of the grouping keys, these are indexed, and mean one document
 * whatever their type. Members that left since the groups were listed are left out, and so are groups that have none
 * any more.
 */
export async function fetchGroups<Item extends Doc>(
  source: Store,
  groups: readonly KeyedGroup[],
  options: FetchOptions,
): Promise<Item[][]> {
  const keys = groups.flatMap((each) => each.keys);
  const found = new Map<Hash, { doc: Item; standing: Standing }>();
  for (let at = 0; at < keys.length; at += KEYS_PER_QUERY) {
    const docs = having<Item>(source, keys.slice(at, at + KEYS_PER_QUERY), options);
    for await (const batch of docs.batches())
      for (const doc of batch) {
        const hash = hashValue(keyOf(source, doc));
        const standing = standingOf(source, options.groupingKeys, doc);
        const known = found.get(hash);
        if (known === undefined || supersedes(standing, known.standing))
          found.set(hash, { doc, standing });
      }
  }
  const items = groups.map(({ group, keys: members }) =>
    members
      .map((key) => found.get(hashValue(key)))
      .filter((each) => each !== undefined)
      .filter((each) => each.standing.hash === group.hash)
      .map((each) => each.doc)
      .sort((a, b) => compareValues(keyOf(source, a), keyOf(source, b))),
  );
  return items.filter((members) => members.length > 0);
}

function having<Item extends Doc>(
  source: Store,
  keys: readonly unknown[],
  { query, properties }: FetchOptions,
): Cursor<Item> {
  const wanted: Criteria = { [source.key]: { $in: keys } };
  const criteria = query === null ? wanted : { $and: [query, wanted] };
  return source.query(criteria, { properties }) as Cursor<Item>;
}

/** Puts groups together that have that many members, or a little more. */
export async function* batchesOf(
  groups: AsyncIterable<KeyedGroup>,
  size: number,
): AsyncGenerator<KeyedGroup[], void, undefined> {
  let batch: KeyedGroup[] = [];
  let count = 0;
  for await (const each of groups) {
    batch.push(each);
    count += each.keys.length;
    if (count < size) continue;
    yield batch;
    batch = [];
    count = 0;
  }
  if (batch.length > 0) yield batch;
}
