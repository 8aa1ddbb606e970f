import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidDocumentError } from '../../src/errors/store-errors.js';
import { compileFilter } from '../../src/query/criteria.js';
import { MemoryIndex } from '../../src/store/memory/memory-index.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { storeWith } from '../fixtures/stores.js';

const value = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom('a', 'b', 'c', null, true, new Date(1), new Date(2)),
);
const field = fc.oneof(value, fc.array(value, { maxLength: 3 }));
const docs = fc.array(fc.record({ a: field, n: fc.record({ b: field }) }, { requiredKeys: [] }), {
  maxLength: 12,
});
const condition = fc.oneof(
  value,
  fc.record({ $gt: value, $lt: value, $gte: value, $lte: value }, { requiredKeys: [] }),
  fc.record({ $in: fc.array(value, { maxLength: 3 }) }),
);
const criteria = fc.record({ a: condition, 'n.b': condition }, { requiredKeys: [] });

test('an index never changes what a query finds, whatever was written and removed', async () => {
  await fc.assert(
    fc.asyncProperty(docs, docs, criteria, criteria, async (first, second, gone, wanted) => {
      const plain = new MemoryStore({ key: '_id' });
      const indexed = new MemoryStore({ key: '_id' });
      const ids = async (store: MemoryStore) =>
        (await store.query(wanted, { sort: { _id: 1 } }).toArray()).map((doc) => doc['_id']);
      for (const store of [plain, indexed]) {
        await store.connect();
        await store.update(first.map((doc, _id) => ({ ...doc, _id })));
      }
      await indexed.ensureIndex('a');
      await indexed.ensureIndex(['n.b', 'a']);
      // Puts the values in order, so that they are kept in order from here on.
      await indexed.query({ a: { $gt: 0 }, 'n.b': { $lt: 'b' } }).toArray();
      for (const store of [plain, indexed]) {
        await store.removeDocs(gone);
        await store.update(second.map((doc, i) => ({ ...doc, _id: i * 2 })));
      }
      expect(await ids(indexed)).toEqual(await ids(plain));
      expect(await indexed.count(wanted)).toBe(await plain.count(wanted));
    }),
    { numRuns: 500 },
  );
});

test('a range finds what is in it, and nothing else', () => {
  const index = new MemoryIndex<{ doc: { a: unknown } }>('a');
  const entries = [5, 1, 3, 'x', null, 2, 4].map((a) => ({ doc: { a } }));
  for (const entry of entries) index.add(entry);
  const find = (a: object, limit = 9) => {
    const [range = {}] = compileFilter({ a }).ranges.values();
    const found = index.findRange(range, limit);
    return found && [...found].map(({ doc }) => doc.a);
  };
  expect(find({ $gt: 2, $lte: 4 })).toEqual([2, 3, 4]);
  expect(find({ $gte: 4 })).toEqual([4, 5]);
  expect(find({ $lt: 2 })).toEqual([2, 1]);
  expect(find({ $gt: 'a' })).toEqual(['x']);
  expect(find({ $gt: 9 })).toEqual([]);
  expect(find({ $gt: 0 }, 3)).toBe(undefined);
  for (const entry of entries.slice(0, 3)) index.delete(entry);
  index.add({ doc: { a: 2.5 } });
  expect(find({ $gt: 1 })).toEqual([2, 2.5, 4]);
});

test('both bounds of a range may be met by different elements of an array', () => {
  const index = new MemoryIndex<{ doc: { a: unknown } }>('a');
  const entry = { doc: { a: [1, 9] } };
  index.add(entry);
  expect([...(index.findRange({ lower: 4, upper: 5 }, 9) ?? [])]).toEqual([entry]);
});

test('a unique index is refused when the documents are not unique', async () => {
  const store = await storeWith([
    { k: 1, a: 1 },
    { k: 2, a: 1, b: 2 },
  ]);
  expect(await store.ensureIndex('a', { unique: true })).toBe(false);
  expect(await store.ensureIndex('k', { unique: true })).toBe(true);
  expect(await store.ensureIndex(['a', 'b'], { unique: true })).toBe(true);
  expect(await store.ensureIndex('_id', { unique: true })).toBe(true);
});

test('a unique index refuses a whole update, and changes nothing', async () => {
  const store = await storeWith([
    { k: 1, a: 'x' },
    { k: 2, a: ['y', 'z'] },
  ]);
  expect(await store.ensureIndex('a', { unique: true })).toBe(true);
  const before = await store.query().toArray();
  const refused = [
    [
      { k: 3, a: 'new' },
      { k: 4, a: 'x' },
    ],
    [{ k: 3, a: 'z' }],
    [
      { k: 3, a: 'same' },
      { k: 4, a: 'same' },
    ],
    [{ k: 3 }, { k: 4, a: null }],
  ];
  for (const docs of refused)
    await expect(store.update(docs)).rejects.toThrow(InvalidDocumentError);
  expect(await store.query().toArray()).toEqual(before);
  expect(await store.count({ a: 'new' })).toBe(0);
  await store.update([
    { k: 1, a: 'z' },
    { k: 2, a: 'x' },
  ]);
  expect(await store.count({ a: { $in: ['x', 'z'] } })).toBe(2);
  await store.removeDocs({ k: 1 });
  await store.update({ k: 5, a: 'z' });
  await store.connect({ forceReset: true });
  await store.update({ k: 1, a: 'x' });
  await expect(store.update({ k: 2, a: 'x' })).rejects.toThrow(/index is unique/);
});

test('a replaced document keeps its place in the order', async () => {
  const store = await storeWith([{ k: 1 }, { k: 2 }, { k: 3 }]);
  await store.update({ k: 2, v: 'new' });
  expect((await store.query().toArray()).map((doc) => doc['k'])).toEqual([1, 2, 3]);
});
