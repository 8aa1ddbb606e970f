import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { Long, ObjectId } from 'bson';
import { InvalidDocumentError } from '../errors/store-errors.js';
import type { StoreSuite } from './store-suite.js';

/** Replacing by key. */
export function testUpdate({ it, withStore, all }: StoreSuite): void {
  it('replaces the whole document and keeps its _id', () =>
    withStore(async (store) => {
      await store.update({ k: 1, old: true });
      const before = await store.queryOne({ k: 1 });
      ok(before?.['_id'] instanceof ObjectId);
      await store.update({ k: 1, fresh: true });
      deepStrictEqual(await store.query().toArray(), [{ _id: before['_id'], k: 1, fresh: true }]);
    }));

  it('ignores an incoming _id on replacement, and keeps that of a new document', () =>
    withStore(async (store) => {
      await store.update({ _id: 'mine', k: 1 });
      await store.update({ _id: 'other', k: 1, a: 2 });
      deepStrictEqual(await store.query().toArray(), [{ _id: 'mine', k: 1, a: 2 }]);
    }));

  it('takes another field, or several, as the key', () =>
    withStore(async (store) => {
      await store.update([
        { k: 1, d: 'a', f: 1 },
        { k: 2, d: 'a', f: 2 },
      ]);
      await store.update({ k: 3, d: 'a', f: 2 }, { key: ['d', 'f'] });
      deepStrictEqual(await all(store), [
        { k: 1, d: 'a', f: 1 },
        { k: 3, d: 'a', f: 2 },
      ]);
      await store.update({ k: 9, d: 'b', f: 1 }, { key: 'f' });
      deepStrictEqual(
        (await all(store)).map((d) => d['k']),
        [3, 9],
      );
    }));

  it('takes _id as the key', () =>
    withStore(
      async (store) => {
        await store.update([
          { _id: 'a', v: 1 },
          { _id: 'b', v: 1 },
        ]);
        await store.update({ _id: 'a', v: 2 });
        deepStrictEqual(await store.query({}, { sort: { _id: 1 } }).toArray(), [
          { _id: 'a', v: 2 },
          { _id: 'b', v: 1 },
        ]);
      },
      { key: '_id' },
    ));

  it('takes a nested key', () =>
    withStore(
      async (store) => {
        await store.update([
          { id: { n: 1 }, v: 1 },
          { id: { n: 2 }, v: 1 },
        ]);
        await store.update({ id: { n: 2 }, v: 2 });
        deepStrictEqual(await all(store, { 'id.n': 1 }), [
          { id: { n: 1 }, v: 1 },
          { id: { n: 2 }, v: 2 },
        ]);
      },
      { key: 'id.n' },
    ));

  it('lets the later of equal keys in one call win', () =>
    withStore(async (store) => {
      const { written } = await store.update([
        { k: 1, v: 'first' },
        { k: 2, v: 'other' },
        { k: 1, v: 'last' },
      ]);
      equal(written, 2);
      deepStrictEqual(await all(store), [
        { k: 1, v: 'last' },
        { k: 2, v: 'other' },
      ]);
    }));

  it('takes numbers of different kinds for the same key', () =>
    withStore(async (store) => {
      await store.update({ k: 1, v: 'a' });
      await store.update({ k: Long.fromNumber(1), v: 'b' });
      equal(await store.count({ k: 1 }), 1);
    }));

  it('stores nothing when a document has no key, and says which', () =>
    withStore(async (store) => {
      await rejects(store.update([{ k: 1 }, { a: 2 }]), (error: Error) => {
        ok(error instanceof InvalidDocumentError);
        ok(error.message.includes('$[1]') && error.message.includes('"k"'), error.message);
        return true;
      });
      equal(await store.count({}), 0);
    }));

  it('refuses a second document with the same _id', () =>
    withStore(async (store) => {
      await store.update({ _id: 1, k: 1 });
      await rejects(store.update({ _id: 1, k: 2 }), InvalidDocumentError);
      deepStrictEqual(await store.query().toArray(), [{ _id: 1, k: 1 }]);
    }));

  it('does nothing for an empty list', () =>
    withStore(async (store) =>
      deepStrictEqual(await store.update([]), { written: 0, refused: [] }),
    ));
}
