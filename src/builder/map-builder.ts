import { InvalidBuilderError, OrphanGuardError } from '../errors/builder-errors.js';
import { InvalidOptionError } from '../errors/option-errors.js';
import { showValue } from '../errors/show-value.js';
import { arg, option } from '../msonable/decorators.js';
import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import type { Cursor } from '../store/cursor.js';
import { BatchCursor } from '../store/cursor.js';
import { compareStores } from '../store/incremental-diff.js';
import { withPaths } from '../store/properties.js';
import type { RawDocument } from '../store/raw-document.js';
import type { Store } from '../store/store.js';
import type { UpdateResult } from '../store/store-options.js';
import { assertBoolean, assertNonNegativeNumber } from '../util/assert-option.js';
import { toInstant } from '../util/instant.js';
import {
  composeDocument,
  FAILURE_FIELDS,
  isBookkeeping,
  isFailureRecord,
  isForeignState,
  keyOf,
  stampFor,
} from './build-record.js';
import type { BuildReport, BuildStatus, ItemFailure } from './build-report.js';
import type { BuilderOptions } from './builder.js';
import { Builder, toStores } from './builder.js';
import { KeyPlan } from './key-plan.js';

/** Options of {@link MapBuilder}. */
export interface MapBuilderOptions extends BuilderOptions {
  /**
   * Which source documents are built; those in the target that it does not match are left alone.
   * @defaultValue `null`: all
   */
  readonly query?: Criteria | null | undefined;
  /**
   * Names of the fields that `unaryFunction` needs; the key and the time stamp come with them.
   * @defaultValue `null`: whole documents
   */
  readonly projection?: readonly string[] | null | undefined;
  /**
   * Removes target documents whose key the source does not have, after a build that succeeded.
   * @defaultValue `false`
   */
  readonly deleteOrphans?: boolean | undefined;
  /**
   * How long one item may take, in seconds; fractions are allowed, 0 or null is no limit.
   * @defaultValue `0`
   */
  readonly timeout?: number | null | undefined;
  /**
   * Writes the time that an item took, in seconds, into its target document as `_process_time`.
   * @defaultValue `true`
   */
  readonly storeProcessTime?: boolean | undefined;
  /**
   * Builds items again that failed before; otherwise they wait until their source document changes.
   * @defaultValue `false`
   */
  readonly retryFailed?: boolean | undefined;
}

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
export abstract class MapBuilder<Item extends Doc = Doc> extends Builder<Item, Doc> {
  /** Where items come from. */
  @arg() readonly source: Store;
  /** Where results go. */
  @arg() readonly target: Store;
  /** Which source documents are built. */
  @option({ criteria: true }) readonly query: Criteria | null;
  /** Which fields are read of them. */
  @option() readonly projection: readonly string[] | null;
  /** Whether target documents without a source are removed. */
  @option() readonly deleteOrphans: boolean;
  /** How long one item may take, in seconds. */
  @option() readonly timeout: number;
  /** Whether `_process_time` is written. */
  @option() readonly storeProcessTime: boolean;
  /** Whether failed items are built again. */
  @option() readonly retryFailed: boolean;

  /** Fields of a result that are the builder's to set, not the user's. */
  readonly #omitted: ReadonlySet<string>;
  #warnedOfState = false;

  constructor(source: Store, target: Store, options: MapBuilderOptions = {}) {
    super(toStores('source', source), toStores('target', target), options);
    const { deleteOrphans = false, storeProcessTime = true, retryFailed = false } = options;
    const { query, projection, timeout } = options;
    assertNonNegativeNumber('timeout', timeout ?? 0);
    assertBoolean('deleteOrphans', deleteOrphans);
    assertBoolean('storeProcessTime', storeProcessTime);
    assertBoolean('retryFailed', retryFailed);
    if (projection !== undefined && projection !== null && !Array.isArray(projection))
      throw new InvalidOptionError('projection', 'a list of field names or null', projection);
    this.source = source;
    this.target = target;
    this.query = query ?? null;
    this.projection = projection ?? null;
    this.deleteOrphans = deleteOrphans;
    this.timeout = timeout ?? 0;
    this.storeProcessTime = storeProcessTime;
    this.retryFailed = retryFailed;
    this.#omitted = new Set([
      '_id',
      '_bt',
      '_process_time',
      ...[source, target].flatMap((store) => [store.key, store.lastUpdatedField]),
    ]);
  }

  /**
   * Makes the target document of one source document.
   *
   * @param item - The source document, or the fields of it that `projection` names.
   * @returns A document, or null or undefined to skip this item. Key, time stamp, `_bt`, `_process_time` and `state` are
   * added to it.
   */
  abstract unaryFunction(item: Item): Doc | null | undefined | Promise<Doc | null | undefined>;

  override get maxConcurrentUpdates(): number {
    return 4;
  }

  override itemTimeoutMs(): number | null {
    return this.timeout > 0 ? this.timeout * 1000 : null;
  }

  override itemKey(item: Item): unknown {
    return keyOf(this.source, item);
  }

  /** Asks for the indexes that make the comparison fast, and warns when a store cannot have them. */
  async ensureIndexes(): Promise<void> {
    const stores = this.source.identity === this.target.identity ? [this.source] : this.stores();
    const indexed = await Promise.all(
      stores.map((store) => store.ensureIndex([store.key, store.lastUpdatedField])),
    );
    stores.forEach((store, i) => {
      if (!indexed[i])
        this.logger.warn(
          `${store.name} has no index on ${store.key} and ${store.lastUpdatedField}: the build works, but slowly`,
        );
    });
  }

  getItems(): Cursor<Item> {
    return new BatchCursor<Item>(this.source.name, (size, raw) => this.#items(size, raw));
  }

  override processItem(item: Item): Doc | null | Promise<Doc | null> {
    const started = performance.now();
    const made = this.unaryFunction(item);
    return made instanceof Promise
      ? made.then((doc) => this.#result(item, doc, started))
      : this.#result(item, made, started);
  }

  override failureResult(item: Item, failure: ItemFailure): Doc {
    return this.#compose(item, NO_BODY, {
      ...(this.storeProcessTime && { _process_time: failure.durationMs / 1000 }),
      error: failure.error.message,
      state: 'failed',
    });
  }

  override skipResult(item: Item): Doc {
    return this.#compose(item, NO_BODY, { state: 'skipped' });
  }

  async updateTargets(results: readonly Doc[]): Promise<UpdateResult> {
    if (this.target.validator === null) return this.target.update(results);
    const records = results.filter(isBookkeeping);
    const made = results.filter((doc) => !isBookkeeping(doc));
    if (records.length > 0) await this.target.update(records, { validate: false });
    const result = await this.target.update(made);
    return { ...result, written: result.written + records.length };
  }

  override async finalize(context: {
    readonly status: BuildStatus;
    readonly report: BuildReport;
  }): Promise<void> {
    if (this.deleteOrphans && context.status === 'succeeded') await this.#removeOrphans();
  }

  /** Cuts the keys to be built into lists; each chunk is a `query` for them. */
  override async *prechunk(
    numberOfChunks: number,
  ): AsyncGenerator<Record<string, unknown>, void, undefined> {
    await using plan = new KeyPlan();
    await this.#fillPlan(plan);
    const size = Math.max(1, Math.ceil(plan.length / numberOfChunks));
    for await (const keys of plan.batches(size))
      yield { query: { [this.source.key]: { $in: keys } } };
  }

  async *#items(
    size: number,
    raw: boolean,
  ): AsyncGenerator<(Item | RawDocument)[], void, undefined> {
    await this.ensureIndexes();
    // What looks like a build with nothing to do may be a wrong name.
    if (await isEmpty(this.source))
      this.logger.warn(`${this.source.name} is empty: check its name, if that is not meant`);
    if (!(await isEmpty(this.target))) yield* this.#planned(size);
    else if (raw && this.source.capabilities.rawBatches) yield* this.#streamRaw(size);
    else yield* this.#stream(size);
  }

  /** Everything is new: no need to list the keys first. */
  async *#stream(size: number): AsyncGenerator<Item[], void, undefined> {
    this.total = await this.source.count(this.query ?? {});
    const found = this.source.query(this.query ?? {}, { properties: this.#properties() });
    for await (const docs of found.batches(size)) {
      const keyed = docs.filter((doc) => hasKey(this.source, doc));
      if (keyed.length < docs.length) this.#warnOfKeyless(docs.length - keyed.length);
      yield keyed as Item[];
    }
  }

  /** The same without looking at the documents. */
  async *#streamRaw(size: number): AsyncGenerator<(Item | RawDocument)[], void, undefined> {
    const { source } = this;
    const query = this.query ?? {};
    const keyless = await source.count({ $and: [query, { [source.key]: null }] });
    if (keyless > 0) this.#warnOfKeyless(keyless);
    this.total = (await source.count(query)) - keyless;
    const keyed = keyless === 0 ? query : { $and: [query, { [source.key]: { $ne: null } }] };
    const found = source.query(keyed, { properties: this.#properties() }) as Cursor<Item>;
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
    const redo = { fields: FAILURE_FIELDS, when: isFailureRecord };
    let older = 0;
    let duplicates = 0;
    let example: unknown;
    const found = compareStores(this.target, this.source, {
      criteria: this.query ?? {},
      redo: this.retryFailed ? redo : undefined,
      onKeyless: (count) => this.#warnOfKeyless(count),
      onDuplicate: (key) => {
        if (duplicates++ === 0) example = key;
      },
    });
    for await (const entries of found) {
      const keys: unknown[] = [];
      for (const { key, reason, unreadable } of entries) {
        if (unreadable) this.#warnOfStamp(key);
        if (reason === 'older') older++;
        else if (reason !== 'same') keys.push(key);
      }
      await plan.add(keys);
    }
    if (older > 0)
      this.logger.warn(
        `${older} documents of ${this.target.name} are newer than their source and were left alone`,
      );
    if (duplicates > 0)
      this.logger.warn(
        `${duplicates} keys occur more than once in ${this.source.name} (such as ${showValue(example)}): only the newest document of each is built`,
      );
  }

  /** Reads the documents with these keys, in this order; of several with one key the newest. */
  async #fetch(keys: readonly unknown[]): Promise<Item[]> {
    const { source, query } = this;
    const wanted = { [source.key]: { $in: keys } };
    const criteria = query === null ? wanted : { $and: [query, wanted] };
    const found = new Map<unknown, Doc>();
    for await (const docs of source.query(criteria, { properties: this.#properties() }).batches()) {
      for (const doc of docs) {
        const hash = hashValue(keyOf(source, doc));
        const known = found.get(hash);
        if (known === undefined || this.#isNewer(doc, known)) found.set(hash, doc);
      }
    }
    return keys
      .map((key) => found.get(hashValue(key)))
      .filter((doc) => doc !== undefined) as Item[];
  }

  #isNewer(doc: Doc, than: Doc): boolean {
    const stamp = (d: Doc) => toInstant(getPath(d, this.source.lastUpdatedField)) ?? -Infinity;
    return stamp(doc) > stamp(than);
  }

  #properties(): readonly string[] | undefined {
    const { source, projection } = this;
    if (projection === null) return undefined;
    return withPaths(projection, [source.key, source.lastUpdatedField]) as readonly string[];
  }

  #result(item: Item, made: Doc | null | undefined, started: number): Doc | null {
    if (made === null || made === undefined) return null;
    if (typeof made !== 'object' || Array.isArray(made))
      throw new InvalidBuilderError(
        this.constructor.name,
        `must return a document from unaryFunction, or null to skip; it returned ${Array.isArray(made) ? 'an array' : `a ${typeof made}`}`,
      );
    const isForeign = isForeignState(made['state']);
    if (isForeign) this.#warnOfState(made['state']);
    return this.#compose(item, made, {
      ...(!isForeign && { state: 'successful' }),
      ...(this.storeProcessTime && { _process_time: (performance.now() - started) / 1000 }),
    });
  }

  /** Adds what every target document has, whatever came of its item. */
  #compose(item: Item, body: Doc, bookkeeping: Doc): Doc {
    const { source, target } = this;
    const stamp = toInstant(getPath(item, source.lastUpdatedField)) ?? Date.now();
    const head = [
      [target.key, keyOf(source, item)],
      [target.lastUpdatedField, stampFor(target, stamp)],
    ] as const;
    return composeDocument(head, body, this.#omitted, { ...bookkeeping, _bt: new Date() });
  }

  async #removeOrphans(): Promise<void> {
    const { source, target } = this;
    await using orphans = new KeyPlan();
    for await (const entries of compareStores(source, target))
      await orphans.add(entries.filter((e) => e.reason === 'new').map((e) => e.key));
    if (orphans.length === 0) return;
    if (await isEmpty(source)) throw new OrphanGuardError(source.name, target.name);
    for await (const keys of orphans.batches(1000))
      await target.removeDocs({ [target.key]: { $in: keys } });
    this.logger.info(`Removed ${orphans.length} orphans from ${target.name}`);
  }

  #warnOfKeyless(count: number): void {
    const { name, key } = this.source;
    this.logger.warn(`${count} documents of ${name} have no ${key} and cannot be built`);
  }

  #warnOfStamp(key: unknown): void {
    const { name, lastUpdatedField } = this.source;
    this.logger.warn(
      `The ${lastUpdatedField} of ${showValue(key)} in ${name} is not a readable time stamp`,
    );
  }

  #warnOfState(state: unknown): void {
    if (this.#warnedOfState) return;
    this.#warnedOfState = true;
    this.logger.warn(
      `Documents of ${this.constructor.name} have a field "state" of their own (${showValue(state)}): it is kept, ours is left out`,
    );
  }
}

const NO_BODY: Doc = Object.freeze({});

async function isEmpty(store: Store): Promise<boolean> {
  return (await store.queryOne({}, { properties: ['_id'] })) === null;
}

function hasKey(store: Store, doc: Doc): boolean {
  const key = keyOf(store, doc);
  return key !== undefined && key !== null;
}
