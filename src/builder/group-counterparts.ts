import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import { widestPaths } from '../store/properties.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';
import type { Bookkeeper, Bookkeeping } from './build-record.js';
import { keyOf } from './build-record.js';
import { KeyDigest } from './group-digest.js';
import type { SourceGroup } from './group-scan.js';

/** What the target holds for a group. */
export interface Counterpart {
  readonly stamp: number | null;
  /** Whether it lists the group's members as they are; null when it lists none at all. */
  readonly hasSameMembers: boolean | null;
  readonly note: Bookkeeping;
}

/** How target documents are read. */
export interface CounterpartOptions {
  /** The field that lists the members. */
  readonly memberField: string;
  /** Reads what is ours in them. */
  readonly bookkeeper: Bookkeeper;
  /** Told the keys of target documents that belong to none of the groups. */
  readonly onUnmatched: (key: unknown) => void;
}

/**
 * Reads the target and finds what it holds for some groups; of several documents with one key the newest.
 *
 * @param groups - By the hashes of their target keys.
 * @returns By the same hashes.
 */
export async function findCounterparts(
  target: Store,
  groups: ReadonlyMap<Hash, SourceGroup>,
  { memberField, bookkeeper, onUnmatched }: CounterpartOptions,
): Promise<Map<Hash, Counterpart>> {
  const found = new Map<Hash, Counterpart>();
  const { key: keyField, lastUpdatedField } = target;
  const properties = widestPaths([keyField, lastUpdatedField, memberField, ...bookkeeper.fields]);
  for await (const docs of target.query({}, { properties }).batches())
    for (const doc of docs) {
      const key = keyOf(target, doc);
      if (key === undefined || key === null) continue;
      const hash = hashValue(key);
      const group = groups.get(hash);
      if (group === undefined) {
        onUnmatched(key);
        continue;
      }
      const stamp = toInstant(getPath(doc, lastUpdatedField));
      const known = found.get(hash);
      if (known !== undefined && (stamp ?? -Infinity) <= (known.stamp ?? -Infinity)) continue;
      const members = getPath(doc, memberField);
      const hasSameMembers = Array.isArray(members) ? lists(members, group) : null;
      found.set(hash, { stamp, hasSameMembers, note: bookkeeper.noteOf(doc) });
    }
  return found;
}

function lists(members: readonly unknown[], group: SourceGroup): boolean {
  if (members.length !== group.digest.count) return false;
  const digest = new KeyDigest();
  for (const key of members) digest.add(key);
  return digest.equals(group.digest);
}
