import { deepStrictEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import { InvalidOptionError } from '../errors/option-errors.js';
import { InvalidQueryError } from '../errors/query-errors.js';
import { CursorUsedError } from '../errors/store-errors.js';
import type { Doc } from '../query/document.js';
import type { StoreSuite } from './store-suite.js';

/** Finding, projecting, sorting, and the cursor. */
export function testQuery({ it, withStore, all, without }: StoreSuite): void {
  const docs = [
    { k: 1, a: 'x', n: { m: 1 }, list: [1, 2] },
    { k: 2, a: 'y', n: { m: 2 }, list: [2, 3] },
    { k: 3, a: null, n: {}, list: [] },
    { k: 4, n: { m: '2' } },
  ];

  it('finds by equality, operators, nested names and inside arrays', () =>
    withStore(async (store) => {
      await store.update(docs);
      const keys = async (criteria: Doc) =>
        (await store.query(criteria, { sort: { k: 1 } }).toArray()).map((d) => d['k']);
      deepStrictEqual(await keys({ a: 'x' }), [1]);
      deepStrictEqual(await keys({ a: null }), [3, 4]);
      deepStrictEqual(await keys({ 'n.m': { $gte: 1 } }), [1, 2]);
      deepStrictEqual(await keys({ list: 2 }), [1, 2]);
      deepStrictEqual(await keys({ k: { $in: [4, 2, 9] } }), [2, 4]);
      deepStrictEqual(await keys({ $or: [{ a: 'y' }, { list: { $size: 0 } }] }), [2, 3]);
      deepStrictEqual(await keys({ a: { $regex: '^[xy]$' } }), [1, 2]);
      deepStrictEqual(await keys({ a: /X/i }), [1]);
      deepStrictEqual(await keys({ list: { $exists: false } }), [4]);
    }));

  it('projects, sorts, skips and limits', () =>
    withStore(async (store) => {
      await store.update(docs);
      const found = await store
        .query({}, { properties: ['n.m'], sort: { k: -1 }, skip: 1, limit: 2 })
        .toArray();
      deepStrictEqual(without(found), [{ n: {} }, { n: { m: 2 } }]);
      ok(found.every((doc) => '_id' in doc));
      const excluded = await store.query({ k: 1 }, { properties: { _id: 0, n: 0 } }).toArray();
      deepStrictEqual(excluded, [{ k: 1, a: 'x', list: [1, 2] }]);
      equal((await store.query({}, { limit: 0 }).toArray()).length, 4);
    }));

  it('gives documents one by one, by batch, and ends when the loop is left', () =>
    withStore(async (store) => {
      await store.update(Array.from({ length: 25 }, (_, k) => ({ k })));
      const sizes: number[] = [];
      for await (const batch of store.query().batches(10)) sizes.push(batch.length);
      deepStrictEqual(sizes, [10, 10, 5]);
      let seen = 0;
      for await (const _ of store.query()) if (++seen === 3) break;
      equal(seen, 3);
    }));

  it('can be read only once', () =>
    withStore(async (store) => {
      const cursor = store.query();
      await cursor.toArray();
      await rejects(() => cursor.toArray(), CursorUsedError);
    }));

  it('refuses bad criteria, properties, sorts and numbers at once', () =>
    withStore(async (store) => {
      throws(() => store.query({ $where: 'true' }), InvalidQueryError);
      throws(() => store.query({}, { properties: { a: 1, b: 0 } }), InvalidQueryError);
      throws(() => store.query({}, { sort: { a: 2 as 1 } }), InvalidQueryError);
      throws(() => store.query({}, { skip: -1 }), InvalidOptionError);
      throws(() => store.query({}, { limit: 1.5 }), InvalidOptionError);
    }));

  it('ends when its signal fires', () =>
    withStore(async (store) => {
      await store.update(Array.from({ length: 50 }, (_, k) => ({ k })));
      const controller = new AbortController();
      const read = async () => {
        for await (const _ of store.query({}, { signal: controller.signal }).batches(10))
          controller.abort(new Error('enough'));
      };
      await rejects(read, /enough/);
    }));

  it('returns copies: changing one does not change the store', () =>
    withStore(async (store) => {
      await store.update({ k: 1, n: { list: [1] } });
      const doc = await store.queryOne({ k: 1 });
      doc?.['n'].list.push(2);
      deepStrictEqual(await all(store), [{ k: 1, n: { list: [1] } }]);
    }));

  it('returns null from queryOne when nothing matches', () =>
    withStore(async (store) => equal(await store.queryOne({ k: 1 }), null)));
}
