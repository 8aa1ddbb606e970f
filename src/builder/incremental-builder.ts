import { DuplicateKeysError, InvalidBuilderError } from '../errors/builder-errors.js';
import { showValue } from '../errors/show-value.js';
import { option } from '../msonable/decorators.js';
import { dumps } from '../msonable/dump.js';
import type { AnyClass } from '../msonable/fields.js';
import { fieldsOf } from '../msonable/fields.js';
import { isMSONable } from '../msonable/registry.js';
import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import { hashValue } from '../query/hash.js';
import { getPath } from '../query/path.js';
import { withPaths } from '../store/properties.js';
import type { Store } from '../store/store.js';
import type { Refusal, UpdateResult } from '../store/store-options.js';
import { toInstant } from '../util/instant.js';
import type { PlanEntry } from './build-plan.js';
import type { Bookkeeping, FailureDetails } from './build-record.js';
import { Bookkeeper, composeDocument, keyOf, stampFor } from './build-record.js';
import type { BuildReport, BuildStatus, ItemFailure } from './build-report.js';
import { Builder, toStores } from './builder.js';
import { contentHash } from './content-hash.js';
import type { FailureRecord } from './failure-record.js';
import { readFailures } from './failure-record.js';
import type { IncrementalBuilderOptions } from './incremental-options.js';
import { resolveIncrementalOptions } from './incremental-options.js';
import { ensureKeyIndexes, openStores } from './open-stores.js';
import { removeOrphans } from './orphans.js';
import { refusedResults } from './refusals.js';
import type { Tally } from './tally.js';

/** What {@link MapBuilder} and {@link GroupBuilder} have in common: how a run ends up in the target, and what goes. */
export abstract class IncrementalBuilder<Item> extends Builder<Item, Doc> {
  /** Where items come from. */
  abstract readonly source: Store;
  /** Where results go. */
  abstract readonly target: Store;
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
  /** The largest share of the target that may be removed. */
  @option({ write: 'given' }) readonly maxOrphanShare: number;
  /** What makes an item due. */
  @option({ write: 'given' }) readonly compare: 'timestamp' | 'content';
  /** The field under which everything of ours goes. */
  @option({ write: 'given' }) readonly metaField: string | null;
  /** What is kept of a failure. */
  @option({ write: 'given' }) readonly failureDetails: 'message' | 'full' | 'stack';
  /** What happens when several source documents have the same key. */
  @option({ write: 'given' }) readonly duplicates: 'newest' | 'error';
  /** Where refused results go. */
  @option({ write: 'given' }) readonly quarantine: Store | null;

  /** Writes and reads what is ours in target documents. */
  protected readonly bookkeeper: Bookkeeper;
  /** Fields of a result that are the builder's to set, not the user's. */
  #omitted: ReadonlySet<string> | undefined;
  #recipe: string | undefined;
  #warnedOfState = false;

  constructor(source: Store, target: Store, options: IncrementalBuilderOptions) {
    const { quarantine = null } = options;
    const targets = toStores('target', target);
    const others = quarantine === null ? [] : toStores('quarantine', quarantine);
    super(toStores('source', source), [...targets, ...others], options);
    const resolved = resolveIncrementalOptions(options);
    this.query = resolved.query;
    this.projection = resolved.projection;
    this.deleteOrphans = resolved.deleteOrphans;
    this.maxOrphanShare = resolved.maxOrphanShare;
    this.timeout = resolved.timeout;
    this.storeProcessTime = resolved.storeProcessTime;
    this.retryFailed = resolved.retryFailed;
    this.compare = resolved.compare;
    this.metaField = resolved.metaField;
    this.failureDetails = resolved.failureDetails;
    this.duplicates = resolved.duplicates;
    this.quarantine = quarantine;
    this.bookkeeper = new Bookkeeper(resolved.metaField);
  }

  override get maxConcurrentUpdates(): number {
    return 4;
  }

  override itemTimeoutMs(): number | null {
    return this.timeout > 0 ? this.timeout * 1000 : null;
  }

  /** Asks for the indexes that make the comparison fast, and warns when a store cannot have them. */
  async ensureIndexes(): Promise<void> {
    const { source, target } = this;
    const stores = source.identity === target.identity ? [source] : [source, target];
    await ensureKeyIndexes(stores, this.logger);
  }

  override async updateTargets(results: readonly Doc[]): Promise<UpdateResult> {
    const { target, bookkeeper } = this;
    if (target.validator === null && this.failureDetails === 'message')
      return target.update(results);
    const records = results.filter((doc) => bookkeeper.isRecord(doc));
    const made = results.filter((doc) => !bookkeeper.isRecord(doc));
    if (records.length > 0)
      await target.update(await this.#withHistory(records), { validate: false });
    const result = await target.update(made);
    if (result.refused.length > 0) await this.#remember(made, result.refused);
    return { ...result, written: result.written + records.length };
  }

  override async finalize(context: {
    readonly status: BuildStatus;
    readonly report: BuildReport;
  }): Promise<void> {
    if (!this.deleteOrphans || context.status !== 'succeeded') return;
    const { source, target, maxOrphanShare } = this;
    const removed = await removeOrphans(this.orphans(), { source, target, maxOrphanShare });
    if (removed > 0) this.logger.info(`Removed ${removed} orphans from ${target.name}`);
  }

  override async *plan(): AsyncGenerator<PlanEntry, void, undefined> {
    await using _open = await openStores(this);
    yield* this.entries();
    const action = this.deleteOrphans ? 'delete' : 'leave';
    for await (const keys of this.orphans())
      for (const key of keys) yield { key, action, reason: 'orphan' };
  }

  override failures(): AsyncGenerator<FailureRecord, void, undefined> {
    return readFailures(this.target, this.bookkeeper);
  }

  /** What a run would build or leave, and why; orphans aside. */
  protected abstract entries(): AsyncIterable<PlanEntry>;

  /** Keys of target documents that have no source any more. */
  protected abstract orphans(): AsyncIterable<readonly unknown[]>;

  /** Fields that every target document has, whatever came of its item. */
  protected get headFields(): readonly string[] {
    return [this.target.key, this.target.lastUpdatedField];
  }

  /** More fields of a result that are left out. */
  protected get leftOut(): readonly string[] {
    return [this.source.key, this.source.lastUpdatedField];
  }

  /** What is read of source documents; undefined for everything. */
  protected properties(...needed: readonly string[]): readonly string[] | undefined {
    const { source, projection } = this;
    if (projection === null) return undefined;
    const paths = [source.key, source.lastUpdatedField, ...needed];
    return withPaths(projection, paths) as readonly string[];
  }

  /** Says whether a document that is no newer than its target must be built all the same. */
  protected dueAgain(note: Bookkeeping): 'failed' | 'schema' | 'refresh' | null {
    if (this.fullRefresh) return 'refresh';
    if (note.state === 'failed' && this.retryFailed) return 'failed';
    const rules = this.target.validator?.fingerprint;
    const isRefused = note._schema !== undefined && rules !== undefined;
    return isRefused && note._schema !== rules ? 'schema' : null;
  }

  /**
   * Says that keys occur more than once in the source.
   *
   * @throws {@link DuplicateKeysError} when they must not.
   */
  protected reportDuplicates({ count, example }: Tally): void {
    if (count === 0) return;
    const { name } = this.source;
    if (this.duplicates === 'error') throw new DuplicateKeysError(name, count, example);
    this.logger.warn(
      `${count} keys occur more than once in ${name} (such as ${showValue(example)}): only the newest document of each is built`,
    );
  }

  /** Says how many source documents have no key. */
  protected warnOfKeyless(count: number): void {
    const { name, key } = this.source;
    if (count > 0)
      this.logger.warn(`${count} documents of ${name} have no ${key} and cannot be built`);
  }

  /** Says that a source document has a time stamp that cannot be read. */
  protected warnOfStamp(key: unknown): void {
    const { name, lastUpdatedField } = this.source;
    this.logger.warn(
      `The ${lastUpdatedField} of ${showValue(key)} in ${name} is not a readable time stamp`,
    );
  }

  /** Says how many target documents are newer than their source. */
  protected warnOfOlder(count: number): void {
    if (count > 0)
      this.logger.warn(
        `${count} documents of ${this.target.name} are newer than their source and were left alone`,
      );
  }

  /** What a target document remembers of its origin, in content mode: the input, the builder and its options. */
  protected hashOf(input: unknown): string {
    this.#recipe ??= contentHash(this.#ingredients());
    return contentHash([input, this.#recipe]);
  }

  /** Adds to what the user made what a target document has. */
  protected succeeded(head: Head, made: unknown, started: number): Doc | null {
    if (made === null || made === undefined) return null;
    if (typeof made !== 'object' || Array.isArray(made))
      throw new InvalidBuilderError(
        this.constructor.name,
        `must return a document from unaryFunction, or null to skip; it returned ${Array.isArray(made) ? 'an array' : `a ${typeof made}`}`,
      );
    const body = made as Doc;
    const isForeign = this.bookkeeper.isForeignState(body);
    if (isForeign) this.#warnOfState(body['state']);
    return this.#compose(head, body, {
      ...(!isForeign && { state: 'successful' }),
      ...this.#processTime(performance.now() - started),
    });
  }

  /** The record of an item that failed. */
  protected failed(head: Head, failure: ItemFailure): Doc {
    return this.#compose(head, NO_BODY, {
      ...this.#processTime(failure.durationMs),
      error: failure.error.message,
      state: 'failed',
      ...(this.failureDetails !== 'message' && { _failure: this.#details(failure) }),
    });
  }

  /** The record of an item for which nothing was made. */
  protected skipped(head: Head): Doc {
    return this.#compose(head, NO_BODY, { state: 'skipped' });
  }

  #details({ attempts, error }: ItemFailure): FailureDetails {
    const now = new Date();
    const stack = this.failureDetails === 'stack' ? error.stack : undefined;
    return { name: error.name, attempts, first: now, last: now, stack };
  }

  /** An item that fails again with the same source has failed since the first time. */
  async #withHistory(records: readonly Doc[]): Promise<Doc[]> {
    const { target, bookkeeper } = this;
    const failures = records.filter((doc) => bookkeeper.noteOf(doc)._failure !== undefined);
    if (failures.length === 0) return [...records];
    const keys = failures.map((doc) => keyOf(target, doc));
    const known = new Map<unknown, Doc>();
    for await (const doc of target.query({ [target.key]: { $in: keys } }))
      known.set(hashValue(keyOf(target, doc)), doc);
    return records.map((doc) => {
      const { _failure: now } = bookkeeper.noteOf(doc);
      const before = known.get(hashValue(keyOf(target, doc)));
      const then = before === undefined ? undefined : bookkeeper.noteOf(before)._failure;
      if (now === undefined || before === undefined || then === undefined) return doc;
      const isSame = toInstant(stampOf(target, before)) === toInstant(stampOf(target, doc));
      const attempts = now.attempts + then.attempts;
      return isSame
        ? bookkeeper.amended(doc, { _failure: { ...now, attempts, first: then.first } })
        : doc;
    });
  }

  #processTime(ms: number): Bookkeeping {
    return this.storeProcessTime ? { _process_time: ms / 1000 } : {};
  }

  #compose({ key, stamp, fields = {}, hash }: Head, body: Doc, bookkeeping: Bookkeeping): Doc {
    const { target } = this;
    const head = [
      [target.key, key],
      [target.lastUpdatedField, stampFor(target, stamp)],
      ...Object.entries(fields),
    ] as const;
    const ours = { ...bookkeeping, _bt: new Date(), ...(hash !== undefined && { _hash: hash }) };
    this.#omitted ??= new Set([
      '_id',
      ...this.bookkeeper.reserved,
      ...this.headFields,
      ...this.leftOut,
    ]);
    return composeDocument(head, body, this.#omitted, this.bookkeeper.toFields(ours));
  }

  /** What was refused is not built again until its source or the rules change. */
  async #remember(made: readonly Doc[], refused: readonly Refusal[]): Promise<void> {
    const { target, quarantine, bookkeeper } = this;
    const found = refusedResults(target, made, refused);
    if (found.length === 0) return;
    const records = found.map(({ doc, record }) => {
      const { _hash } = bookkeeper.noteOf(doc);
      const ours = { ...record, ...(_hash !== undefined && { _hash }) };
      const head = this.headFields.map((field) => [field, getPath(doc, field)] as const);
      return composeDocument(head, NO_BODY, NO_NAMES, bookkeeper.toFields(ours));
    });
    await target.update(records, { validate: false });
    if (quarantine === null) return;
    const bad = found.map(({ doc, paths }) => ({ ...doc, errors: paths }));
    await quarantine.update(bad, { key: target.key, validate: false });
  }

  /** Whatever a result depends on beside its input. */
  #ingredients(): unknown {
    const { name } = this.constructor;
    if (!isMSONable(this))
      throw new InvalidBuilderError(
        name,
        'compares contents, for which its options must be known: decorate it with @MSONable(import.meta.url)',
      );
    const options = fieldsOf(this.constructor as AnyClass)
      .filter(({ property }) => !WITHOUT_EFFECT.has(property))
      .map((field) => [field.name, dumps(Reflect.get(this, field.property))]);
    return [name, this.version, options];
  }

  #warnOfState(state: unknown): void {
    if (this.#warnedOfState) return;
    this.#warnedOfState = true;
    this.logger.warn(
      `Documents of ${this.constructor.name} have a field "state" of their own (${showValue(state)}): it is kept, ours is left out`,
    );
  }
}

/** What says when and where something is built, and not what. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'source',
  'target',
  'quarantine',
  'query',
  'chunkSize',
  'deleteOrphans',
  'maxOrphanShare',
  'timeout',
  'storeProcessTime',
  'retryFailed',
  'failureDetails',
  'duplicates',
]);

/** What a target document starts with, whatever came of its item. */
export interface Head {
  readonly key: unknown;
  /** In milliseconds since 1970. */
  readonly stamp: number;
  /** More fields that are ours. */
  readonly fields?: Doc;
  /** In content mode. */
  readonly hash?: string | undefined;
}

const stampOf = (store: Store, doc: Doc): unknown => getPath(doc, store.lastUpdatedField);

const NO_BODY: Doc = Object.freeze({});
const NO_NAMES: ReadonlySet<string> = new Set();
