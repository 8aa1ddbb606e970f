import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileFilter } from '../../src/query/criteria.js';
import type { Doc } from '../../src/query/document.js';
import { MemoryIndexes } from '../../src/store/memory/memory-indexes.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';

/** Few values, so that many documents have each of them. */
const value = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  fc.constantFrom('a', 'b', null, new Date(1), new Date(2)),
);
const field = fc.oneof({ weight: 4, arbitrary: value }, fc.array(value, { maxLength: 3 }));
const docs = fc.array(
  fc.record({ a: field, b: field, n: fc.record({ c: field }) }, { requiredKeys: [] }),
  { minLength: 40, maxLength: 120 },
);
const condition = fc.oneof(
  value,
  fc.record({ $gt: value, $lt: value, $gte: value, $lte: value }, { requiredKeys: [] }),
  fc.record({ $in: fc.array(value, { maxLength: 3 }) }),
);
const criteria = fc.record({ a: condition, b: condition, 'n.c': condition }, { requiredKeys: [] });
const prefixed = fc.record(
  { a: value, b: condition, 'n.c': condition },
  { requiredKeys: ['a', 'b'] },
);

test('a compound index never changes what a query finds, whatever was written and removed', async () => {
  await fc.assert(
    fc.asyncProperty(
      docs,
      docs,
      criteria,
      fc.array(fc.oneof(criteria, prefixed), { minLength: 3, maxLength: 3 }),
      async (first, second, gone, wanted) => {
        const plain = new MemoryStore({ key: '_id' });
        const indexed = new MemoryStore({ key: '_id' });
        const expectSame = async () => {
          for (const one of wanted) {
            const ids = async (store: MemoryStore) =>
              (await store.query(one, { sort: { _id: 1 } }).toArray()).map((doc) => doc['_id']);
            expect(await ids(indexed)).toEqual(await ids(plain));
            expect(await indexed.count(one)).toBe(await plain.count(one));
          }
        };
        for (const store of [plain, indexed]) {
          await store.connect();
          await store.update(first.map((doc, _id) => ({ ...doc, _id })));
        }
        await indexed.ensureIndex(['a', 'b', 'n.c']);
        await indexed.ensureIndex(['a', 'n.c']);
        await expectSame();
        for (const store of [plain, indexed]) {
          await store.removeDocs(gone);
          await store.update(second.map((doc, i) => ({ ...doc, _id: i * 2 })));
        }
        await expectSame();
      },
    ),
    { numRuns: 200 },
  );
});

const many = Array.from({ length: 1000 }, (_, i) => ({
  doc: { a: i % 2, b: i, c: i % 10, list: [i, -i] } as Doc,
}));

test.each<[string, object, number]>([
  ['equality on the first path', { a: 1 }, 500],
  ['equality and a range', { a: 1, b: { $gte: 100, $lt: 120 } }, 10],
  ['equality and one bound', { a: 1, b: { $gt: 980 } }, 10],
  ['equality twice', { a: 0, b: 10 }, 1],
  ['lists of values', { a: { $in: [0, 1] }, b: { $in: [1, 2, 3, 5000] } }, 3],
  ['equality on two paths and a range on the third', { a: 1, c: 3, b: { $lt: 100 } }, 10],
  ['equality and both bounds in an array', { a: 1, list: { $gt: 980, $lt: 2000 } }, 10],
])('a compound index finds no more than it must by %s', (_, filter, count) => {
  const indexes = new MemoryIndexes<{ doc: Doc }>();
  for (const fields of [
    ['a', 'b'],
    ['a', 'c', 'b'],
    ['a', 'list'],
  ])
    indexes.ensure(fields, many);
  const compiled = compileFilter(filter as Doc);
  const found = [...(indexes.candidates(compiled, many.length) ?? [])];
  expect(found.length).toBe(count);
  const matching = many.filter(({ doc }) => compiled.matches(doc));
  expect(matching.every((entry) => found.includes(entry))).toBe(true);
});

test('a compound index cannot help when nothing is said of its first path', () => {
  const indexes = new MemoryIndexes<{ doc: Doc }>();
  indexes.ensure(['a', 'b'], many);
  expect(indexes.candidates(compileFilter({ b: 3 }), many.length)).toBe(undefined);
});
