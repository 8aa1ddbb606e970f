import { expect, test } from 'vitest';
import type { Criteria } from '../../src/query/criteria.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import type { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/store-options.js';
import { testStore } from '../../src/testing/index.js';

/** Runs the suite on its own and returns the names of the tests that fail. */
async function failures(create: (options?: StoreOptions) => Store): Promise<string[]> {
  const tests: [string, () => void | Promise<void>][] = [];
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it: (name: string, body: () => void | Promise<void>) => void tests.push([name, body]),
  };
  testStore(runner, { name: 'broken', create });
  const failed: string[] = [];
  for (const [name, body] of tests)
    try {
      await body();
    } catch {
      failed.push(name);
    }
  return failed;
}

type Break = (store: MemoryStore) => Partial<Record<keyof MemoryStore, unknown>>;

/** One thing broken at a time. */
const BREAKS: Readonly<Record<string, Break>> = {
  'query ignores its criteria': (store) => ({
    query: (_: object, options: object) => MemoryStore.prototype.query.call(store, {}, options),
  }),
  'query ignores its options': (store) => ({
    query: (criteria: Criteria) => MemoryStore.prototype.query.call(store, criteria, {}),
  }),
  'count is one too many': (store) => ({
    count: async (criteria: Criteria) =>
      (await MemoryStore.prototype.count.call(store, criteria)) + 1,
  }),
  'distinct finds nothing': () => ({ distinct: async () => [] }),
  'groupBy makes one group': (store) => ({
    groupBy: async function* () {
      yield { group: {}, docs: await store.query().toArray() };
    },
  }),
  'update forgets': () => ({ update: async () => ({ written: 1, refused: [] }) }),
  'update ignores another key': (store) => ({
    update: (docs: object) => MemoryStore.prototype.update.call(store, docs),
  }),
  'removeDocs removes nothing': () => ({ removeDocs: async () => 0 }),
  'ensureIndex says no': () => ({ ensureIndex: async () => false }),
  'lastUpdated is always now': () => ({ lastUpdated: async () => new Date() }),
  'newerIn finds nothing': (store) => ({
    newerIn: (other: Store, options: object) =>
      MemoryStore.prototype.newerIn.call(store, other, {
        ...options,
        criteria: { nothing: 'matches this' },
      }),
  }),
  'close does nothing': () => ({ close: async () => {} }),
  'connect does nothing': () => ({ connect: async () => {} }),
};

test('the suite passes on a store that is right', async () => {
  expect(await failures((options) => new MemoryStore(options))).toEqual([]);
});

test.each(Object.keys(BREAKS))('the suite fails when %s', async (name) => {
  const broken = (options?: StoreOptions) => {
    const store = new MemoryStore(options);
    return Object.assign(store, BREAKS[name]?.(store));
  };
  expect((await failures(broken)).length).toBeGreaterThan(0);
});
