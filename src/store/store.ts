import { isMaggmaError } from '../errors/maggma-error.js';
import { InvalidOptionError } from '../errors/option-errors.js';
import { redact } from '../errors/redact.js';
import {
  ReadOnlyStoreError,
  StoreNotConnectedError,
  StoreOperationError,
  UnsupportedOperationError,
  ValidationError,
} from '../errors/store-errors.js';
import { option } from '../msonable/decorators.js';
import { markGiven } from '../msonable/given.js';
import { registerSecretsOf } from '../msonable/secrets.js';
import type { Criteria, Filter } from '../query/criteria.js';
import { compileFilter } from '../query/criteria.js';
import { DistinctCollector } from '../query/distinct.js';
import type { Doc } from '../query/document.js';
import { groupKey } from '../query/group.js';
import { getPath } from '../query/path.js';
import type { CompiledProjection, Projection } from '../query/projection.js';
import { compileProjection } from '../query/projection.js';
import type { CompiledSort } from '../query/sort.js';
import { compileSort } from '../query/sort.js';
import { assertNonNegativeInteger } from '../util/assert-option.js';
import { toInstant } from '../util/instant.js';
import type { ClaimBoard } from './claim-board.js';
import type { Cursor, KeyCursor } from './cursor.js';
import { BatchCursor } from './cursor.js';
import { copyDocument, lastOfEachKey } from './document.js';
import { keysToBuild } from './incremental-diff.js';
import { withPaths } from './properties.js';
import type { RawDocument } from './raw-document.js';
import type { StoreCapabilities } from './store-capabilities.js';
import type {
  LastUpdatedType,
  NewerInOptions,
  QueryOptions,
  Refusal,
  StoreOptions,
  UpdateOptions,
  UpdateResult,
} from './store-options.js';
import { resolveStoreOptions } from './store-options.js';
import type { Validator } from './validator.js';

/** What a backend is asked for: a query whose parts were checked and compiled. */
export interface Find {
  readonly filter: Filter;
  readonly projection: CompiledProjection | null;
  readonly sort: CompiledSort | null;
  readonly skip: number;
  /** 0 for all. */
  readonly limit: number;
  readonly hint: QueryOptions['hint'];
  readonly signal: AbortSignal | undefined;
}

/**
 * One collection of documents behind MongoDB's query language.
 *
 * The public methods are the same for every backend: they check the state, the options and the documents,
 * and wrap the backend's errors. A backend fills in the protected hooks `open`, `shut`, `findBatches`,
 * `replace`, `remove` and `index`, and may override a verb only to be faster.
 *
 * States: closed → opening → open → closing → closed. `connect` and `close` may be called at any time and any
 * number of times; calls that overlap are carried out one after the other.
 *
 * @typeParam T - The documents that callers expect; not checked at run time.
 */
export abstract class Store<T extends object = Doc> implements AsyncDisposable {
  /** A label for people: logs, events, messages. Never holds a secret. */
  abstract readonly name: string;
  /** Equal for two objects that mean the same collection. */
  abstract readonly identity: string;
  /** What this backend can do. */
  abstract readonly capabilities: StoreCapabilities;

  /** The field that identifies a document. */
  @option({ write: 'given' }) readonly key: string;
  /** The field with the time of a document's last change. */
  @option({ write: 'given' }) readonly lastUpdatedField: string;
  /** How that time is written into this store. */
  @option({ write: 'given' }) readonly lastUpdatedType: LastUpdatedType;
  /** Refuses documents that must not be stored. */
  @option({ write: 'given' }) readonly validator: Validator | null;

  #state: 'closed' | 'opening' | 'open' | 'closing' = 'closed';
  #transitions: Promise<unknown> = Promise.resolve();

  constructor(options: StoreOptions = {}) {
    const resolved = resolveStoreOptions(options);
    this.key = resolved.key;
    this.lastUpdatedField = resolved.lastUpdatedField;
    this.lastUpdatedType = resolved.lastUpdatedType;
    this.validator = resolved.validator;
    markGiven(this, options);
  }

  /** Identities of the collections behind this store; its own, unless it wraps others or holds several. */
  get collections(): readonly string[] {
    return [this.identity];
  }

  /** Where it is noted who writes into the collection; null when there is no such place. Asked while the store is open. */
  claimBoard(): ClaimBoard | null {
    return null;
  }

  /** True between `connect()` and `close()`. */
  get connected(): boolean {
    return this.#state === 'open';
  }

  /**
   * Opens the backend. Harmless when it is open; a failed attempt may be repeated.
   *
   * @param options - `forceReset` opens anew: a server is connected again, a file is read again, the documents of
   * a MemoryStore are forgotten.
   * @throws {@link StoreConnectionError} when the backend cannot be reached.
   */
  connect(options: { readonly forceReset?: boolean } = {}): Promise<void> {
    const { forceReset = false } = options;
    return this.#transition(async () => {
      if (this.#state === 'open') {
        if (!forceReset) return;
        await this.#shut();
      }
      this.#state = 'opening';
      registerSecretsOf(this);
      try {
        await this.#guard('connect', () => this.open({ forceReset }));
        this.#state = 'open';
      } finally {
        if (this.#state === 'opening') this.#state = 'closed';
      }
    });
  }

  /** Releases the backend. Harmless when it was never opened; the store may be connected again. */
  close(): Promise<void> {
    return this.#transition(async () => {
      if (this.#state === 'open') await this.#shut();
    });
  }

  /** Closes the store at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Finds documents.
   *
   * They are read as the caller takes them, so leaving the loop ends the query, and each belongs to the caller:
   * changing it does not change the store. Without `sort` the order is the backend's own.
   *
   * @param criteria - Conditions in MongoDB's query language; `{}` matches everything.
   * @param options - What to return of each document, in which order, and how many.
   * @throws {@link InvalidQueryError} at once for criteria, properties or a sort that MongoDB refuses;
   * {@link StoreNotConnectedError} at the first pull when the store is not open.
   *
   * @example The five newest failed tasks
   * ```ts
   * for await (const task of tasks.query({ state: 'failed' }, { sort: { last_updated: -1 }, limit: 5 })) {
   *   console.log(task.task_id);
   * }
   * ```
   */
  query(criteria: Criteria = {}, options: QueryOptions = {}): Cursor<T> {
    const find = this.#resolveFind(criteria, options);
    return new BatchCursor(this.name, (size, raw) => this.#batches(find, size, raw));
  }

  /**
   * Returns the first document that {@link query} would give, or null.
   *
   * @param criteria - Conditions in MongoDB's query language.
   * @param options - As for {@link query}.
   */
  async queryOne(criteria: Criteria = {}, options: QueryOptions = {}): Promise<T | null> {
    for await (const doc of this.query(criteria, { ...options, limit: 1 })) return doc;
    return null;
  }

  /**
   * Counts documents.
   *
   * @param criteria - Conditions in MongoDB's query language; without them a backend may take its own estimate.
   */
  async count(criteria: Criteria = {}): Promise<number> {
    const filter = this.compile(criteria);
    return this.#open('count', () => this.countMatches(filter));
  }

  /**
   * Lists the values that a field has, each once.
   *
   * Arrays count by element, also on the way of a dotted name; documents without the field add nothing.
   *
   * @param field - Name of the field, dotted for a nested one.
   * @param criteria - Which documents to look at; it does not filter the values.
   */
  async distinct(field: string, criteria: Criteria = {}): Promise<unknown[]> {
    const filter = this.compile(criteria);
    return this.#open('distinct', () => this.distinctValues(field, filter));
  }

  /**
   * Groups documents by the values of one or several fields.
   *
   * As in MongoDB's `$group`, null and a missing field make different groups, and an array is one value. `sort`,
   * `skip` and `limit` act on the documents before they are grouped; groups come in the order of their first
   * document.
   *
   * @param keys - Names of the fields; a nested one gives a nested `group`.
   * @param criteria - Which documents to group.
   * @param options - `properties` says what to return of each document, besides the keys.
   */
  async *groupBy(
    keys: string | readonly string[],
    criteria: Criteria = {},
    options: QueryOptions = {},
  ): AsyncGenerator<{ group: Doc; docs: T[] }, void, undefined> {
    const paths = typeof keys === 'string' ? [keys] : keys;
    if (paths.length === 0) throw new InvalidOptionError('keys', 'at least one field', keys);
    const { properties, ...rest } = options;
    const groups = new Map<unknown, { group: Doc; docs: T[] }>();
    const find = { ...rest, properties: withPaths(properties, paths) };
    for await (const batch of this.query(criteria, find).batches()) {
      for (const doc of batch) {
        const { hash, group } = groupKey(doc, paths);
        const known = groups.get(hash);
        if (known) known.docs.push(doc);
        else groups.set(hash, { group, docs: [doc] });
      }
    }
    yield* groups.values();
  }

  /**
   * Stores documents, each in place of the stored one with the same key.
   *
   * The replacement is whole: fields that the new document lacks are gone. The stored `_id` stays, unless `_id` is
   * part of the key; a new document without an `_id` gets an ObjectId. When two documents of one call have the same
   * key, the later one wins. Fields that are `undefined` are dropped.
   *
   * @param docs - One document or several; they are not changed.
   * @param options - Another key than the store's; whether to validate.
   * @throws {@link InvalidDocumentError} when a document lacks its key or holds what cannot be stored,
   * {@link ValidationError} when a strict validator refuses one. Nothing of that call is stored then.
   */
  async update(docs: T | readonly T[], options: UpdateOptions = {}): Promise<UpdateResult> {
    const { key = this.key, validate = true } = options;
    const paths = typeof key === 'string' ? [key] : key;
    const list = (Array.isArray(docs) ? docs : [docs]) as readonly T[];
    this.#requireOpen('update');
    if (!this.capabilities.writable) throw new ReadOnlyStoreError(this.name, 'update');
    const incoming = list.map((doc, i) => copyDocument(doc, list.length > 1 ? `$[${i}]` : '$'));
    const unique = lastOfEachKey(incoming, paths);
    const { accepted, refused } = this.#validate(unique, validate);
    if (accepted.length === 0) return { written: 0, refused };
    const failed = await this.#guard('update', () => this.replace(accepted, paths));
    return { written: accepted.length - failed.length, refused: [...refused, ...failed] };
  }

  /**
   * Removes documents.
   *
   * @param criteria - Which; `{}` removes all.
   * @returns How many were removed.
   */
  async removeDocs(criteria: Criteria): Promise<number> {
    const filter = this.compile(criteria);
    this.#requireOpen('removeDocs');
    if (!this.capabilities.writable) throw new ReadOnlyStoreError(this.name, 'removeDocs');
    if (!this.capabilities.removal) throw new UnsupportedOperationError(this.name, 'removeDocs');
    return this.#open('removeDocs', () => this.remove(filter));
  }

  /**
   * Makes sure that queries on a field are fast.
   *
   * @param field - The field, or the fields of a compound index.
   * @param options - `unique` asks that no two documents have the same value.
   * @returns True when there is such an index now. False when there cannot be one, as on a read-only server: that
   * is no error, queries are only slower.
   */
  async ensureIndex(
    field: string | readonly string[],
    options: { readonly unique?: boolean } = {},
  ): Promise<boolean> {
    const fields = typeof field === 'string' ? [field] : field;
    if (fields.length === 0) throw new InvalidOptionError('field', 'at least one field', field);
    return this.#open('ensureIndex', () => this.index(fields, options.unique ?? false));
  }

  /** The newest time stamp of all documents, or null when none has a readable one. */
  async lastUpdated(): Promise<Date | null> {
    const field = this.lastUpdatedField;
    const newest = await this.queryOne(
      { [field]: { $type: 'date' } },
      { properties: [field], sort: { [field]: -1 } },
    );
    let latest = newest === null ? null : toInstant(getPath(newest, field));
    // Texts in different zones do not sort as instants, so all of them are read.
    for await (const batch of this.query(
      { [field]: { $type: 'string' } },
      { properties: [field] },
    ).batches()) {
      for (const doc of batch) {
        const time = toInstant(getPath(doc, field));
        if (time !== null && (latest === null || time > latest)) latest = time;
      }
    }
    return latest === null ? null : new Date(latest);
  }

  /**
   * Lists the keys that must be built into this store: those of `other` that are absent here, or older here.
   *
   * Equal time stamps count as up to date. Both stores are read in the order of their keys, so the memory needed
   * does not grow with them. Key and time stamp may have different names on both sides.
   *
   * @param other - The source.
   */
  newerIn(other: Store, options: NewerInOptions = {}): KeyCursor {
    const { criteria = {}, exhaustive = true } = options;
    const target = this as unknown as Store;
    return new BatchCursor(this.name, (size) =>
      keysToBuild(target, other, criteria, exhaustive, size),
    );
  }

  /** Opens the backend; called when the store is closed. */
  protected abstract open(options: { readonly forceReset: boolean }): Promise<void>;
  /** Releases the backend; called when the store is open. */
  protected abstract shut(): Promise<void>;
  /** Yields the documents of a query in batches of at most `size`; they become the caller's. */
  protected abstract findBatches(find: Find, size: number): AsyncIterable<T[]>;

  /** The same; a store that has its documents as BSON gives them as they are. */
  protected findRawBatches(find: Find, size: number): AsyncIterable<(T | RawDocument)[]> {
    return this.findBatches(find, size);
  }
  /**
   * Stores documents that have different keys and belong to the store from now on.
   *
   * @returns Those that could not be stored although the others were.
   */
  protected abstract replace(docs: Doc[], key: readonly string[]): Promise<readonly Refusal[]>;
  /** Removes documents and returns how many. */
  protected abstract remove(filter: Filter): Promise<number>;
  /** Makes an index and returns whether there is one. */
  protected abstract index(fields: readonly string[], unique: boolean): Promise<boolean>;

  /** Checks a filter; a backend that understands more than our own engine overrides it. */
  protected compile(criteria: Criteria): Filter {
    return compileFilter(criteria);
  }

  /** Counts documents; a backend overrides it to be faster. */
  protected async countMatches(filter: Filter): Promise<number> {
    let count = 0;
    for await (const batch of this.findBatches(findOnly(filter, { _id: 1 }), 1000))
      count += batch.length;
    return count;
  }

  /** Lists the values of a field; a backend overrides it to be faster. */
  protected async distinctValues(field: string, filter: Filter): Promise<unknown[]> {
    const values = new DistinctCollector(field);
    // The whole top-level field: a projection would lose positions such as `a.0`.
    const [top = field] = field.split('.');
    for await (const batch of this.findBatches(findOnly(filter, { [top]: 1 }), 1000))
      for (const doc of batch) values.add(doc);
    return values.values();
  }

  #validate(docs: Doc[], enabled: boolean): { accepted: Doc[]; refused: Refusal[] } {
    const { validator } = this;
    if (validator === null || !enabled) return { accepted: docs, refused: [] };
    const accepted: Doc[] = [];
    const refused: Refusal[] = [];
    for (const doc of docs) {
      if (validator.isValid(doc)) {
        accepted.push(doc);
        continue;
      }
      const key = getPath(doc, this.key);
      const paths = validator.validationErrors(doc);
      if (validator.strict) throw new ValidationError(this.name, key, paths);
      refused.push({ key, reason: 'refused by the validator', paths });
    }
    return { accepted, refused };
  }

  #resolveFind(criteria: Criteria, options: QueryOptions): Find {
    const { properties, sort, skip = 0, limit = 0, hint, signal } = options;
    assertNonNegativeInteger('skip', skip);
    assertNonNegativeInteger('limit', limit);
    const filter = this.compile(criteria);
    const projection = properties === undefined ? null : compileProjection(properties, filter);
    const order = sort === undefined || Object.keys(sort).length === 0 ? null : compileSort(sort);
    return { filter, projection, sort: order, skip, limit, hint, signal };
  }

  async *#batches(
    find: Find,
    size: number,
    raw: boolean,
  ): AsyncGenerator<(T | RawDocument)[], void, undefined> {
    find.signal?.throwIfAborted();
    this.#requireOpen('query');
    try {
      const found = raw ? this.findRawBatches(find, size) : this.findBatches(find, size);
      for await (const batch of found) {
        find.signal?.throwIfAborted();
        yield batch;
      }
    } catch (error) {
      if (find.signal?.aborted) throw error;
      throw this.#wrap('query', error);
    }
  }

  async #shut(): Promise<void> {
    this.#state = 'closing';
    try {
      await this.#guard('close', () => this.shut());
    } finally {
      this.#state = 'closed';
    }
  }

  #transition(action: () => Promise<void>): Promise<void> {
    const done = this.#transitions.then(action);
    // A failed transition is its caller's to handle; the next one starts all the same.
    this.#transitions = done.catch(() => undefined);
    return done;
  }

  #requireOpen(operation: string): void {
    if (this.#state !== 'open') throw new StoreNotConnectedError(this.name, operation);
  }

  #open<R>(operation: string, action: () => Promise<R>): Promise<R> {
    this.#requireOpen(operation);
    return this.#guard(operation, action);
  }

  async #guard<R>(operation: string, action: () => Promise<R>): Promise<R> {
    try {
      return await action();
    } catch (error) {
      throw this.#wrap(operation, error);
    }
  }

  #wrap(operation: string, error: unknown): unknown {
    if (isMaggmaError(error)) return error;
    const problem = redact(error instanceof Error ? error.message : String(error));
    return new StoreOperationError(this.name, operation, problem, { cause: error });
  }
}

function findOnly(filter: Filter, projection: Projection): Find {
  return {
    filter,
    projection: compileProjection(projection),
    sort: null,
    skip: 0,
    limit: 0,
    hint: undefined,
    signal: undefined,
  };
}
