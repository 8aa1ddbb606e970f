import type { Doc } from '../query/document.js';
import type { SortSpec } from '../query/sort.js';
import type { Store } from '../store/store.js';
import type { StoreOptions } from '../store/store-options.js';
import { testLifecycle } from './store-suite-lifecycle.js';
import { testQuery } from './store-suite-query.js';
import { testTimeStamps } from './store-suite-time-stamps.js';
import { testUpdate } from './store-suite-update.js';
import { testValidation } from './store-suite-validation.js';
import { testValues } from './store-suite-values.js';
import { testVerbs } from './store-suite-verbs.js';
import type { TestRunner } from './test-runner.js';

/** How the suite gets stores of one kind. */
export interface StoreHarness {
  /** What the tests stand under. */
  readonly name: string;
  /**
   * Makes a store that nobody connected, empty and writable, sharing nothing with any other.
   *
   * @param options - To be handed to the store.
   */
  create(options?: StoreOptions): Store | Promise<Store>;
}

/** What the groups of the suite are written with. */
export interface StoreSuite {
  readonly it: TestRunner['it'];
  /** A store as {@link StoreHarness.create} makes it. */
  create(options?: StoreOptions): Promise<Store>;
  /** Does something with a connected store whose key is `k`, and closes it. */
  withStore(body: (store: Store) => Promise<void>, options?: StoreOptions): Promise<void>;
  /** All documents in the order of `k`, without `_id`. */
  all(store: Store, sort?: SortSpec): Promise<Doc[]>;
  /** Documents without `_id`. */
  without(docs: readonly Doc[]): Doc[];
}

const GROUPS = {
  lifecycle: testLifecycle,
  query: testQuery,
  update: testUpdate,
  values: testValues,
  validation: testValidation,
  'count, distinct, groupBy, removeDocs, ensureIndex': testVerbs,
  'time stamps': testTimeStamps,
} satisfies Record<string, (suite: StoreSuite) => void>;

/**
 * Registers what every store must do, whatever its backend: for authors of stores.
 *
 * @param runner - The functions of the test runner.
 * @param harness - How to make a store.
 *
 * @example
 * ```ts
 * import { testStore } from 'maggma/testing';
 * import { describe, it } from 'vitest';
 *
 * testStore({ describe, it }, { name: 'MyStore', create: (options) => new MyStore(options) });
 * ```
 */
export function testStore({ describe, it }: TestRunner, harness: StoreHarness): void {
  const create = async (options?: StoreOptions) => harness.create(options);
  const without = (docs: readonly Doc[]): Doc[] => docs.map(({ _id, ...rest }) => rest);
  const suite: StoreSuite = {
    it,
    create,
    async withStore(body, options) {
      await using store = await create({ key: 'k', ...options });
      await store.connect();
      await body(store);
    },
    async all(store, sort = { k: 1 }) {
      return without(await store.query({}, { sort }).toArray());
    },
    without,
  };
  describe(`store contract: ${harness.name}`, () => {
    for (const [name, register] of Object.entries(GROUPS)) describe(name, () => register(suite));
  });
}
