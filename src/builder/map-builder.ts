import { arg } from '../msonable/decorators.js';
import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import type { Cursor } from '../store/cursor.js';
import { BatchCursor } from '../store/cursor.js';
import type { DiffEntry } from '../store/incremental-diff.js';
import { compareStores } from '../store/incremental-diff.js';
import type { RawDocument } from '../store/raw-document.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';
import type { PlanEntry } from './build-plan.js';
import type { Bookkeeping } from './build-record.js';
import { keyOf } from './build-record.js';
import type { ItemFailure } from './build-report.js';
import { inputOf } from './content-hash.js';
import type { Head } from './incremental-builder.js';
import { IncrementalBuilder } from './incremental-builder.js';
import type { IncrementalBuilderOptions } from './incremental-options.js';
import { KeyPlan } from './key-plan.js';
import { newestDocuments } from './newest-documents.js';
import { isEmpty, warnOfEmpty } from './open-stores.js';
import { Tally } from './tally.js';

/** What a comparison is to find out. */
interface ComparisonSetup {
  /** Whether what the target remembers of failures and the like is read, too. */
  readonly looksAtTarget: boolean;
  readonly onKeyless?: (count: number) => void;
  readonly onDuplicate?: (key: unknown) => void;
}

/** Options of {@link MapBuilder}. */
export type MapBuilderOptions = IncrementalBuilderOptions;

/**
 * Makes one target document of each source document, and only of those that are new or have changed.
 *
 * A source document is built when the target lacks its key, or has an older time stamp for it. The target document
 * gets the source's key and time stamp, what {@link unaryFunction} returned, and `state`, `_bt` (when it was built) and
 * `_process_time`. An item that fails is recorded as `{ key, last_updated, error, state: 'failed', _bt }`, and one for
 * which `unaryFunction` returns null as `{ …, state: 'skipped' }`: neither is tried again until its source changes.
 *
 * @example
 * ```ts
 * @MSONable(import.meta.url)
 * class DensityBuilder extends MapBuilder {
 *   unaryFunction(material: Doc) {
 *     return { density: material.mass / material.volume };
 *   }
 * }
 * ```
 */
export abstract class MapBuilder<Item extends Doc = Doc> extends IncrementalBuilder<Item> {
  /** Where items come from. */
  @arg() readonly source: Store;
  /** Where results go. */
  @arg() readonly target: Store;

  constructor(source: Store, target: Store, options: MapBuilderOptions = {}) {
    super(source, target, options);
    this.source = source;
    this.target = target;
  }

  /**
   * Makes the target document of one source document.
   *
   * @param item - The source document, or the fields of it that `projection` names.
   * @returns A document, or null or undefined to skip this item. Key, time stamp, `_bt`, `_process_time` and `state` are
   * added to it.
   */
  abstract unaryFunction(item: Item): Doc | null | undefined | Promise<Doc | null | undefined>;

  override itemKey(item: Item): unknown {
    return keyOf(this.source, item);
  }

  getItems(): Cursor<Item> {
    return new BatchCursor<Item>(this.source.name, (size, raw) => this.#items(size, raw));
  }

  override processItem(item: Item): Doc | null | Promise<Doc | null> {
    const started = performance.now();
    const made = this.unaryFunction(item);
    return made instanceof Promise
      ? made.then((doc) => this.succeeded(this.#head(item), doc, started))
      : this.succeeded(this.#head(item), made, started);
  }

  override failureResult(item: Item, failure: ItemFailure): Doc {
    return this.failed(this.#head(item), failure);
  }

  override skipResult(item: Item): Doc {
    return this.skipped(this.#head(item));
  }

  /** Cuts the keys to be built into lists; each chunk is a `query` for them. */
  override async *prechunk(
    numberOfChunks: number,
  ): AsyncGenerator<Record<string, unknown>, void, undefined> {
    await this.ensureIndexes();
    await warnOfEmpty(this.source, this.logger);
    await using plan = new KeyPlan();
    await this.#fillPlan(plan);
    this.total = plan.length;
    const size = Math.max(1, Math.ceil(plan.length / numberOfChunks));
    for await (const keys of plan.batches(size))
      yield { query: { [this.source.key]: { $in: keys } } };
  }

  protected override async *entries(): AsyncGenerator<PlanEntry, void, undefined> {
    for await (const compared of this.#compared({ looksAtTarget: true }))
      for (const entry of compared) {
        const planned = this.#judge(entry);
        if (planned !== null) yield planned;
      }
  }

  protected override async *orphans(): AsyncGenerator<readonly unknown[], void, undefined> {
    for await (const compared of compareStores(this.source, this.target))
      yield compared.filter((entry) => entry.reason === 'new').map((entry) => entry.key);
  }

  async *#items(
    size: number,
    raw: boolean,
  ): AsyncGenerator<(Item | RawDocument)[], void, undefined> {
    await this.ensureIndexes();
    await warnOfEmpty(this.source, this.logger);
    // Only a comparison finds keys that occur more than once.
    const mustCompare = this.duplicates === 'error' || !(await isEmpty(this.target));
    if (mustCompare) yield* this.#planned(size);
    else if (raw && this.source.capabilities.rawBatches) yield* this.#streamRaw(size);
    else yield* this.#stream(size);
  }

  /** Everything is new: no need to list the keys first. */
  async *#stream(size: number): AsyncGenerator<Item[], void, undefined> {
    this.total = await this.source.count(this.query ?? {});
    const found = this.source.query(this.query ?? {}, { properties: this.properties() });
    for await (const docs of found.batches(size)) {
      const keyed = docs.filter((doc) => hasKey(this.source, doc));
      this.warnOfKeyless(docs.length - keyed.length);
      yield keyed as Item[];
    }
  }

  /** The same without looking at the documents. */
  async *#streamRaw(size: number): AsyncGenerator<(Item | RawDocument)[], void, undefined> {
    const { source } = this;
    const query = this.query ?? {};
    const keyless = await source.count({ $and: [query, { [source.key]: null }] });
    this.warnOfKeyless(keyless);
    this.total = (await source.count(query)) - keyless;
    const keyed = keyless === 0 ? query : { $and: [query, { [source.key]: { $ne: null } }] };
    const found = source.query(keyed, { properties: this.properties() }) as Cursor<Item>;
    yield* found.rawBatches?.(size) ?? found.batches(size);
  }

  async *#planned(size: number): AsyncGenerator<Item[], void, undefined> {
    await using plan = new KeyPlan();
    await this.#fillPlan(plan);
    this.total = plan.length;
    for await (const keys of plan.batches(size)) yield this.#fetch(keys);
  }

  /** Lists the keys to be built. */
  async #fillPlan(plan: KeyPlan): Promise<void> {
    let older = 0;
    const duplicates = new Tally();
    const isByContent = this.compare === 'content';
    const found = this.#compared({
      // Without it an index has all that is needed of the target.
      looksAtTarget: this.retryFailed || isByContent || this.target.validator !== null,
      onKeyless: (count) => this.warnOfKeyless(count),
      onDuplicate: (key) => duplicates.add(key),
    });
    for await (const entries of found) {
      const keys: unknown[] = [];
      for (const entry of entries) {
        if (entry.unreadable) this.warnOfStamp(entry.key);
        const planned = this.#judge(entry);
        if (planned?.action === 'build') keys.push(entry.key);
        else if (planned?.reason === 'older') older++;
      }
      await plan.add(keys);
    }
    this.warnOfOlder(older);
    this.reportDuplicates(duplicates);
  }

  #compared(setup: ComparisonSetup): AsyncGenerator<DiffEntry[], void, undefined> {
    const { bookkeeper } = this;
    const { looksAtTarget, ...heard } = setup;
    return compareStores(this.target, this.source, {
      criteria: this.query ?? {},
      ...(looksAtTarget && {
        target: { fields: bookkeeper.fields, note: (doc) => bookkeeper.noteOf(doc) },
      }),
      ...(this.compare === 'content' && {
        source: { fields: this.properties(), note: (doc) => this.#hash(doc as Item) },
      }),
      ...heard,
    });
  }

  /** Says what is to be done about a source document; null for nothing that is worth a word. */
  #judge({ key, reason, sourceNote, targetNote }: DiffEntry): PlanEntry | null {
    if (reason === 'new') return { key, action: 'build', reason };
    const note = (targetNote ?? {}) as Bookkeeping;
    const again = this.dueAgain(note);
    if (again !== null) return { key, action: 'build', reason: again };
    if (this.compare === 'content') {
      if (note._hash !== sourceNote) return { key, action: 'build', reason: 'content' };
    } else if (reason === 'newer') return { key, action: 'build', reason };
    else if (reason === 'older') return { key, action: 'leave', reason };
    const { state } = note;
    return state === 'failed' || state === 'skipped'
      ? { key, action: 'leave', reason: state }
      : null;
  }

  /** Reads the documents with these keys, in this order; of several with one key the newest. */
  async #fetch(keys: readonly unknown[]): Promise<Item[]> {
    const { source, query } = this;
    const wanted = { [source.key]: { $in: keys } };
    const criteria = query === null ? wanted : { $and: [query, wanted] };
    const found = await newestDocuments(source, criteria, this.properties());
    return keys
      .map((key) => found.get(hashValue(key)))
      .filter((doc) => doc !== undefined) as Item[];
  }

  #head(item: Item): Head {
    const { source } = this;
    const stamp = toInstant(getPath(item, source.lastUpdatedField)) ?? Date.now();
    const hash = this.compare === 'content' ? this.#hash(item) : undefined;
    return { key: keyOf(source, item), stamp, hash };
  }

  /** Of what an item is made of; its time stamp does not count. */
  #hash(item: Item): string {
    return this.hashOf(inputOf(this.source, item));
  }
}

function hasKey(store: Store, doc: Doc): boolean {
  const key = keyOf(store, doc);
  return key !== undefined && key !== null;
}
