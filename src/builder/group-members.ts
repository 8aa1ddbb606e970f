import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import { groupKey } from '../query/group.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import type { DiffOptions, Row } from '../store/incremental-diff.js';
import { SortedScan } from '../store/incremental-diff.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';

/** What grouping needs of a source document. */
export interface Member {
  readonly key: unknown;
  /** In milliseconds since 1970; null when there is none that can be read. */
  readonly stamp: number | null;
  /** There is a time stamp that cannot be read. */
  readonly unreadable: boolean;
  /** Of the group; the same for members of one group only. */
  readonly hash: Hash;
  /** The values of the grouping keys. */
  readonly group: Doc;
  /** What {@link MemberContent.of} made of the document; 0 when nobody asked. */
  readonly content: bigint;
}

/** How the content of a document becomes a number. */
export interface MemberContent {
  /** Fields that must be read for it; undefined for all. */
  readonly fields: readonly string[] | undefined;
  of(doc: Doc): bigint;
}

/** Options of {@link membersOf}. */
export interface MemberOptions extends Pick<DiffOptions, 'onKeyless' | 'onDuplicate'> {
  /**
   * Which documents are grouped.
   * @defaultValue all
   */
  readonly criteria?: Criteria | undefined;
  /**
   * Has the content of each document looked at.
   * @defaultValue nothing is read but what grouping needs
   */
  readonly content?: MemberContent | undefined;
}

const BATCH = 1000;

/**
 * Reads a store in the order of its keys, and says of each key which group it belongs to.
 *
 * Of several documents with one key only the newest is a member; `onDuplicate` is told of such keys. Documents without a
 * key are left out.
 */
export async function* membersOf(
  source: Store,
  groupingKeys: readonly string[],
  options: MemberOptions,
): AsyncGenerator<Member[], void, undefined> {
  const { criteria, content, onKeyless, onDuplicate } = options;
  const inspection = {
    fields: content === undefined ? groupingKeys : content.fields,
    note: (doc: Doc): Note => {
      const { hash, group } = groupKey(doc, groupingKeys);
      return { hash, group, content: content?.of(doc) ?? 0n };
    },
  };
  await using scan = new SortedScan(source, inspection, criteria, onKeyless);
  let members: Member[] = [];
  for (let run = await scan.nextRun(); run.length > 0; run = await scan.nextRun()) {
    if (run.length === 1) members.push(toMember(run[0] as Row));
    else for (const member of newestOf(run.map(toMember), onDuplicate)) members.push(member);
    if (members.length < BATCH) continue;
    yield members;
    members = [];
  }
  if (members.length > 0) yield members;
}

/** Where a document stands among those with its key. */
export interface Standing {
  readonly stamp: number | null;
  readonly hash: Hash;
}

/** Says where a document that was read stands. */
export const standingOf = (source: Store, groupingKeys: readonly string[], doc: Doc): Standing => ({
  stamp: toInstant(getPath(doc, source.lastUpdatedField)),
  hash: groupKey(doc, groupingKeys).hash,
});

/** Tells whether a document takes the place of another one with its key; the same one wins in whatever order they come. */
export function supersedes(a: Standing, b: Standing): boolean {
  const [newer, older] = [a.stamp ?? -Infinity, b.stamp ?? -Infinity];
  return newer > older || (newer === older && String(a.hash) < String(b.hash));
}

/** What is noted of a document while the store is read. */
type Note = Pick<Member, 'hash' | 'group' | 'content'>;

function toMember({ key, stamp, unreadable, note }: Row): Member {
  const { hash, group, content } = note as Note;
  return { key, stamp, unreadable, hash, group, content };
}

function newestOf(
  members: readonly Member[],
  onDuplicate: MemberOptions['onDuplicate'],
): Iterable<Member> {
  const newest = new Map<Hash, Member>();
  const repeated = new Map<Hash, unknown>();
  for (const member of members) {
    const hash = hashValue(member.key);
    const known = newest.get(hash);
    if (known !== undefined) repeated.set(hash, member.key);
    if (known === undefined || supersedes(member, known)) newest.set(hash, member);
  }
  for (const key of repeated.values()) onDuplicate?.(key);
  return newest.values();
}
