import { InvalidOptionError } from '../../errors/option-errors.js';
import { arg, MSONable, option } from '../../msonable/decorators.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import type { Projection } from '../../query/projection.js';
import type { ClaimBoard } from '../claim-board.js';
import type { Cursor } from '../cursor.js';
import type { Find } from '../store.js';
import { Store } from '../store.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { LastUpdatedType, QueryOptions, Refusal, StoreOptions } from '../store-options.js';
import type { Validator } from '../validator.js';
import { toInternalCriteria, toInternalPath } from './alias-criteria.js';
import { renameFields } from './alias-documents.js';
import { AliasNames } from './alias-names.js';
import { excludedNames, includedNames } from './plain-projection.js';
import { assertStore, compileForWrapped, WrappedStores } from './wrapped-stores.js';

/** Options of {@link AliasingStore}. */
export interface AliasingStoreOptions extends StoreOptions {
  /**
   * The field that identifies a document, as callers call it.
   * @defaultValue the wrapped store's, as callers call it
   */
  readonly key?: string | undefined;
  /**
   * The field with the time of a document's last change, as callers call it. The wrapped store's own name for it is
   * understood, too, because files written by Python have that.
   * @defaultValue the wrapped store's, as callers call it
   */
  readonly lastUpdatedField?: string | undefined;
  /**
   * How builders write that time.
   * @defaultValue the wrapped store's
   */
  readonly lastUpdatedType?: LastUpdatedType | undefined;
  /**
   * Refuses documents, under the callers' names, that must not be stored; the wrapped store's is asked besides.
   * @defaultValue the wrapped store's
   */
  readonly validator?: Validator | null | undefined;
}

/**
 * A store under other names for its fields.
 *
 * Criteria (also in `$and`, `$or`, `$nor` and `$expr`), properties, sorts, keys and documents are translated both ways.
 * A name may be dotted and so move a field into, or out of, a nested document; it leads through nested documents, not
 * through arrays of them. Each field keeps a name of its own: with `{ a: 'b' }` a stored field `a` is seen as `b`.
 * Where an alias is for `_id`, what stores do to `_id` is done to the field that the alias names.
 * A document of which parts are stored elsewhere cannot be compared or sorted by as a whole ({@link InvalidQueryError});
 * name the fields inside it.
 *
 * @example
 * ```ts
 * const tasks = new AliasingStore(store, { task_id: 'tid', energy: 'output.energy' });
 * await tasks.query({ energy: { $lt: 0 } }, { properties: ['energy'] }).toArray(); // asks for output.energy
 * ```
 */
@MSONable(import.meta.url, {
  module: 'maggma.stores.advanced_stores',
  aliases: ['maggma.stores'],
  version: '0.74.0',
})
export class AliasingStore<T extends object = Doc> extends Store<T> {
  /** The wrapped store. */
  @arg() readonly store: Store;
  /** By the callers' name, the stored one. */
  @arg() readonly aliases: Readonly<Record<string, string>>;

  @option({ write: 'given' }) declare readonly key: string;
  @option() declare readonly lastUpdatedField: string;
  @option() declare readonly lastUpdatedType: LastUpdatedType;
  @option({ write: 'given' }) declare readonly validator: Validator | null;

  readonly #names: AliasNames;
  readonly #wrapped: WrappedStores;
  /** The wrapped store's validator has not been asked by this store. */
  readonly #validatesInside: boolean;

  /**
   * @param store - The store whose fields get other names.
   * @param aliases - By the callers' name, the stored one: `{ external: 'internal' }`.
   * @param options - As {@link AliasingStoreOptions} says.
   * @throws {@link InvalidOptionError} for aliases that contradict each other.
   */
  constructor(
    store: Store,
    aliases: Readonly<Record<string, string>>,
    options: AliasingStoreOptions = {},
  ) {
    super(options);
    assertStore('store', store);
    const names = new AliasNames(aliases);
    this.store = store;
    this.aliases = Object.freeze({ ...aliases });
    this.#names = names;
    this.#wrapped = new WrappedStores([store]);
    const { key, lastUpdatedField = store.lastUpdatedField, validator = null } = options;
    this.key = key ?? names.external(store.key) ?? store.key;
    this.lastUpdatedField =
      lastUpdatedField === store.lastUpdatedField
        ? (names.external(lastUpdatedField) ?? lastUpdatedField)
        : lastUpdatedField;
    this.lastUpdatedType = options.lastUpdatedType ?? store.lastUpdatedType;
    this.validator = validator ?? translated(store.validator, names);
    this.#validatesInside = validator !== null;
    for (const name of ['key', 'lastUpdatedField'] as const)
      if (names.internal(this[name]) === undefined)
        throw new InvalidOptionError(name, 'a field that is stored in one place', this[name]);
  }

  get name(): string {
    return `Aliasing[${this.store.name}]`;
  }

  get identity(): string {
    const aliases = [...this.#names.toInternal].sort(([a], [b]) => (a < b ? -1 : 1));
    return `aliasing:${JSON.stringify([this.store.identity, aliases])}`;
  }

  override get collections(): readonly string[] {
    return this.store.collections;
  }

  override claimBoard(): ClaimBoard | null {
    return this.store.claimBoard();
  }

  get capabilities(): StoreCapabilities {
    const { writable, removal, sortedScan, crossProcess } = this.store.capabilities;
    return { writable, removal, sortedScan, rawBatches: false, crossProcess };
  }

  override query(criteria: Criteria = {}, options: QueryOptions = {}): Cursor<T> {
    const cursor = super.query(criteria, options);
    this.#rename(options.sort ?? {}, 'sort');
    return cursor;
  }

  protected open(options: { readonly forceReset: boolean }): Promise<void> {
    return this.#wrapped.open(options);
  }

  protected shut(): Promise<void> {
    return this.#wrapped.close();
  }

  protected override compile(criteria: Criteria): Filter {
    const filter = compileForWrapped(criteria, (copy) =>
      this.store.query(toInternalCriteria(copy, this.#names)),
    );
    this.#criteria(filter);
    return filter;
  }

  protected override async *findBatches(
    find: Find,
    size: number,
  ): AsyncGenerator<T[], void, undefined> {
    const { projection, sort, skip, limit, hint, signal } = find;
    const found = this.store.query(this.#criteria(find.filter), {
      properties: projection === null ? undefined : this.#properties(projection.spec),
      sort: sort === null ? undefined : this.#rename(sort.spec, 'sort'),
      hint: typeof hint === 'object' ? this.#rename(hint, 'hint') : hint,
      skip,
      limit,
      signal,
    });
    const { toExternal, parents } = this.#names;
    for await (const batch of found.batches(size)) {
      const docs = batch.map((doc) => renameFields(doc, toExternal, parents));
      yield (projection === null ? docs : docs.map((doc) => projection.apply(doc))) as T[];
    }
  }

  protected override countMatches(filter: Filter): Promise<number> {
    return this.store.count(this.#criteria(filter));
  }

  protected override distinctValues(field: string, filter: Filter): Promise<unknown[]> {
    const internal = this.#names.internal(field);
    return internal === undefined
      ? super.distinctValues(field, filter)
      : this.store.distinct(internal, this.#criteria(filter));
  }

  protected async replace(docs: Doc[], key: readonly string[]): Promise<readonly Refusal[]> {
    const { toInternal, parents } = this.#names;
    const paths = key.map((path) => this.#names.internal(path));
    if (!paths.every((path) => path !== undefined))
      throw new InvalidOptionError('key', 'fields that are stored in one place', key);
    const stored = docs.map((doc) => renameFields(doc, toInternal, parents));
    const options = { key: paths, validate: this.#validatesInside };
    return (await this.store.update(stored, options)).refused;
  }

  protected remove(filter: Filter): Promise<number> {
    return this.store.removeDocs(this.#criteria(filter));
  }

  protected async index(fields: readonly string[], unique: boolean): Promise<boolean> {
    const paths = fields.map((path) => this.#names.internal(path));
    return paths.every((path) => path !== undefined) && this.store.ensureIndex(paths, { unique });
  }

  #criteria(filter: Filter): Criteria {
    return toInternalCriteria(filter.criteria, this.#names);
  }

  /** What to read of the wrapped store: at least what the projection needs, which is applied afterwards. */
  #properties(spec: Projection): readonly string[] | Projection | undefined {
    const included = includedNames(spec);
    if (included !== undefined) return this.#names.toRead(['_id', ...included]);
    const excluded = excludedNames(spec)?.map((path) => [path, this.#names.internal(path)]);
    // A nested field would leave its document behind, which may have come from elsewhere.
    const unneeded = excluded?.filter((both) =>
      both.every((path) => path?.includes('.') === false),
    );
    return unneeded && Object.fromEntries(unneeded.map(([, stored]) => [stored, 0]));
  }

  #rename<V>(fields: Readonly<Record<string, V>>, place: string): Record<string, V> {
    const renamed = Object.entries(fields).map(
      ([path, value]) => [toInternalPath(path, this.#names, `${place}.${path}`), value] as const,
    );
    return Object.fromEntries(renamed);
  }
}

/** A validator of stored documents, for documents under the callers' names. */
function translated(validator: Validator | null, names: AliasNames): Validator | null {
  if (validator === null) return null;
  const toStored = (doc: Doc) => renameFields(doc, names.toInternal, names.parents);
  return {
    strict: validator.strict,
    isValid: (doc) => validator.isValid(toStored(doc)),
    validationErrors: (doc) => validator.validationErrors(toStored(doc)),
  };
}
