import { compareValues } from '../query/compare.js';
import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import type { Row } from '../store/incremental-diff.js';
import { SortedScan } from '../store/incremental-diff.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';

/**
 * The field of target documents that remembers which source documents they were made of. Their own time stamp cannot tell
 * that a member went, or that one changed that is older than another.
 */
export const MEMBERS_FIELD = '_sources';

/**
 * What {@link MEMBERS_FIELD} says of each source: the time stamp of its document, true when that has none, null when the
 * source has no document.
 */
export type Member = Date | true | null;

/** The field of records of refused results that remembers by which rules. */
export const RULES_FIELD = '_schema';

/** How a key stands to the target. */
export interface ProjectionEntry {
  readonly key: unknown;
  readonly reason: 'new' | 'newer' | 'members' | 'schema' | 'same' | 'orphan';
  /** The time stamp that the target document has, in milliseconds. */
  readonly before: number | null;
}

/** Something odd about documents of a source. */
export interface Oddity {
  readonly kind: 'keyless' | 'duplicate' | 'unreadable';
  /** Which source. */
  readonly source: number;
  /** Of one of these documents. */
  readonly key?: unknown;
  readonly count: number;
}

/** Options of {@link compareSources}. */
export interface ProjectionDiffOptions {
  /**
   * The keys to look at.
   * @defaultValue all
   */
  readonly keys?: readonly unknown[] | null | undefined;
  /** Told of what is odd in the sources, bit by bit. */
  readonly onOddity?: ((oddity: Oddity) => void) | undefined;
}

const BATCH = 1000;

/**
 * Compares several sources with the target that is made of them.
 *
 * All are scanned in the order of their keys and merged, so the memory needed is constant. A key is due when the members
 * that the target remembers are not those that the sources have: one is new, gone, or has another time stamp. It is due,
 * too, when the target refused its document by other rules than it has now. Of several documents of a source with one
 * key the newest counts.
 */
export async function* compareSources(
  target: Store,
  sources: readonly Store[],
  options: ProjectionDiffOptions = {},
): AsyncGenerator<ProjectionEntry[], void, undefined> {
  const { onOddity } = options;
  const keys = options.keys?.filter((key) => key !== null && key !== undefined) ?? null;
  const wanted = keys === null ? null : new Set(keys.map(hashValue));
  const only = (store: Store): Criteria => (keys === null ? {} : { [store.key]: { $in: keys } });
  const scans = sources.map(
    (store, i) =>
      new SortedScan(store, undefined, only(store), (count) =>
        onOddity?.({ kind: 'keyless', source: i, count }),
      ),
  );
  const inspection = { fields: [MEMBERS_FIELD, RULES_FIELD], note: noteOf };
  scans.push(new SortedScan(target, inspection, only(target)));
  const rules = target.validator?.fingerprint;
  try {
    let entries: ProjectionEntry[] = [];
    for await (const runs of alignedRuns(scans)) {
      for (const rows of rowsByKey(runs, wanted, onOddity)) entries.push(compare(rows, rules));
      if (entries.length < BATCH) continue;
      yield entries;
      entries = [];
    }
    if (entries.length > 0) yield entries;
  } finally {
    await Promise.all(scans.map((scan) => scan[Symbol.asyncDispose]()));
  }
}

/** Says which members a document has, by the instants of their time stamps; undefined where there is none. */
export const membersOf = (stamps: readonly (number | null | undefined)[]): Member[] =>
  stamps.map((stamp) => {
    if (stamp === undefined) return null;
    return stamp === null ? true : new Date(stamp);
  });

/** Yields the runs of all scans whose keys sort alike, an empty one for a scan that has none there. */
async function* alignedRuns(
  scans: readonly SortedScan[],
): AsyncGenerator<(readonly Row[])[], void, undefined> {
  const heads = await Promise.all(scans.map((scan) => scan.nextRun()));
  for (;;) {
    const least = leastOrder(heads);
    if (least === undefined) return;
    const runs = heads.map((run) => (isAt(run, least.order) ? run : []));
    yield runs;
    for (const [i, scan] of scans.entries())
      if ((runs[i] as readonly Row[]).length > 0) heads[i] = await scan.nextRun();
  }
}

function leastOrder(heads: readonly (readonly Row[])[]): Row | undefined {
  let least: Row | undefined;
  for (const [head] of heads)
    if (head && (least === undefined || compareValues(head.order, least.order) < 0)) least = head;
  return least;
}

const isAt = (run: readonly Row[], order: unknown): boolean =>
  run[0] !== undefined && compareValues(run[0].order, order) === 0;

/** The newest row of each store for one key; the target's is the last. */
type RowsOfKey = (Row | undefined)[];

function rowsByKey(
  runs: readonly (readonly Row[])[],
  wanted: ReadonlySet<Hash> | null,
  onOddity: ProjectionDiffOptions['onOddity'],
): Iterable<RowsOfKey> {
  const byKey = new Map<Hash, RowsOfKey>();
  const target = runs.length - 1;
  for (const [i, run] of runs.entries())
    for (const row of run) {
      const hash = hashValue(row.key);
      // An array is found by its elements, too.
      if (wanted !== null && !wanted.has(hash)) continue;
      const rows = byKey.get(hash) ?? new Array<Row | undefined>(runs.length).fill(undefined);
      byKey.set(hash, rows);
      const known = rows[i];
      const odd = { source: i, key: row.key, count: 1 };
      if (i < target && row.unreadable) onOddity?.({ kind: 'unreadable', ...odd });
      if (i < target && known !== undefined) onOddity?.({ kind: 'duplicate', ...odd });
      if (known === undefined || (row.stamp ?? -Infinity) > (known.stamp ?? -Infinity))
        rows[i] = row;
    }
  return byKey.values();
}

/** What a target document remembers. */
interface Note {
  readonly members: unknown;
  readonly rules: unknown;
}

const noteOf = (doc: Doc): Note => ({ members: doc[MEMBERS_FIELD], rules: doc[RULES_FIELD] });

function compare(rows: RowsOfKey, rules: string | undefined): ProjectionEntry {
  const members = rows.slice(0, -1);
  const built = rows.at(-1);
  const key = rows.find((row) => row !== undefined)?.key;
  const before = built?.stamp ?? null;
  if (members.every((row) => row === undefined)) return { key, reason: 'orphan', before };
  if (built === undefined) return { key, reason: 'new', before };
  const then = built.note as Note;
  if (then.rules !== undefined && then.rules !== rules) return { key, reason: 'schema', before };
  const now = membersOf(members.map((row) => row?.stamp));
  return { key, reason: compareMembers(now, then.members), before };
}

function compareMembers(now: readonly Member[], then: unknown): 'newer' | 'members' | 'same' {
  if (!Array.isArray(then) || then.length !== now.length) return 'members';
  const isThere = (member: unknown) => member !== null;
  if (now.some((member, i) => isThere(member) !== isThere(then[i]))) return 'members';
  return now.every((member, i) => isSame(member, then[i])) ? 'same' : 'newer';
}

/** A store may give a date back as text. */
const isSame = (now: Member, then: unknown): boolean =>
  now instanceof Date ? toInstant(then) === now.getTime() : now === then;
