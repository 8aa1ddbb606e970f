import { arg, MSONable, option } from '../../msonable/decorators.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import { assertBoolean, assertNonEmptyString } from '../../util/assert-option.js';
import type { ClaimBoard } from '../claim-board.js';
import type { Find } from '../store.js';
import { Store } from '../store.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { LastUpdatedType, Refusal } from '../store-options.js';
import type { Validator } from '../validator.js';
import { isPositional } from './plain-projection.js';
import { SANDBOX_FIELD, updateInSandbox } from './sandbox-update.js';
import { assertStore, compileForWrapped, WrappedStores } from './wrapped-stores.js';

/** Options of {@link SandboxStore}. */
export interface SandboxStoreOptions {
  /**
   * True shows the documents of the sandbox only; false also those of the wrapped store that belong to no sandbox.
   * @defaultValue `false`
   */
  readonly exclusive?: boolean | undefined;
}

/**
 * A view of a store for work apart: the documents whose field `sbxn` lists the sandbox and, unless it is exclusive,
 * the global ones, which have no `sbxn`.
 *
 * What is written gets the sandbox added to its `sbxn`. Documents that do not belong to the sandbox are never changed
 * or removed: where one has the same key, a document of the sandbox is stored beside it, and a view that is not
 * exclusive shows both. (A unique index on the key refuses that with {@link InvalidDocumentError}.) A document that
 * several sandboxes share is changed and removed for all of them. Key, time stamp and validator are the wrapped
 * store's; the validator sees documents without the tag.
 *
 * Looking for documents with the same key and writing are two steps: give each sandbox one writer.
 *
 * @example
 * ```ts
 * const trial = new SandboxStore(new MemoryStore(), 'trial');
 * await trial.update({ task_id: 'mp-1', energy: -2 }); // the global mp-1 stays as it is
 * await trial.removeDocs({}); // removes what trial wrote
 * ```
 */
@MSONable(import.meta.url, {
  module: 'maggma.stores.advanced_stores',
  aliases: ['maggma.stores'],
  version: '0.74.0',
  omit: ['key', 'lastUpdatedField', 'lastUpdatedType', 'validator'],
})
export class SandboxStore<T extends object = Doc> extends Store<T> {
  /** The wrapped store. */
  @arg() readonly store: Store;
  /** What the documents of the view have in their `sbxn`. */
  @arg() readonly sandbox: string;
  /** Whether global documents are left out of the view. */
  @option() readonly exclusive: boolean;

  declare readonly key: string;
  declare readonly lastUpdatedField: string;
  declare readonly lastUpdatedType: LastUpdatedType;
  declare readonly validator: Validator | null;

  readonly #wrapped: WrappedStores;
  /** Which documents belong to the sandbox. */
  readonly #own: Criteria;
  /** Which documents can be seen. */
  readonly #visible: Criteria;

  /**
   * @param store - The store to look at.
   * @param sandbox - Name of the sandbox.
   * @param options - As {@link SandboxStoreOptions} says.
   */
  constructor(store: Store, sandbox: string, options: SandboxStoreOptions = {}) {
    super();
    const { exclusive = false } = options;
    assertStore('store', store);
    assertNonEmptyString('sandbox', sandbox);
    assertBoolean('exclusive', exclusive);
    this.store = store;
    this.sandbox = sandbox;
    this.exclusive = exclusive;
    this.key = store.key;
    this.lastUpdatedField = store.lastUpdatedField;
    this.lastUpdatedType = store.lastUpdatedType;
    this.validator = store.validator;
    this.#wrapped = new WrappedStores([store]);
    this.#own = { [SANDBOX_FIELD]: { $in: [sandbox] } };
    const isGlobal = { [SANDBOX_FIELD]: { $exists: false } };
    this.#visible = exclusive ? this.#own : { $or: [this.#own, isGlobal] };
  }

  get name(): string {
    return `Sandbox[${this.store.name}][${this.sandbox}]`;
  }

  get identity(): string {
    return `sandbox:${JSON.stringify([this.store.identity, this.sandbox, this.exclusive])}`;
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

  protected open(options: { readonly forceReset: boolean }): Promise<void> {
    return this.#wrapped.open(options);
  }

  protected shut(): Promise<void> {
    return this.#wrapped.close();
  }

  protected override compile(criteria: Criteria): Filter {
    return compileForWrapped(criteria, (copy) => this.store.query(copy));
  }

  protected override async *findBatches(
    find: Find,
    size: number,
  ): AsyncGenerator<T[], void, undefined> {
    const { filter, projection, sort, skip, limit, hint, signal } = find;
    // The wrapped store could take `.$` for the place of the sandbox in `sbxn`.
    const isOurs = projection !== null && isPositional(projection.spec);
    const properties = isOurs ? undefined : projection?.spec;
    const options = { properties, sort: sort?.spec, skip, limit, hint, signal };
    const found = this.store.query(both(this.#visible, filter), options);
    for await (const batch of found.batches(size))
      yield (isOurs ? batch.map((doc) => projection.apply(doc)) : batch) as T[];
  }

  protected override countMatches(filter: Filter): Promise<number> {
    return this.store.count(both(this.#visible, filter));
  }

  protected override distinctValues(field: string, filter: Filter): Promise<unknown[]> {
    return this.store.distinct(field, both(this.#visible, filter));
  }

  protected replace(docs: Doc[], key: readonly string[]): Promise<readonly Refusal[]> {
    return updateInSandbox(this.store, this.sandbox, docs, key);
  }

  protected remove(filter: Filter): Promise<number> {
    return this.store.removeDocs(both(this.#own, filter));
  }

  protected index(fields: readonly string[], unique: boolean): Promise<boolean> {
    return this.store.ensureIndex(fields, { unique });
  }
}

function both(view: Criteria, { criteria }: Filter): Criteria {
  return Object.keys(criteria).length === 0 ? view : { $and: [view, criteria] };
}
