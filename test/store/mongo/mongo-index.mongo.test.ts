import mongodb from 'mongodb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { describeMongo, mongoStore, uniqueDatabase, withClient } from './server.js';

describeMongo('ensureIndex', () => {
  const database = uniqueDatabase();
  let number = 0;
  let name = '';
  let store: MongoStore;

  beforeEach(async () => {
    name = `index_${++number}`;
    store = mongoStore(database, name);
    await store.connect();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await store.close();
  });

  const keys = (): Promise<object[]> =>
    withClient(async (client) =>
      (await client.db(database).collection(name).indexes())
        .filter((index) => index.name !== '_id_')
        .map(({ key, unique }) => (unique ? { ...key, unique } : key)),
    );
  const create = (key: mongodb.IndexSpecification, options: mongodb.CreateIndexesOptions = {}) =>
    withClient((client) => client.db(database).collection(name).createIndex(key, options));

  test('makes an index, once', async () => {
    const made = vi.spyOn(mongodb.Collection.prototype, 'createIndex');
    expect(await store.ensureIndex('a')).toBe(true);
    expect(await store.ensureIndex('a')).toBe(true);
    expect(await store.ensureIndex(['b', 'n.c'])).toBe(true);
    expect(await store.ensureIndex(['b', 'n.c'])).toBe(true);
    expect(made).toHaveBeenCalledTimes(2);
    expect(await keys()).toEqual([{ a: 1 }, { b: 1, 'n.c': 1 }]);
  });

  test('is content with an index that starts with the fields', async () => {
    await create({ a: 1, b: -1, c: 1 });
    const made = vi.spyOn(mongodb.Collection.prototype, 'createIndex');
    expect(await store.ensureIndex('a')).toBe(true);
    expect(await store.ensureIndex(['a', 'b'])).toBe(true);
    expect(await store.ensureIndex('_id', { unique: true })).toBe(true);
    expect(made).not.toHaveBeenCalled();
  });

  test('is not content with an index that has the field elsewhere, or in another order', async () => {
    await create({ a: 1, b: 1 });
    expect(await store.ensureIndex('b')).toBe(true);
    expect(await store.ensureIndex(['b', 'a'])).toBe(true);
    expect(await keys()).toEqual([{ a: 1, b: 1 }, { b: 1 }, { b: 1, a: 1 }]);
  });

  test('is not content with an index on a part of the documents', async () => {
    await create({ a: 1 }, { partialFilterExpression: { b: { $gt: 1 } }, name: 'partial' });
    const made = vi.spyOn(mongodb.Collection.prototype, 'createIndex');
    await store.ensureIndex('a');
    expect(made).toHaveBeenCalledOnce();
  });

  test('keeps a key unique', async () => {
    expect(await store.ensureIndex('a', { unique: true })).toBe(true);
    expect(await store.ensureIndex('a', { unique: true })).toBe(true);
    expect(await store.ensureIndex('a')).toBe(true);
    expect(await keys()).toEqual([{ a: 1, unique: true }]);
    await store.update({ task_id: 1, a: 1 });
    await expect(store.update({ task_id: 2, a: 1 })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    });
  });

  test('never claims uniqueness that is not there', async () => {
    expect(await store.ensureIndex('a')).toBe(true);
    const claimed = await store.ensureIndex('a', { unique: true });
    expect(claimed).toBe((await keys()).some((key) => 'unique' in key));
    await store.update([
      { task_id: 1, b: 1 },
      { task_id: 2, b: 1 },
    ]);
    expect(await store.ensureIndex('b', { unique: true })).toBe(false);
  });

  test('a unique index on more fields does not make the first unique', async () => {
    await create({ a: 1, b: 1 }, { unique: true });
    expect(await store.ensureIndex(['a', 'b'], { unique: true })).toBe(true);
    await store.update([
      { task_id: 1, a: 1, b: 1 },
      { task_id: 2, a: 1, b: 2 },
    ]);
    expect(await store.ensureIndex('a', { unique: true })).toBe(false);
  });

  const refusal = (code: number) => new mongodb.MongoServerError({ message: 'no', code });

  describe('a server that says no', () => {
    test.each([13, 8000, 85, 86, 20, 166, 10107, 13435])('is no error: %i', async (code) => {
      vi.spyOn(mongodb.Collection.prototype, 'createIndex').mockRejectedValue(refusal(code));
      expect(await store.ensureIndex('a')).toBe(false);
    });

    test('to listing the indexes may still make one', async () => {
      vi.spyOn(mongodb.Collection.prototype, 'listIndexes').mockImplementationOnce(() => {
        throw refusal(13);
      });
      expect(await store.ensureIndex('a')).toBe(true);
      expect(await keys()).toEqual([{ a: 1 }]);
    });
  });

  test('a server that cannot be reached is an error', async () => {
    const lost = new mongodb.MongoNetworkError('connection lost');
    vi.spyOn(mongodb.Collection.prototype, 'createIndex').mockRejectedValue(lost);
    await expect(store.ensureIndex('a')).rejects.toMatchObject({
      code: 'STORE_OPERATION',
      message: expect.stringContaining('connection lost'),
    });
  });
});
