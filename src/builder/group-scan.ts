import { compareValues } from '../query/compare.js';
import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { KeyDigest } from './group-digest.js';
import type { Member } from './group-members.js';

/** Sums of contents are taken modulo this. */
const CONTENT_LIMIT = 2n ** 128n;

/** What is known of a group without holding its members. */
export class SourceGroup {
  readonly hash: Hash;
  /** The values of the grouping keys. */
  readonly group: Doc;
  /** A fingerprint of the members' keys. */
  readonly digest = new KeyDigest();
  /** The newest readable time stamp of a member. */
  stamp: number | null = null;
  /** The smallest key of a member. */
  firstKey: unknown;
  /** The sum of what the members hold. */
  content = 0n;
  /** The keys of the members, in their order; undefined when there are too many to keep. */
  keys: unknown[] | undefined;

  constructor(first: Member) {
    this.hash = first.hash;
    this.group = first.group;
    this.firstKey = first.key;
  }

  add({ key, stamp, content }: Member): void {
    this.digest.add(key);
    if (stamp !== null && stamp > (this.stamp ?? -Infinity)) this.stamp = stamp;
    if (compareValues(key, this.firstKey) < 0) this.firstKey = key;
    this.content = addContent(this.content, content);
    this.keys?.push(key);
  }
}

/** Adds what a member holds to what others hold; the order does not count. */
export const addContent = (sum: bigint, content: bigint): bigint =>
  content === 0n ? sum : (sum + content) % CONTENT_LIMIT;

/**
 * Reads all members and lists their groups, in the order of their first ones.
 *
 * @param keep - How many keys of members may be kept, in all; when there are more, none is.
 */
export async function scanGroups(
  members: AsyncIterable<readonly Member[]>,
  keep: number,
): Promise<SourceGroup[]> {
  const groups = new Map<Hash, SourceGroup>();
  let count = 0;
  for await (const batch of members) {
    const wereKept = count <= keep;
    count += batch.length;
    for (const member of batch) {
      let group = groups.get(member.hash);
      if (group === undefined) {
        group = new SourceGroup(member);
        if (count <= keep) group.keys = [];
        groups.set(member.hash, group);
      }
      group.add(member);
    }
    if (wereKept && count > keep) for (const group of groups.values()) group.keys = undefined;
  }
  return [...groups.values()];
}

/** A group and the keys of its members. */
export interface KeyedGroup {
  readonly group: SourceGroup;
  readonly keys: readonly unknown[];
}

/**
 * Finds the keys of the groups' members.
 *
 * Those that were not kept are read again, for as many groups at a time as memory should bear, but in ten goes at most.
 *
 * @param keep - How many keys may be held at a time.
 * @param rescan - Reads all members.
 */
export async function* withKeys(
  groups: readonly SourceGroup[],
  keep: number,
  rescan: () => AsyncIterable<readonly Member[]>,
): AsyncGenerator<KeyedGroup, void, undefined> {
  const total = groups.reduce((sum, { digest }) => sum + digest.count, 0);
  for (const part of parts(groups, Math.max(keep, Math.ceil(total / 10)))) {
    if (part.some(({ keys }) => keys === undefined)) await collectKeys(part, rescan());
    for (const group of part) {
      const { keys = [] } = group;
      group.keys = undefined;
      yield { group, keys };
    }
  }
}

/** Cuts a list of groups where a part has that many members. */
function* parts(
  groups: readonly SourceGroup[],
  size: number,
): Generator<SourceGroup[], void, undefined> {
  let part: SourceGroup[] = [];
  let count = 0;
  for (const group of groups) {
    part.push(group);
    count += group.digest.count;
    if (count < size) continue;
    yield part;
    part = [];
    count = 0;
  }
  if (part.length > 0) yield part;
}

async function collectKeys(
  groups: readonly SourceGroup[],
  members: AsyncIterable<readonly Member[]>,
): Promise<void> {
  const wanted = new Map(groups.map((group) => [group.hash, group]));
  for (const group of groups) group.keys = [];
  for await (const batch of members)
    for (const { hash, key } of batch) wanted.get(hash)?.keys?.push(key);
}
