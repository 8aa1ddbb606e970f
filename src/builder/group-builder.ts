import { showValue } from '../errors/show-value.js';
import { arg, option } from '../msonable/decorators.js';
import type { Doc } from '../query/document.js';
import { groupKey } from '../query/group.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import type { Cursor } from '../store/cursor.js';
import { BatchCursor } from '../store/cursor.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';
import type { PlanEntry } from './build-plan.js';
import { keyOf } from './build-record.js';
import type { BuildReport, BuildStatus, ItemFailure } from './build-report.js';
import { contentOf } from './group-content.js';
import type { Counterpart } from './group-counterparts.js';
import { findCounterparts } from './group-counterparts.js';
import { batchesOf, fetchGroups } from './group-fetch.js';
import type { Member, MemberOptions } from './group-members.js';
import { membersOf } from './group-members.js';
import type { GroupBuilderOptions } from './group-options.js';
import { resolveGroupOptions } from './group-options.js';
import type { KeyedGroup, SourceGroup } from './group-scan.js';
import { addContent, scanGroups, withKeys } from './group-scan.js';
import { targetKeyOf } from './group-target-key.js';
import type { Head } from './incremental-builder.js';
import { IncrementalBuilder } from './incremental-builder.js';
import { warnOfEmpty } from './open-stores.js';
import { Tally } from './tally.js';

/** So many keys of source documents may be held in memory while a build is planned. */
const KEYS_IN_MEMORY = 200_000;

/**
 * Makes one target document of each group of source documents, and only of the groups that changed.
 *
 * A group is what has equal values in the grouping keys; null, a missing value, an array and an object are values, too.
 * A group is built when the target lacks it, when one of its members is newer than what the target holds, and when it
 * gained or lost a member; a document that moves is a change of both groups. The target document gets a key derived from
 * the grouping values, the newest time stamp of the members, the list of their keys in the field that is called like the
 * source's key with an `s`, what {@link unaryFunction} returned, and `state`, `_bt` and `_process_time`. Groups that
 * failed or were skipped are recorded as by {@link MapBuilder}.
 *
 * @example
 * ```ts
 * @MSONable(import.meta.url)
 * class CheapestBuilder extends GroupBuilder {
 *   unaryFunction(offers: Doc[]) {
 *     return { price: Math.min(...offers.map((offer) => offer.price)) };
 *   }
 * }
 *
 * await new CheapestBuilder(source, target, ['product']).run();
 * ```
 */
export abstract class GroupBuilder<Item extends Doc = Doc> extends IncrementalBuilder<
  readonly Item[]
> {
  /** Where items come from. */
  @arg() readonly source: Store;
  /** Where results go. */
  @arg() readonly target: Store;
  /** The fields that members of one group have in common. */
  @arg() readonly groupingKeys: readonly string[];
  /** What the keys of target documents are. */
  @option({ write: 'given' }) readonly targetKey: 'group' | 'firstMember';
  /** Whether target documents of groups that are gone are removed. */
  // Python's GroupBuilder does not know it, and would refuse a file that names it.
  @option({ write: 'given' }) declare readonly deleteOrphans: boolean;

  readonly #memberField: string;
  /** Kept from before `unaryFunction` ran, which may change its documents. */
  readonly #heads = new WeakMap<readonly Item[], Head>();
  #unmatched = new Tally();

  /**
   * @param source - Where documents come from.
   * @param target - Where results go.
   * @param groupingKeys - Names of the fields to group by; dotted for nested ones.
   * @param options - Which documents, and what to do with the results.
   * @throws {@link InvalidOptionError} for options that cannot work.
   */
  constructor(
    source: Store,
    target: Store,
    groupingKeys: readonly string[],
    options: GroupBuilderOptions = {},
  ) {
    super(source, target, options);
    const resolved = resolveGroupOptions(source, target, groupingKeys, options);
    this.source = source;
    this.target = target;
    this.groupingKeys = resolved.groupingKeys;
    this.targetKey = resolved.targetKey;
    this.#memberField = resolved.memberField;
  }

  /**
   * Makes the target document of one group.
   *
   * @param items - The members in the order of their keys: the documents, or the fields of them that `projection` names
   * with key, time stamp and grouping keys.
   * @returns A document, or null or undefined to skip this group. Key, time stamp, the list of members, `_bt`,
   * `_process_time` and `state` are added to it.
   */
  abstract unaryFunction(items: Item[]): Doc | null | undefined | Promise<Doc | null | undefined>;

  override itemKey(items: readonly Item[]): unknown {
    return this.#headOf(items).key;
  }

  getItems(): Cursor<readonly Item[]> {
    return new BatchCursor<readonly Item[]>(this.source.name, (size) => this.#items(size));
  }

  override processItem(items: readonly Item[]): Doc | null | Promise<Doc | null> {
    const started = performance.now();
    const head = this.#headOf(items);
    const made = this.unaryFunction([...items]);
    return made instanceof Promise
      ? made.then((doc) => this.succeeded(head, doc, started))
      : this.succeeded(head, made, started);
  }

  override failureResult(items: readonly Item[], failure: ItemFailure): Doc {
    return this.failed(this.#headOf(items), failure);
  }

  override skipResult(items: readonly Item[]): Doc {
    return this.skipped(this.#headOf(items));
  }

  override async finalize(context: {
    readonly status: BuildStatus;
    readonly report: BuildReport;
  }): Promise<void> {
    await super.finalize(context);
    if (!this.deleteOrphans && context.status === 'succeeded') await this.#reportOrphans();
  }

  /** Cuts the groups to be built into lists of about as many documents; each chunk is a `query` for their members. */
  override async *prechunk(
    numberOfChunks: number,
  ): AsyncGenerator<Record<string, unknown>, void, undefined> {
    await this.ensureIndexes();
    await warnOfEmpty(this.source, this.logger);
    const due = await this.#due();
    this.total = due.length;
    const documents = due.reduce((sum, { digest }) => sum + digest.count, 0);
    const size = Math.ceil(documents / numberOfChunks);
    for await (const groups of batchesOf(this.#withKeys(due), size))
      yield { query: { [this.source.key]: { $in: groups.flatMap(({ keys }) => keys) } } };
  }

  protected override async *entries(): AsyncGenerator<PlanEntry, void, undefined> {
    for (const { entry } of await this.#judged()) if (entry !== null) yield entry;
  }

  protected override async *orphans(): AsyncGenerator<readonly unknown[], void, undefined> {
    const { source, target, query } = this;
    const known = new Set<Hash>();
    // A group's first member may be one that the query leaves out, but not in a build with this query.
    const isFirst = this.targetKey === 'firstMember' && query !== null;
    for (const criteria of isFirst ? [{}, query] : [{}]) {
      const members = membersOf(source, this.groupingKeys, { criteria });
      for (const group of await scanGroups(members, 0)) known.add(hashValue(this.#keyOf(group)));
    }
    for await (const docs of target.query({}, { properties: [target.key] }).batches()) {
      const keys = docs.map((doc) => keyOf(target, doc));
      yield keys.filter((key) => key !== undefined && key !== null && !known.has(hashValue(key)));
    }
  }

  protected override get headFields(): readonly string[] {
    return [...super.headFields, this.#memberField];
  }

  /** A result may have fields that are called like the source's: there are many documents that it could mean. */
  protected override get leftOut(): readonly string[] {
    return [];
  }

  /** How many keys of source documents are held at a time; when more are due, the source is read again for the rest. */
  protected get keysInMemory(): number {
    return KEYS_IN_MEMORY;
  }

  async *#items(size: number): AsyncGenerator<Item[][], void, undefined> {
    await this.ensureIndexes();
    await warnOfEmpty(this.source, this.logger);
    const due = await this.#due();
    this.total = due.length;
    for await (const groups of batchesOf(this.#withKeys(due), size)) yield this.#fetch(groups);
  }

  /** Lists the groups to be built, and warns of what is odd. */
  async #due(): Promise<SourceGroup[]> {
    let older = 0;
    let keyless = 0;
    const duplicates = new Tally();
    const unmatched = new Tally();
    this.#unmatched = unmatched;
    const judged = await this.#judged({
      onKeyless: (count) => {
        keyless += count;
      },
      onDuplicate: (key) => duplicates.add(key),
      onUnreadable: (key) => this.warnOfStamp(key),
      onUnmatched: (key) => unmatched.add(key),
    });
    for (const { entry } of judged) if (entry?.reason === 'older') older++;
    this.warnOfKeyless(keyless);
    this.warnOfOlder(older);
    this.reportDuplicates(duplicates);
    return judged.filter(({ entry }) => entry?.action === 'build').map(({ group }) => group);
  }

  /** Compares source and target group by group; without an entry where nothing is worth a word. */
  async #judged(heard: Heard = {}): Promise<{ group: SourceGroup; entry: PlanEntry | null }[]> {
    const { target, bookkeeper } = this;
    const members = watched(this.#members(heard), heard.onUnreadable);
    const groups = await scanGroups(members, this.keysInMemory);
    const keys = groups.map((group) => this.#keyOf(group));
    const byKey = new Map(groups.map((group, i) => [hashValue(keys[i]), group]));
    const found = await findCounterparts(target, byKey, {
      memberField: this.#memberField,
      bookkeeper,
      onUnmatched: heard.onUnmatched ?? (() => {}),
    });
    return groups.map((group, i) => {
      const key = keys[i];
      return { group, entry: this.#judge(key, group, found.get(hashValue(key))) };
    });
  }

  #judge(key: unknown, group: SourceGroup, known: Counterpart | undefined): PlanEntry | null {
    const build = (reason: PlanEntry['reason']) => ({ key, action: 'build', reason }) as const;
    if (known === undefined) return build('new');
    const { hasSameMembers, note, stamp } = known;
    const again = this.dueAgain(note);
    if (again !== null) return build(again);
    if (hasSameMembers === false) return build('members');
    if (this.compare === 'content') {
      if (note._hash !== this.#hashOf(group.digest.count, group.content)) return build('content');
    } else if (group.stamp !== null) {
      if (stamp === null || group.stamp > stamp) return build('newer');
      if (group.stamp < stamp) return { key, action: 'leave', reason: 'older' };
    }
    if (hasSameMembers === null) return build('members');
    const { state } = note;
    return state === 'failed' || state === 'skipped'
      ? { key, action: 'leave', reason: state }
      : null;
  }

  #members(heard: Pick<MemberOptions, 'onKeyless' | 'onDuplicate'> = {}) {
    const content = this.compare === 'content' ? this.#content() : undefined;
    const criteria = this.query ?? {};
    return membersOf(this.source, this.groupingKeys, { criteria, content, ...heard });
  }

  #content(): MemberOptions['content'] {
    return {
      fields: this.properties(...this.groupingKeys),
      of: (doc) => contentOf(this.source, doc),
    };
  }

  #withKeys(groups: readonly SourceGroup[]): AsyncGenerator<KeyedGroup, void, undefined> {
    const { source, groupingKeys, keysInMemory } = this;
    const criteria = this.query ?? {};
    return withKeys(groups, keysInMemory, () => membersOf(source, groupingKeys, { criteria }));
  }

  #fetch(groups: readonly KeyedGroup[]): Promise<Item[][]> {
    const { source, query, groupingKeys } = this;
    const properties = this.properties(...groupingKeys);
    return fetchGroups<Item>(source, groups, { groupingKeys, query, properties });
  }

  #headOf(items: readonly Item[]): Head {
    const known = this.#heads.get(items);
    if (known !== undefined) return known;
    const { source } = this;
    const keys = items.map((item) => keyOf(source, item));
    const { group } = groupKey(items[0] ?? {}, this.groupingKeys);
    const stamps = items.map((item) => toInstant(getPath(item, source.lastUpdatedField)));
    const readable = stamps.filter((stamp) => stamp !== null);
    const head = {
      key: this.#keyOf({ group, firstKey: keys[0] }),
      stamp: readable.length > 0 ? readable.reduce((a, b) => Math.max(a, b)) : Date.now(),
      fields: { [this.#memberField]: keys },
      hash: this.compare === 'content' ? this.#hashOfItems(items) : undefined,
    };
    this.#heads.set(items, head);
    return head;
  }

  #keyOf({ group, firstKey }: Pick<SourceGroup, 'group' | 'firstKey'>): unknown {
    if (this.targetKey === 'firstMember') return firstKey;
    return targetKeyOf(this.groupingKeys.map((key) => getPath(group, key)));
  }

  #hashOfItems(items: readonly Item[]): string {
    const content = items.reduce((sum, item) => addContent(sum, contentOf(this.source, item)), 0n);
    return this.#hashOf(items.length, content);
  }

  #hashOf(count: number, content: bigint): string {
    return this.hashOf([count, content.toString(16)]);
  }

  async #reportOrphans(): Promise<void> {
    if (this.#unmatched.count === 0) return;
    // What the query leaves out may have a group in the source all the same.
    const orphans = this.query === null ? this.#unmatched : new Tally();
    if (this.query !== null)
      for await (const keys of this.orphans()) for (const key of keys) orphans.add(key);
    if (orphans.count > 0)
      this.logger.warn(
        `${orphans.count} documents of ${this.target.name} (such as ${showValue(orphans.example)}) have no group in ${this.source.name} any more: deleteOrphans would remove them`,
      );
  }
}

/** Who is told of what is odd. */
interface Heard extends Pick<MemberOptions, 'onKeyless' | 'onDuplicate'> {
  readonly onUnreadable?: (key: unknown) => void;
  readonly onUnmatched?: (key: unknown) => void;
}

async function* watched(
  members: AsyncIterable<readonly Member[]>,
  onUnreadable: Heard['onUnreadable'],
): AsyncGenerator<readonly Member[], void, undefined> {
  for await (const batch of members) {
    for (const { unreadable, key } of batch) if (unreadable) onUnreadable?.(key);
    yield batch;
  }
}
