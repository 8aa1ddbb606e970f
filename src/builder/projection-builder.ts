import { InvalidOptionError } from '../errors/option-errors.js';
import { showValue } from '../errors/show-value.js';
import { arg, MSONable, option } from '../msonable/decorators.js';
import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import type { Cursor } from '../store/cursor.js';
import { BatchCursor } from '../store/cursor.js';
import type { Store } from '../store/store.js';
import type { UpdateResult } from '../store/store-options.js';
import type { PlanEntry } from './build-plan.js';
import { Bookkeeper, composeDocument, stampFor } from './build-record.js';
import type { BuilderOptions } from './builder.js';
import { Builder, toStores } from './builder.js';
import type { FailureRecord } from './failure-record.js';
import { readFailures } from './failure-record.js';
import { KeyPlan } from './key-plan.js';
import { ensureKeyIndexes, openStores, warnOfEmpty } from './open-stores.js';
import type { Oddity, ProjectionDiffOptions, ProjectionEntry } from './projection-diff.js';
import { compareSources, MEMBERS_FIELD, membersOf, RULES_FIELD } from './projection-diff.js';
import type { ProjectedFields } from './projection-fields.js';
import { resolveFields } from './projection-fields.js';
import { refusalRecords } from './projection-refusal.js';
import { ProjectionSource } from './projection-source.js';

/** Options of {@link ProjectionBuilder}. */
export interface ProjectionBuilderOptions extends BuilderOptions {
  /**
   * What is taken of each source, one element for each: a list of fields, or new names with the fields that they are
   * taken from; dotted for nested ones. An empty element takes everything.
   * @defaultValue `null`: everything of all sources
   */
  readonly fieldsToProject?: readonly ProjectedFields[] | null | undefined;
  /**
   * The keys to build; empty for all.
   * @defaultValue `null`: all keys that a source has
   */
  readonly queryByKey?: readonly unknown[] | null | undefined;
}

/** One key, and what the sources have for it. */
export interface ProjectionItem {
  readonly key: unknown;
  /** One for each source, null where it has none. */
  readonly docs: readonly (Doc | null)[];
  /** The time stamp of the target document that is replaced, in milliseconds. */
  readonly before: number | null;
}

/**
 * Puts what several sources have for one key into one target document.
 *
 * Fields come from the sources in their order: the later one wins, and a field that it lacks stays as the earlier one
 * has it. `_id` and the time stamps of the sources are left out. The target document has the newest of these time stamps,
 * and remembers in `_sources` those of all its members. So a key is built again when a source's document for it is new,
 * has another time stamp, or is gone. A target document of which no source has the key any more is left, with a warning.
 *
 * @example
 * ```ts
 * const builder = new ProjectionBuilder([source, tasks], target, {
 *   fieldsToProject: [['formula', 'lattice.a'], { energy: 'results.total_energy' }],
 * });
 * await builder.run();
 * ```
 */
@MSONable(import.meta.url, {
  name: 'Projection_Builder',
  module: 'maggma.builders.projection_builder',
  version: '0.74.0',
})
export class ProjectionBuilder extends Builder<ProjectionItem, Doc> {
  /** Where fields come from. */
  @arg() readonly sourceStores: readonly Store[];
  /** Where results go. */
  @arg() readonly targetStore: Store;
  /** What is taken of each source. */
  @option() readonly fieldsToProject: readonly ProjectedFields[] | null;
  /** The keys to build. */
  @option() readonly queryByKey: readonly unknown[] | null;

  readonly #sources: readonly ProjectionSource[];
  readonly #omitted: ReadonlySet<string>;

  /**
   * @param sourceStores - At least one; the target must not be among them.
   * @param targetStore - Its `key` and `lastUpdatedField` may be other names than those of the sources.
   * @param options - As {@link ProjectionBuilderOptions} says.
   * @throws {@link InvalidOptionError} for anything else.
   */
  constructor(
    sourceStores: readonly Store[],
    targetStore: Store,
    options: ProjectionBuilderOptions = {},
  ) {
    if (!Array.isArray(sourceStores) || sourceStores.length === 0)
      throw new InvalidOptionError('sourceStores', 'a list of at least one Store', sourceStores);
    const sources = toStores('sourceStores', sourceStores);
    super(sources, toStores('targetStore', targetStore), options);
    const { fieldsToProject, queryByKey = null } = options;
    if (queryByKey !== null && !Array.isArray(queryByKey))
      throw new InvalidOptionError('queryByKey', 'a list of keys or null', queryByKey);
    assertApart(sources, targetStore);
    this.sourceStores = sources;
    this.targetStore = targetStore;
    this.fieldsToProject = resolveFields(fieldsToProject, sources.length);
    this.queryByKey = queryByKey === null ? null : Object.freeze([...queryByKey]);
    this.#sources = sources.map(
      (store, i) => new ProjectionSource(store, this.fieldsToProject?.[i]),
    );
    this.#omitted = new Set(['_id', RULES_FIELD, targetStore.key, targetStore.lastUpdatedField]);
  }

  override get maxConcurrentUpdates(): number {
    return 4;
  }

  override itemKey(item: ProjectionItem): unknown {
    return item.key;
  }

  /** Asks for the indexes that make the comparison fast, and warns when a store cannot have them. */
  async ensureIndexes(): Promise<void> {
    await ensureKeyIndexes(this.stores(), this.logger);
  }

  getItems(): Cursor<ProjectionItem> {
    return new BatchCursor(this.targetStore.name, (size) => this.#items(size));
  }

  override processItem({ key, docs, before }: ProjectionItem): Doc {
    const { targetStore: target } = this;
    let body: Doc = {};
    const stamps = this.#sources.map((source, i) => {
      const doc = docs[i] ?? null;
      if (doc === null) return undefined;
      body = source.addTo(body, doc);
      return source.stampOf(doc);
    });
    const head = [
      [target.key, key],
      [target.lastUpdatedField, stampFor(target, nextStamp(stamps, before))],
    ] as const;
    return composeDocument(head, body, this.#omitted, { [MEMBERS_FIELD]: membersOf(stamps) });
  }

  async updateTargets(results: readonly Doc[]): Promise<UpdateResult> {
    const { targetStore: target } = this;
    const result = await target.update(results);
    const records = refusalRecords(target, results, result.refused);
    if (records.length > 0) await target.update(records, { validate: false });
    return result;
  }

  /** Cuts the keys to be built into lists; each chunk is a `queryByKey` of them. */
  override async *prechunk(
    numberOfChunks: number,
  ): AsyncGenerator<Record<string, unknown>, void, undefined> {
    await this.ensureIndexes();
    for (const store of this.sourceStores) await warnOfEmpty(store, this.logger);
    await using plan = new KeyPlan();
    await this.#fillPlan(plan);
    this.total = plan.length;
    const size = Math.max(1, Math.ceil(plan.length / numberOfChunks));
    for await (const planned of plan.batches(size))
      yield { query_by_key: (planned as Planned[]).map(([key]) => key) };
  }

  override async *plan(): AsyncGenerator<PlanEntry, void, undefined> {
    await using _open = await openStores(this);
    for await (const entries of this.#compared())
      for (const { key, reason } of entries) {
        if (reason === 'orphan') yield { key, action: 'leave', reason };
        else if (reason !== 'same') yield { key, action: 'build', reason };
        else if (this.fullRefresh) yield { key, action: 'build', reason: 'refresh' };
      }
  }

  override failures(): AsyncGenerator<FailureRecord, void, undefined> {
    return readFailures(this.targetStore, new Bookkeeper(null));
  }

  async *#items(size: number): AsyncGenerator<ProjectionItem[], void, undefined> {
    await this.ensureIndexes();
    // All that came of it is taken out of the target, and that may be for a wrong name.
    for (const store of this.sourceStores) await warnOfEmpty(store, this.logger);
    await using plan = new KeyPlan();
    await this.#fillPlan(plan);
    this.total = plan.length;
    for await (const planned of plan.batches(size)) yield this.#fetch(planned as Planned[]);
  }

  /** Lists what is to be built, and reports what is odd. */
  async #fillPlan(plan: KeyPlan): Promise<void> {
    const oddities = new Map<string, Oddity>();
    const onOddity = (oddity: Oddity) => {
      const name = `${oddity.source} ${oddity.kind}`;
      oddities.set(name, { ...oddity, count: oddity.count + (oddities.get(name)?.count ?? 0) });
    };
    let orphans = 0;
    for await (const entries of this.#compared(onOddity)) {
      const isDue = ({ reason }: ProjectionEntry) =>
        reason !== 'orphan' && (reason !== 'same' || this.fullRefresh);
      await plan.add(entries.filter(isDue).map(({ key, before }): Planned => [key, before]));
      for (const { reason } of entries) if (reason === 'orphan') orphans++;
    }
    for (const { kind, source, count, key } of oddities.values()) {
      const store = this.sourceStores[source] as Store;
      this.logger.warn(WARNINGS[kind](count, store, `such as ${showValue(key)}`));
    }
    if (orphans > 0)
      this.logger.warn(
        `No source has ${orphans} of the keys of ${this.targetStore.name} any more: their documents were left alone`,
      );
  }

  #compared(
    onOddity?: ProjectionDiffOptions['onOddity'],
  ): AsyncGenerator<ProjectionEntry[], void, undefined> {
    const { queryByKey: keys } = this;
    return compareSources(this.targetStore, this.sourceStores, {
      keys: keys === null || keys.length === 0 ? null : keys,
      onOddity,
    });
  }

  /** Reads what the sources have now for these keys, in this order. */
  async #fetch(planned: readonly Planned[]): Promise<ProjectionItem[]> {
    const keys = planned.map(([key]) => key);
    const found = await Promise.all(this.#sources.map((source) => source.newest(keys)));
    return planned
      .map(([key, before]) => {
        const hash = hashValue(key);
        return { key, before, docs: found.map((docs) => docs.get(hash) ?? null) };
      })
      .filter(({ docs }) => docs.some((doc) => doc !== null));
  }
}

/** A key, and the time stamp of the target document that it has. */
type Planned = readonly [key: unknown, before: number | null];

const WARNINGS: Readonly<
  Record<Oddity['kind'], (count: number, store: Store, example: string) => string>
> = {
  keyless: (count, { name, key }) =>
    `${count} documents of ${name} have no ${key} and cannot be built`,
  duplicate: (count, { name }, example) =>
    `${count} documents of ${name} have a key that another one has (${example}): only the newest of each is taken`,
  unreadable: (count, { name, lastUpdatedField }, example) =>
    `${count} documents of ${name} (${example}) have a ${lastUpdatedField} that is not a readable time stamp`,
};

/** The target would be a source of itself, and never up to date. */
function assertApart(sources: readonly Store[], target: Store): void {
  const own = new Set(target.collections);
  const same = sources.find((source) => source.collections.some((id) => own.has(id)));
  if (same !== undefined)
    throw new InvalidOptionError('targetStore', 'none of the sourceStores', target.name);
}

/**
 * The newest time stamp of the members. When that is not newer than what the target had (a member is gone, or an older one
 * came), it is now: what is built from the target must see that it changed.
 */
function nextStamp(stamps: readonly (number | null | undefined)[], before: number | null): number {
  const newest = Math.max(...stamps.map((stamp) => stamp ?? -Infinity));
  if (newest > (before ?? -Infinity)) return newest;
  return Math.max(Date.now(), (before ?? -Infinity) + 1);
}
