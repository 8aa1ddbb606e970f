import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/errors/option-errors.js';
import {
  ReadOnlyStoreError,
  StoreConnectionError,
  StoreNotConnectedError,
} from '../../../src/errors/store-errors.js';
import type { Doc } from '../../../src/query/document.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import type { Find, Store } from '../../../src/store/store.js';
import { ConcatStore } from '../../../src/store/wrap/concat-store.js';
import { at, storeWith } from '../../fixtures/stores.js';
import { Generator } from '../../query/generate.js';
import { compare, deepFreeze } from './support.js';

const SEEDS = [1, 2, 3, 4, 5, 6];

async function concat(...children: readonly (readonly Doc[])[]): Promise<ConcatStore> {
  const store = new ConcatStore(await Promise.all(children.map((docs) => storeWith(docs))));
  await store.connect();
  return store;
}

const keys = async (store: Store, options: object) =>
  (await store.query({}, options).toArray()).map((doc) => doc['k']);

describe('as one store', () => {
  test.each(SEEDS)('random questions are answered as by one store, seed %i', async (seed) => {
    const generator = new Generator(seed);
    const docs = Array.from({ length: 40 }, (_, k) => ({ ...generator.doc(k), k }));
    const reference = await storeWith(docs);
    const cuts = [0, ...generator.random.list(3, () => generator.random.below(41)), 40];
    cuts.sort((a, b) => a - b);
    const parts = cuts.slice(1).map((end, i) => docs.slice(cuts[i], end));
    const store = await concat(...parts);
    const { answered, refused, differences } = await compare(store, reference, seed * 1000, 400);
    expect(differences).toEqual([]);
    expect(Object.values(answered).every((count) => count > 10)).toBe(true);
    expect(Object.keys(answered)).toHaveLength(4);
    expect(refused).toBeLessThan(100);
  });

  test('sorts, skips and limits across stores; ties come in the order of the stores', async () => {
    const store = await concat(
      [
        { k: 1, v: 5 },
        { k: 2, v: 1 },
      ],
      [{ k: 3, v: 1 }],
      [],
      [
        { k: 4, v: 3 },
        { k: 5, v: 1 },
      ],
    );
    expect(await keys(store, { sort: { v: 1 } })).toEqual([2, 3, 5, 4, 1]);
    expect(await keys(store, { sort: { v: -1 }, skip: 1, limit: 3 })).toEqual([4, 2, 3]);
    expect(await keys(store, { skip: 1, limit: 2 })).toEqual([2, 3]);
    expect(await keys(store, { skip: 4, limit: 9 })).toEqual([5]);
    expect(await keys(store, { skip: 1, limit: Number.MAX_SAFE_INTEGER })).toEqual([2, 3, 4, 5]);
    const projected = store.query({}, { sort: { v: -1 }, properties: { k: 1, _id: 0 }, limit: 2 });
    expect(await projected.toArray()).toEqual([{ k: 1 }, { k: 4 }]);
  });

  test('asks no store for more than can be needed, and ends the queries', async () => {
    const [one, other] = [await storeWith([]), await storeWith([])];
    await one.update(Array.from({ length: 50 }, (_, k) => ({ k })));
    await other.update(Array.from({ length: 50 }, (_, k) => ({ k: k + 0.5 })));
    const asked: unknown[] = [];
    for (const child of [one, other]) {
      const original = child.query.bind(child);
      child.query = (criteria, options) => {
        asked.push([options?.skip, options?.limit]);
        return original(criteria, options);
      };
    }
    const store = new ConcatStore([one, other]);
    await store.connect();
    expect(await keys(store, { sort: { k: 1 }, skip: 2, limit: 3 })).toEqual([1, 1.5, 2]);
    expect(asked).toEqual([
      [undefined, 5],
      [undefined, 5],
    ]);
    asked.length = 0;
    expect(await keys(store, { skip: 48, limit: 4 })).toEqual([48, 49, 0.5, 1.5]);
    expect(asked).toEqual([
      [undefined, 52],
      [undefined, 2],
    ]);
    asked.length = 0;
    expect(await keys(store, { limit: 4 })).toHaveLength(4);
    expect(asked).toHaveLength(1);
  });

  test('gives batches of the size asked for, and ends when the loop is left', async () => {
    const numbers = (from: number) => Array.from({ length: 10 }, (_, i) => ({ k: from + i }));
    const store = await concat(numbers(0), numbers(100), numbers(50));
    const sizes: number[] = [];
    for await (const batch of store.query({}, { sort: { k: 1 } }).batches(4))
      sizes.push(batch.length);
    expect(sizes).toEqual([4, 4, 4, 4, 4, 4, 4, 2]);
  });

  test('ends the queries of its stores when the loop is left', async () => {
    let open = 0;
    class Counting extends MemoryStore {
      protected override async *findBatches(find: Find, size: number) {
        open++;
        try {
          yield* super.findBatches(find, size);
        } finally {
          open--;
        }
      }
    }
    const children = [new Counting({ key: 'k' }), new Counting({ key: 'k' })];
    const store = new ConcatStore(children);
    await store.connect();
    for (const child of children) await child.update([{ k: 1 }, { k: 2 }, { k: 3 }]);
    for (const options of [{ sort: { k: 1 } }, {}] as const) {
      for await (const batch of store.query({}, options).batches(2)) {
        expect(batch).toHaveLength(2);
        expect(open).toBeGreaterThan(0);
        break;
      }
      expect(open).toBe(0);
    }
  });

  test('counts, lists values once, groups across stores, and keeps equal keys', async () => {
    const store = await concat(
      [{ k: 1, g: 'x', list: [1, { a: 1 }] }],
      [
        { k: 1, g: 'y', list: [{ a: 1 }, 2] },
        { k: 2, g: 'x' },
      ],
    );
    expect(await store.count({ k: 1 })).toBe(2);
    expect(await store.distinct('list')).toEqual([1, { a: 1 }, 2]);
    const groups: unknown[] = [];
    for await (const { group, docs } of store.groupBy('g'))
      groups.push([group, docs.map((doc) => doc['k'])]);
    expect(groups).toEqual([
      [{ g: 'x' }, [1, 2]],
      [{ g: 'y' }, [1]],
    ]);
  });

  test('has the newest time stamp of all', async () => {
    const store = await concat(
      [{ k: 1, last_updated: at(1) }],
      [{ k: 2, last_updated: '2020-01-01T00:00:09' }],
      [],
    );
    expect(await store.lastUpdated()).toEqual(at(9));
    expect(await (await concat([], [{ k: 1 }])).lastUpdated()).toBe(null);
    const other = await storeWith([{ k: 1, lu: at(9), last_updated: at(3) }], {
      lastUpdatedField: 'lu',
    });
    const mixed = new ConcatStore([await storeWith([{ k: 2, last_updated: at(2) }]), other]);
    await mixed.connect();
    expect(await mixed.lastUpdated()).toEqual(at(3));
  });

  test('makes an index in all stores, and promises uniqueness for one only', async () => {
    const store = await concat([{ k: 1 }], [{ k: 1 }]);
    expect(await store.ensureIndex(['k', 'a'])).toBe(true);
    expect(await store.ensureIndex('k', { unique: true })).toBe(false);
    expect(await (await concat([{ k: 1 }])).ensureIndex('k', { unique: true })).toBe(true);
    const [, second] = store.stores;
    Object.assign(second as Store, { ensureIndex: async () => false });
    expect(await store.ensureIndex('a')).toBe(false);
  });

  test('cannot be written', async () => {
    const store = await concat([{ k: 1 }], []);
    await expect(store.update({ k: 1 })).rejects.toThrow(ReadOnlyStoreError);
    await expect(store.removeDocs({})).rejects.toThrow(ReadOnlyStoreError);
    expect(await store.count({})).toBe(1);
    expect(store.capabilities).toMatchObject({ writable: false, removal: false, sortedScan: true });
  });

  test('changes no input', async () => {
    const store = await concat([{ k: 1, a: { b: [1] } }], []);
    const criteria = deepFreeze({ $and: [{ 'a.b': { $in: [1] } }] });
    const options = deepFreeze({ sort: { k: 1 as const }, properties: ['a'], limit: 1 });
    expect(await store.query(criteria, options).toArray()).toHaveLength(1);
  });
});

describe('its stores', () => {
  test('are connected with it, and closed unless they were connected before', async () => {
    const [mine, theirs] = [new MemoryStore(), new MemoryStore()];
    await theirs.connect();
    const store = new ConcatStore([mine, theirs, mine]);
    await expect(store.lastUpdated()).rejects.toThrow(StoreNotConnectedError);
    await store.connect();
    expect([mine.connected, theirs.connected]).toEqual([true, true]);
    await store.close();
    expect([mine.connected, theirs.connected]).toEqual([false, true]);
    await store.connect();
    await store.connect({ forceReset: true });
    await store.close();
    expect([mine.connected, theirs.connected]).toEqual([false, true]);
  });

  test('are closed again when one cannot be connected', async () => {
    class Broken extends MemoryStore {
      protected override async open(): Promise<void> {
        throw new StoreConnectionError(this.name, 'it is broken');
      }
    }
    const first = new MemoryStore();
    const store = new ConcatStore([first, new Broken()]);
    await expect(store.connect()).rejects.toThrow(StoreConnectionError);
    expect([first.connected, store.connected]).toEqual([false, false]);
  });

  test('say what key and time stamp are called, when they agree', () => {
    const one = new MemoryStore({ key: 'k', lastUpdatedField: 'lu', lastUpdatedType: 'isoformat' });
    const agreed = { key: 'k', lastUpdatedField: 'lu', lastUpdatedType: 'isoformat' };
    expect(new ConcatStore([one, one])).toMatchObject(agreed);
    expect(new ConcatStore([one], { key: 'x' })).toMatchObject({ ...agreed, key: 'x' });
    expect(new ConcatStore([one, new MemoryStore()])).toMatchObject({
      key: 'task_id',
      lastUpdatedField: 'last_updated',
      lastUpdatedType: 'datetime',
    });
  });

  test('give it its name and its identity', () => {
    const [a, b] = [
      new MemoryStore({ collectionName: 'a' }),
      new MemoryStore({ collectionName: 'b' }),
    ];
    expect(new ConcatStore([a, b]).name).toBe('Concat[mem://a, mem://b]');
    expect(new ConcatStore([a, b]).identity).toBe(new ConcatStore([a, b]).identity);
    expect(new ConcatStore([a, b]).identity).not.toBe(new ConcatStore([b, a]).identity);
  });

  test.each([[[]], [undefined], [new MemoryStore()], [[{}]], [[null]]])('not %o', (stores) => {
    expect(() => new ConcatStore(stores as never)).toThrow(InvalidOptionError);
  });
});
