import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/errors/option-errors.js';
import { InvalidQueryError } from '../../../src/errors/query-errors.js';
import { InvalidDocumentError, ValidationError } from '../../../src/errors/store-errors.js';
import { isDocument } from '../../../src/query/bson-kind.js';
import type { Doc } from '../../../src/query/document.js';
import type { Projection } from '../../../src/query/projection.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import type { Store } from '../../../src/store/store.js';
import { AliasingStore } from '../../../src/store/wrap/aliasing-store.js';
import { at, contents, storeWith } from '../../fixtures/stores.js';
import { Generator } from '../../query/generate.js';
import { compare, deepFreeze } from './support.js';

const ALIASES = { a: 'b', 'c.d': 'e', f: 'g.h' };

async function aliased(
  docs: readonly Doc[],
  aliases: Record<string, string> = ALIASES,
): Promise<{ store: AliasingStore; inner: MemoryStore }> {
  const inner = await storeWith(docs);
  const store = new AliasingStore(inner, aliases);
  await store.connect();
  return { store, inner };
}

describe('as a store of documents with the other names', () => {
  const flat = [{ a: 'b' }, { a: 'z' }, { a: 'b', b: 'c' }, { k: '_id', c: 'b' }];
  test.each(flat.map((aliases, i) => [aliases, i + 1] as const))(
    'random questions are answered exactly, %j',
    async (aliases, seed) => {
      const generator = new Generator(seed);
      const docs = Array.from({ length: 40 }, (_, k) => ({ ...generator.doc(k), k }));
      const { store } = await aliased([], aliases as unknown as Record<string, string>);
      await store.update(docs);
      const found = await compare(store, await storeWith(docs), seed * 1000, 500);
      expect(found.differences).toEqual([]);
      expect(Object.keys(found.answered)).toHaveLength(4);
      expect(found.refused).toBeLessThan(100);
    },
  );

  const nested = [{ 'a.b': 'c' }, { c: 'a.b' }, { 'a.b': 'a.c' }, { 'a.b': 'x.y.z' }];
  test.each(nested.map((aliases, i) => [aliases, i + 1] as const))(
    'random questions are answered exactly or refused, %j',
    async (aliases, seed) => {
      const generator = new Generator(seed);
      const docs: Doc[] = [];
      for (let k = 0; docs.length < 40; k++) {
        const doc: Doc = { ...generator.doc(k), k };
        // An alias leads through documents only, and an empty one may vanish.
        if (isDocument(doc['a']) && Object.keys(doc['a']).length > 0) docs.push(doc);
      }
      const { store } = await aliased([], aliases as unknown as Record<string, string>);
      await store.update(docs);
      const found = await compare(store, await storeWith(docs), seed * 1000, 500, (error) =>
        error.message.includes('are stored elsewhere'),
      );
      expect(found.differences).toEqual([]);
      expect(Object.keys(found.answered)).toHaveLength(4);
    },
  );
});

describe('each verb', () => {
  const stored = [
    { k: 1, b: 5, e: 'x', g: { h: 3, other: 0 } },
    { k: 2, b: 4, e: ['x', 'y'], g: { h: 1 } },
    { k: 3, a: 'own' },
  ];
  const external = [
    { k: 1, a: 5, c: { d: 'x' }, f: 3, g: { other: 0 } },
    { k: 2, a: 4, c: { d: ['x', 'y'] }, f: 1 },
    { k: 3, b: 'own' },
  ];
  const keys = async (store: Store, criteria: Doc, options = {}) =>
    (await store.query(criteria, options).toArray()).map((doc) => doc['k']);

  test('reads documents', async () => {
    const { store } = await aliased(stored);
    expect(await contents(store)).toEqual(external);
  });

  test.each([
    [{ a: { $gte: 5 } }, [1]],
    [{ 'c.d': 'x' }, [1, 2]],
    [{ 'c.d.1': 'y' }, [2]],
    [{ $or: [{ f: 1 }, { b: 'own' }] }, [2, 3]],
    [{ $nor: [{ a: 5 }, { 'c.d': 'y' }] }, [3]],
    [{ $expr: { $gt: ['$a', '$f'] } }, [1, 2]],
    [{ a: { $exists: false } }, [3]],
    [{ 'g.other': 0 }, [1]],
  ])('finds by %j', async (criteria, found) => {
    const { store } = await aliased(stored);
    expect(await keys(store, criteria)).toEqual(found);
    expect(await store.count(criteria)).toBe(found.length);
  });

  test('sorts', async () => {
    const { store } = await aliased(stored);
    expect(await keys(store, {}, { sort: { f: 1 } })).toEqual([3, 2, 1]);
    expect(await keys(store, {}, { sort: { 'c.d': -1, a: 1 }, limit: 1, skip: 1 })).toEqual([1]);
    expect(() => store.query({}, { sort: { c: 1 } })).toThrow(InvalidQueryError);
  });

  test.each<[readonly string[] | Projection, Doc]>([
    [['f'], { f: 3 }],
    [['c'], { c: { d: 'x' } }],
    [['c.d', 'a'], { a: 5, c: { d: 'x' } }],
    [['g'], { g: { other: 0 } }],
    [
      { a: 0, f: 0, _id: 0 },
      { k: 1, c: { d: 'x' }, g: { other: 0 } },
    ],
    [{ sum: { $add: ['$a', '$f'] } }, { sum: 8 }],
    [
      { 'c.d': 0, k: 0 },
      { a: 5, c: {}, f: 3, g: { other: 0 } },
    ],
  ])('returns the properties %j', async (properties, found) => {
    const { store } = await aliased(stored);
    const { _id, ...rest } = (await store.queryOne({ k: 1 }, { properties })) ?? {};
    expect(rest).toEqual(found);
  });

  test('reads only what the properties need', async () => {
    const { store, inner } = await aliased(stored);
    const asked: unknown[] = [];
    const original = inner.query.bind(inner);
    inner.query = (criteria, options) => {
      asked.push(options?.properties);
      return original(criteria, options);
    };
    await store.query({}, { properties: ['a', 'f'] }).toArray();
    await store.query({}, { properties: { a: 0, 'c.d': 0 } }).toArray();
    expect(asked).toEqual([['_id', 'b', 'g.h'], { b: 0 }]);
  });

  test('lists and groups values', async () => {
    const { store } = await aliased(stored);
    expect(await store.distinct('c.d')).toEqual(['x', 'y']);
    expect(await store.distinct('f', { a: 4 })).toEqual([1]);
    expect(await store.distinct('k')).toEqual([1, 2, 3]);
    expect(await store.distinct('c')).toEqual([{ d: 'x' }, { d: ['x', 'y'] }]);
    const groups: unknown[] = [];
    for await (const { group, docs } of store.groupBy(['c.d', 'f'], {}, { properties: ['a'] }))
      groups.push([group, docs.map(({ _id, ...rest }) => rest)]);
    expect(groups[0]).toEqual([{ c: { d: 'x' }, f: 3 }, [{ a: 5, c: { d: 'x' }, f: 3 }]]);
    expect(groups).toHaveLength(3);
  });

  test('writes by any key, and changes no input', async () => {
    const { store, inner } = await aliased([]);
    await store.update(deepFreeze(external));
    await store.update(deepFreeze({ k: 4, a: 4, c: { d: 9 } }), { key: 'a' });
    await store.update({ k: 5, a: 4, c: { d: 9 }, f: 1 }, { key: deepFreeze(['a', 'c.d']) });
    expect(await contents(inner)).toEqual([
      stored[0],
      stored[2],
      { k: 5, b: 4, e: 9, g: { h: 1 } },
    ]);
    await expect(store.update({ k: 6, c: {} }, { key: 'c' })).rejects.toThrow(InvalidOptionError);
    await expect(store.update([{ k: 7 }, { k: 8, f: 1, g: 2 }])).rejects.toThrow(
      InvalidDocumentError,
    );
    expect(await inner.count({})).toBe(3);
  });

  test('_id may have an alias', async () => {
    const { store, inner } = await aliased([], { id: '_id' });
    await store.update(
      [
        { id: 1, v: 1 },
        { v: 2, id: 2 },
      ],
      { key: 'id' },
    );
    await store.update({ id: 1, v: 3 }, { key: 'id' });
    expect(await inner.query().toArray()).toEqual([
      { _id: 1, v: 3 },
      { _id: 2, v: 2 },
    ]);
    expect(await store.query({ id: 2 }, { properties: ['v'] }).toArray()).toEqual([{ v: 2 }]);
    expect(await store.query({}, { properties: ['id'], limit: 1 }).toArray()).toEqual([{ id: 1 }]);
  });

  test('removes', async () => {
    const { store, inner } = await aliased(stored);
    expect(await store.removeDocs({ a: { $lte: 5 }, 'c.d': 'y' })).toBe(1);
    expect((await contents(inner)).map((doc) => doc['k'])).toEqual([1, 3]);
    await expect(store.removeDocs({ c: 1 })).rejects.toThrow(InvalidQueryError);
  });

  test('makes indexes of the stored names', async () => {
    const { store, inner } = await aliased(stored);
    const asked: unknown[] = [];
    inner.ensureIndex = async (fields) => asked.push(fields) > 0;
    expect(await store.ensureIndex(['f', 'k'])).toBe(true);
    expect(await store.ensureIndex('c')).toBe(false);
    expect(asked).toEqual([['g.h', 'k']]);
  });

  test('a stored document that cannot be shown is an error, not half a document', async () => {
    const { store } = await aliased([{ k: 1, c: 5, e: 6 }]);
    await expect(store.queryOne()).rejects.toThrow(/Bad document at \$\.c/);
  });
});

describe('options', () => {
  test('come from the wrapped store, under the names of callers', () => {
    const inner = new MemoryStore({
      key: 'id.n',
      lastUpdatedField: 'lu',
      lastUpdatedType: 'isoformat',
    });
    const aliases = { task_id: 'id.n', last_updated: 'lu' };
    const inherited = {
      key: 'task_id',
      lastUpdatedField: 'last_updated',
      lastUpdatedType: 'isoformat',
    };
    expect(new AliasingStore(inner, aliases)).toMatchObject(inherited);
    // Files written by Python name the stored field.
    expect(new AliasingStore(inner, aliases, { lastUpdatedField: 'lu' })).toMatchObject(inherited);
    const own = { key: 'x', lastUpdatedField: 'y', lastUpdatedType: 'datetime' } as const;
    expect(new AliasingStore(inner, aliases, own)).toMatchObject(own);
    expect(() => new AliasingStore(new MemoryStore({ key: 'c' }), ALIASES)).toThrow(
      InvalidOptionError,
    );
    expect(() => new AliasingStore({} as never, ALIASES)).toThrow(InvalidOptionError);
  });

  test('the newest time stamp is found under another name', async () => {
    const inner = await storeWith([{ k: 1, meta: { t: at(4) } }], { lastUpdatedField: 'meta.t' });
    const store = new AliasingStore(inner, { last_updated: 'meta.t' });
    await store.connect();
    expect(await store.lastUpdated()).toEqual(at(4));
  });

  test('the validator of the wrapped store is asked about stored names, its own about the others', async () => {
    const needs = (field: string, strict: boolean) => ({
      strict,
      isValid: (doc: Doc) => doc[field] === 1,
      validationErrors: () => [`${field}: not 1`],
    });
    const inner = new MemoryStore({ key: 'k', validator: needs('b', false) });
    const store = new AliasingStore(inner, ALIASES);
    await store.connect();
    expect(await store.update([{ k: 1, a: 1 }, { k: 2 }])).toEqual({
      written: 1,
      refused: [{ key: 2, reason: 'refused by the validator', paths: ['b: not 1'] }],
    });
    expect(await store.update({ k: 3 }, { validate: false })).toEqual({ written: 1, refused: [] });
    const both = new AliasingStore(inner, ALIASES, { validator: needs('f', true) });
    await both.connect();
    await expect(both.update({ k: 4, a: 1 })).rejects.toThrow(ValidationError);
    expect((await both.update({ k: 4, f: 1 })).refused).toHaveLength(1);
    expect((await both.update({ k: 4, f: 1, a: 1 })).written).toBe(1);
  });

  test('name, identity and capabilities are derived from the wrapped store', () => {
    const inner = new MemoryStore();
    const store = new AliasingStore(inner, { a: 'b', c: 'd' });
    expect(store.name).toBe('Aliasing[mem://memory_db]');
    expect(store.identity).toBe(new AliasingStore(inner, { c: 'd', a: 'b' }).identity);
    expect(store.identity).not.toBe(new AliasingStore(inner, { a: 'b' }).identity);
    expect(store.identity).not.toBe(inner.identity);
    expect(store.capabilities).toEqual({ ...inner.capabilities, rawBatches: false });
  });
});
