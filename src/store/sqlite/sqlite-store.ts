import { statSync } from 'node:fs';
import path from 'node:path';
import { isMaggmaError } from '../../errors/maggma-error.js';
import { InvalidOptionError } from '../../errors/option-errors.js';
import { StoreConnectionError, StoreNotConnectedError } from '../../errors/store-errors.js';
import { arg, MSONable, option } from '../../msonable/decorators.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import { compileFilter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import { assertNonEmptyString, assertPositiveInteger } from '../../util/assert-option.js';
import type { ClaimBoard } from '../claim-board.js';
import { ClaimFile } from '../claim-file.js';
import type { Find } from '../store.js';
import { Store } from '../store.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { Refusal, StoreOptions } from '../store-options.js';
import { Collection } from './collection.js';
import { Database } from './database.js';
import type { OpenSqlDriver } from './driver.js';
import { loadDriver } from './driver.js';
import { ensureIndex } from './ensure-index.js';
import { findDocuments, isEmpty } from './find-documents.js';
import { removeDocuments } from './remove-documents.js';
import { replaceDocuments } from './replace-documents.js';
import { isReadOnly } from './sql-errors.js';

/** Options of {@link SQLiteStore}. */
export interface SQLiteStoreOptions extends StoreOptions {
  /**
   * How many milliseconds a regular expression of a query may take on one text. Set it where filters come from
   * strangers; it makes regular expressions slower.
   * @defaultValue `null`: no limit
   */
  readonly regexTimeoutMs?: number | null | undefined;
}

/** A batch of large documents ends early, at about so many characters of JSON. */
const BATCH_LENGTH = 16_000_000;

/**
 * Documents in an SQLite file, which may hold other collections and tables, too.
 *
 * The store to prefer on one machine: durable, with indexes, for millions of documents and several processes at once.
 * The driver is part of Node from 22.13 on; Node 20 needs the package `@photostructure/sqlite@1`. The file is made with
 * the first document: where there is none, the collection is empty. Reading never waits for a writer, and a query meets
 * no documents that arrive after it began.
 *
 * @example
 * ```ts
 * const store = new SQLiteStore('summary.db', 'summary', { key: 'material_id' });
 * ```
 */
@MSONable(import.meta.url, { module: 'maggma_ts.stores' })
export class SQLiteStore<T extends object = Doc> extends Store<T> {
  /** The file. */
  @arg() readonly path: string;
  /** Name of the collection. */
  @arg() readonly collectionName: string;
  /** How long a regular expression may take on one text, in milliseconds. */
  @option({ write: 'given' }) readonly regexTimeoutMs: number | null;

  #openDriver: OpenSqlDriver | undefined;
  #collection: Collection | undefined;
  /** Asked for while there was no collection; made with it. First field, and the others. */
  readonly #wantedIndexes = new Map<string, readonly string[]>();

  /**
   * @param file - Its path; a relative one is seen from the working directory of the process.
   * @param collectionName - Name of the collection; it need not exist.
   * @param options - As {@link SQLiteStoreOptions} says.
   */
  constructor(file: string, collectionName: string, options: SQLiteStoreOptions = {}) {
    super(options);
    const { regexTimeoutMs = null } = options;
    assertNonEmptyString('path', file);
    assertNonEmptyString('collectionName', collectionName);
    if (file === ':memory:')
      throw new InvalidOptionError(
        'path',
        'a file (a MemoryStore holds documents in memory)',
        file,
      );
    if (collectionName.includes('\0'))
      throw new InvalidOptionError('collectionName', 'a text without NUL', collectionName);
    if (regexTimeoutMs !== null) assertPositiveInteger('regexTimeoutMs', regexTimeoutMs);
    this.path = file;
    this.collectionName = collectionName;
    this.regexTimeoutMs = regexTimeoutMs;
  }

  get name(): string {
    return `sqlite://${this.path}/${this.collectionName}`;
  }

  get identity(): string {
    return `file:${this.#file}:${this.collectionName}`;
  }

  get capabilities(): StoreCapabilities {
    return {
      writable: true,
      removal: true,
      sortedScan: true,
      rawBatches: false,
      crossProcess: true,
    };
  }

  override claimBoard(): ClaimBoard | null {
    const collection = encodeURIComponent(this.collectionName);
    return new ClaimFile(`${this.#file}.${collection}.claim`, this.name);
  }

  protected override async open(): Promise<void> {
    this.#openDriver = await loadDriver();
    const folder = path.dirname(this.#file);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw new StoreConnectionError(this.name, `there is no folder ${folder}`);
    this.#existing();
  }

  protected override async shut(): Promise<void> {
    const collection = this.#collection;
    this.#collection = undefined;
    this.#openDriver = undefined;
    collection?.db.close();
  }

  protected override compile(criteria: Criteria): Filter {
    return compileFilter(criteria, this);
  }

  protected override async *findBatches(
    find: Find,
    size: number,
  ): AsyncGenerator<T[], void, undefined> {
    const collection = this.#existing();
    if (collection === undefined) return;
    const { projection, limit } = find;
    let toSkip = find.skip;
    let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    let batch: Doc[] = [];
    let length = 0;
    for await (const page of findDocuments(collection, find)) {
      for (const doc of page.docs) {
        if (toSkip-- > 0) continue;
        batch.push(projection === null ? doc : projection.apply(doc));
        left--;
        if (batch.length === size || left === 0) {
          yield batch as T[];
          batch = [];
          length = 0;
        }
        if (left === 0) return;
      }
      length += page.length;
      if (length < BATCH_LENGTH || batch.length === 0) continue;
      yield batch as T[];
      batch = [];
      length = 0;
    }
    if (batch.length > 0) yield batch as T[];
  }

  protected override async countMatches(filter: Filter): Promise<number> {
    if (isEmpty(filter)) return this.#existing()?.state()?.record.size ?? 0;
    return super.countMatches(filter);
  }

  protected async replace(docs: Doc[], key: readonly string[]): Promise<readonly Refusal[]> {
    const [first = this.key] = key;
    await this.#change((collection) => {
      for (const [path, others] of this.#wantedIndexes)
        collection.ensureIndex(path, this.#covers(path, others));
      for (const path of [this.key, first])
        if (path !== '_id') collection.ensureIndex(path, this.#covers(path, []));
      replaceDocuments(collection, docs, key);
    });
    this.#wantedIndexes.clear();
    return [];
  }

  protected async remove(filter: Filter): Promise<number> {
    if (!this.#existing()?.state()) return 0;
    return this.#change((collection) => removeDocuments(collection, filter));
  }

  /** A compound index is one on its first field, which carries the others along. */
  protected async index(fields: readonly string[], unique: boolean): Promise<boolean> {
    const [first = '_id', ...others] = fields;
    if (first === '_id') return true;
    if (!unique && !this.#existing()?.state()) {
      // Whoever only looks for documents must not leave a file behind.
      this.#wantedIndexes.set(first, others);
      return true;
    }
    try {
      return await this.#change((collection) =>
        ensureIndex(collection, fields, this.#covers(first, others), unique),
      );
    } catch (error) {
      if (isReadOnly(error)) return false;
      throw error;
    }
  }

  get #file(): string {
    return path.resolve(this.path);
  }

  /** The index on the key holds all that a comparison of two stores looks at. */
  #covers(first: string, others: readonly string[]): readonly string[] {
    if (first === this.key) return [first, this.lastUpdatedField, ...others];
    return others.length === 0 ? [] : [first, ...others];
  }

  async #change<R>(action: (collection: Collection) => R): Promise<R> {
    const collection = this.#existing() ?? this.#connect();
    return collection.db.write(() => {
      try {
        return action(collection);
      } finally {
        collection.forget();
      }
    });
  }

  /** The collection, unless there is no file: another process may make one at any time. */
  #existing(): Collection | undefined {
    if (this.#collection !== undefined) return this.#collection;
    return statSync(this.#file, { throwIfNoEntry: false }) && this.#connect();
  }

  #connect(): Collection {
    if (this.#openDriver === undefined) throw new StoreNotConnectedError(this.name, 'query');
    let db: Database | undefined;
    try {
      db = new Database(this.#openDriver, this.#file);
      const collection = new Collection(db, this.collectionName, this.name);
      collection.state();
      this.#collection = collection;
      return collection;
    } catch (error) {
      db?.close();
      if (isMaggmaError(error)) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      throw new StoreConnectionError(this.name, `${this.#file}: ${problem}`, { cause: error });
    }
  }
}
