import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { InvalidDocumentError } from '../errors/store-errors.js';
import type { StoreSuite } from './store-suite.js';

/** Counting, distinct values, grouping, removing and indexes. */
export function testVerbs({ it, withStore }: StoreSuite): void {
  const docs = [
    { k: 1, e: { d: 9 }, tags: ['a', 'b'] },
    { k: 2, e: { d: 9 }, tags: ['b'] },
    { k: 3, e: { d: null } },
    { k: 4, e: {} },
    { k: 5, e: { d: [9] }, tags: [] },
  ];

  it('counts what matches', () =>
    withStore(async (store) => {
      await store.update(docs);
      equal(await store.count(), 5);
      equal(await store.count({ 'e.d': 9 }), 3);
      equal(await store.count({ k: { $in: [1, 2, 77] } }), 2);
    }));

  it('lists distinct values through nesting and arrays', () =>
    withStore(async (store) => {
      await store.update(docs);
      deepStrictEqual((await store.distinct('tags')).sort(), ['a', 'b']);
      deepStrictEqual(await store.distinct('tags', { k: 2 }), ['b']);
      deepStrictEqual(await store.distinct('nowhere'), []);
      const values = await store.distinct('e.d');
      equal(values.length, 2);
      ok(values.includes(9) && values.includes(null));
    }));

  it('groups, with null, missing and arrays apart', () =>
    withStore(async (store) => {
      await store.update(docs);
      const groups: unknown[] = [];
      for await (const { group, docs: members } of store.groupBy(
        'e.d',
        {},
        { properties: ['k'], sort: { k: 1 } },
      ))
        groups.push([group, members.map((d) => d['k'])]);
      deepStrictEqual(groups, [
        [{ e: { d: 9 } }, [1, 2]],
        [{ e: { d: null } }, [3]],
        [{ e: {} }, [4]],
        [{ e: { d: [9] } }, [5]],
      ]);
    }));

  it('removes what matches and says how many', () =>
    withStore(async (store) => {
      await store.update(docs);
      equal(await store.removeDocs({ 'e.d': 9 }), 3);
      equal(await store.removeDocs({ k: 77 }), 0);
      equal(await store.count({}), 2);
      equal(await store.removeDocs({}), 2);
      equal(await store.count({}), 0);
    }));

  it('makes an index unique or says that it cannot, and never claims it falsely', () =>
    withStore(async (store) => {
      await store.update([
        { k: 1, a: 1, twice: 0 },
        { k: 2, a: 2, twice: 0 },
      ]);
      equal(await store.ensureIndex('twice', { unique: true }), false);
      if (!(await store.ensureIndex('a', { unique: true }))) return;
      await rejects(store.update({ k: 3, a: 1 }), InvalidDocumentError);
      await store.update({ k: 1, a: 3 });
      equal(await store.count({ a: 1 }), 0);
      equal(await store.count({}), 2);
    }));

  it('keeps indexes right when documents change and go', () =>
    withStore(async (store) => {
      equal(await store.ensureIndex('tags'), true);
      await store.update(docs);
      await store.update({ k: 1, tags: ['c'] });
      await store.removeDocs({ k: 2 });
      equal(await store.count({ tags: 'b' }), 0);
      equal(await store.count({ tags: 'c' }), 1);
      equal(await store.ensureIndex(['tags', 'k']), true);
    }));
}
